/** Source records, and what all of a task's share. */
import { WireStruct, schemas } from '@millrace/runtime/api';
import type { Header, OffsetMap, Schema, SourceRecord, StructNode, WireRow } from '@millrace/runtime/api';

import { connectorName } from './source-block.ts';

export interface RecordContext {
  readonly sourcePartition: OffsetMap;
  /** `__debezium.context.*`, or none. */
  readonly headers: readonly Header[];
}

export function recordContext(topicPrefix: string, taskId: number, withHeaders: boolean): RecordContext {
  const header = (name: string, value: string): Header =>
    Object.freeze({ key: `__debezium.context.${name}`, schema: schemas.string, value });
  const headers = [header('connectorLogicalName', topicPrefix), header('taskId', String(taskId)), header('connectorName', connectorName)];
  return { sourcePartition: Object.freeze({ server: topicPrefix }), headers: Object.freeze(withHeaders ? headers : []) };
}

/** A record whose key and value stand in a row; without `value` a tombstone. */
export function rowRecord(
  context: RecordContext,
  topic: string,
  keySchema: Schema | null,
  key: StructNode | null,
  valueSchema: Schema,
  value: StructNode | null,
  row: WireRow,
  headers: readonly Header[],
  sourceOffset: OffsetMap,
): SourceRecord {
  return {
    topic,
    partition: null,
    keySchema: key === null ? null : keySchema,
    key: key === null ? null : new WireStruct(key, row),
    valueSchema: value === null ? null : valueSchema,
    value: value === null ? null : new WireStruct(value, row),
    timestamp: null,
    headers,
    sourcePartition: context.sourcePartition,
    sourceOffset,
  };
}

/** A record of values; it has no context headers. */
export function plainRecord(
  context: RecordContext,
  topic: string,
  key: { readonly schema: Schema },
  value: { readonly schema: Schema },
  sourceOffset: OffsetMap,
): SourceRecord {
  return {
    topic,
    partition: null,
    keySchema: key.schema,
    key,
    valueSchema: value.schema,
    value,
    timestamp: null,
    headers: noRecordHeaders,
    sourcePartition: context.sourcePartition,
    sourceOffset,
  };
}

const noRecordHeaders: readonly Header[] = Object.freeze([]);
