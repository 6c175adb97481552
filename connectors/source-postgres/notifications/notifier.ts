/** Tells what snapshots do, in a topic and in the log, as Debezium's notification services do. */
import { randomUUID } from 'node:crypto';

import type { Logger, OffsetMap } from '@millrace/runtime/api';

import type { RecordQueue } from '../records/queue.ts';
import type { RecordContext } from '../records/records.ts';
import type { Settings } from '../config/settings.ts';
import { notificationRecord } from './notification-record.ts';
import type { Notification } from './notification-record.ts';

export interface Notifier {
  /** Of an initial or a blocking snapshot; an id of its own each. `offset` says where a restart after it goes on. */
  initial(type: string, data: Readonly<Record<string, string>>, offset: OffsetMap): void;
  /** Of an incremental snapshot; without `id` a random one. It waits for `flush`. */
  incremental(id: string | null, type: string, data: Readonly<Record<string, string>>): void;
  readonly hasWaiting: boolean;
  /** Hands over what waits; `offset` is a position between two transactions. */
  flush(offset: OffsetMap): void;
}

/** That of Java's hash map, in which Debezium holds them. */
const dataOrder = [
  'current_collection_in_progress',
  'scanned_collection',
  'connector_name',
  'maximum_key',
  'last_processed_key',
  'total_rows_scanned',
  'data_collections',
  'status',
];

interface NotifierParts {
  readonly settings: Settings;
  readonly context: RecordContext;
  readonly queue: RecordQueue;
  readonly log: Logger;
}

export function createNotifier({ settings, context, queue, log }: NotifierParts): Notifier {
  const { topic, log: logged } = settings.notifications;
  const waiting: Notification[] = [];

  function make(
    id: string,
    aggregateType: Notification['aggregateType'],
    type: string,
    data: Readonly<Record<string, string>>,
  ): Notification {
    const all: Readonly<Record<string, string>> = { ...data, connector_name: settings.topicPrefix };
    const notification = {
      ...{ id, type, aggregateType, timestampMs: Date.now() },
      data: Object.fromEntries(dataOrder.flatMap((key) => (all[key] === undefined ? [] : [[key, all[key]]]))),
    };
    if (logged) log.info(`notification: ${aggregateType} ${type}`, { id, ...notification.data });
    return notification;
  }
  function push(notification: Notification, offset: OffsetMap): void {
    if (topic !== undefined) queue.push(notificationRecord(context, topic, notification, offset), 128);
  }

  return {
    initial: (type, data, offset) => push(make(randomUUID(), 'Initial Snapshot', type, data), offset),
    incremental(id, type, data) {
      const notification = make(id ?? randomUUID(), 'Incremental Snapshot', type, data);
      if (topic !== undefined) waiting.push(notification);
    },
    get hasWaiting() {
      return waiting.length > 0;
    },
    flush(offset) {
      for (const notification of waiting.splice(0)) push(notification, offset);
    },
  };
}
