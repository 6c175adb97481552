/** Notifications as records. Source: io.debezium.pipeline.notification.channels.SinkNotificationChannel. */
import { mapSchema, schemas, structOf, structSchema } from '@millrace/runtime/api';
import type { OffsetMap, SourceRecord } from '@millrace/runtime/api';

import { plainRecord } from '../records/records.ts';
import type { RecordContext } from '../records/records.ts';

export interface Notification {
  readonly id: string;
  readonly type: string;
  readonly aggregateType: 'Initial Snapshot' | 'Incremental Snapshot';
  readonly data: Readonly<Record<string, string>>;
  readonly timestampMs: number;
}

const keySchema = structSchema([['id', schemas.string]], { name: 'io.debezium.connector.common.NotificationKey', version: 1 });
const valueSchema = structSchema(
  [
    ['id', schemas.string],
    ['type', schemas.string],
    ['aggregate_type', schemas.string],
    ['additional_data', mapSchema(schemas.string, schemas.string, { optional: true })],
    ['timestamp', schemas.int64],
  ],
  { name: 'io.debezium.connector.common.Notification', version: 1 },
);

export function notificationRecord(context: RecordContext, topic: string, notification: Notification, offset: OffsetMap): SourceRecord {
  const { id, type, aggregateType, data, timestampMs } = notification;
  const value = structOf(valueSchema, {
    id,
    type,
    aggregate_type: aggregateType,
    additional_data: new Map(Object.entries(data)),
    timestamp: timestampMs,
  });
  return plainRecord(context, topic, structOf(keySchema, { id }), value, offset);
}
