/**
 * What `provide.transaction.metadata` adds: a topic of the transactions' beginnings and ends, and each row's place in
 * its transaction. Source: io.debezium.pipeline.txmetadata, PostgresTransactionMonitor.
 */
import { ValueStruct, arraySchema, schemas, structOf, structSchema } from '@millrace/runtime/api';
import type { OffsetMap, SourceRecord } from '@millrace/runtime/api';

import { transactionBlock } from './envelope.ts';
import type { Lsn } from '../position/lsn.ts';
import { countPrefix } from '../position/offsets.ts';
import { plainRecord } from './records.ts';
import type { RecordContext } from './records.ts';

const common = 'io.debezium.connector.common.';
const keySchema = structSchema([['id', schemas.string]], { name: `${common}TransactionMetadataKey`, version: 1 });
const collectionSchema = structSchema(
  [
    ['data_collection', schemas.string],
    ['event_count', schemas.int64],
  ],
  { name: 'event.collection', version: 1, optional: true },
);
const valueSchema = structSchema(
  [
    ['status', schemas.string],
    ['id', schemas.string],
    ['event_count', schemas.optionalInt64],
    ['data_collections', arraySchema(collectionSchema, { optional: true })],
    ['ts_ms', schemas.int64],
  ],
  { name: `${common}TransactionMetadataValue`, version: 1 },
);

/** Logical messages are counted under this name; Debezium counts each under a Java object's name of its own. */
export const messageCollection = 'message';

/** Counts the events of one transaction. */
export class TransactionTally {
  readonly txId: number;
  readonly #counts: Map<string, number>;
  #total = 0;

  /** `counts` of a transaction that is gone on with. */
  constructor(txId: number, counts: ReadonlyMap<string, number> = new Map()) {
    this.txId = txId;
    this.#counts = new Map(counts);
    for (const count of counts.values()) this.#total += count;
  }

  /** Counts one more event. Returns what its row has of its own: see `ownParts`. */
  next(lsn: Lsn, collection: string): readonly unknown[] {
    const order = (this.#counts.get(collection) ?? 0) + 1;
    this.#counts.set(collection, order);
    this.#total++;
    return [lsn, this.#total, order];
  }

  get counts(): ReadonlyMap<string, number> {
    return new Map(this.#counts);
  }

  /** What offsets hold besides the position. */
  stored(): OffsetMap {
    const counts = [...this.#counts].map(([collection, count]) => [countPrefix + collection, count]);
    return { transaction_id: String(this.txId), ...Object.fromEntries(counts) };
  }

  /** The block of an event that is no row. */
  block([lsn, total, order]: readonly unknown[]): ValueStruct {
    return new ValueStruct(transactionBlock, [idAt(this.txId, lsn as Lsn), total, order]);
  }

  begin(context: RecordContext, topic: string, lsn: Lsn, us: number, offset: OffsetMap): SourceRecord {
    const id = idAt(this.txId, lsn);
    const value = structOf(valueSchema, { status: 'BEGIN', id, ts_ms: Math.floor(us / 1000) });
    return plainRecord(context, topic, new ValueStruct(keySchema, [id]), value, { ...offset, ...this.stored() });
  }

  /** `lsn` is where the commit ends. */
  end(context: RecordContext, topic: string, lsn: Lsn, us: number, offset: OffsetMap): SourceRecord {
    const id = idAt(this.txId, lsn);
    const collections = inJavaOrder([...this.#counts.keys()]).map(
      (name) => new ValueStruct(collectionSchema, [name, this.#counts.get(name)]),
    );
    const value = structOf(valueSchema, {
      status: 'END',
      id,
      event_count: this.#total,
      data_collections: collections,
      ts_ms: Math.floor(us / 1000),
    });
    return plainRecord(context, topic, new ValueStruct(keySchema, [id]), value, { ...offset, ...this.stored() });
  }
}

/** Debezium's id of a transaction differs from event to event: it ends in the event's LSN. */
const idAt = (txId: number, lsn: Lsn): string => `${txId}:${lsn}`;

/** The order in which java.util.HashMap, which Debezium counts in, gives its keys back. */
function inJavaOrder(names: readonly string[]): string[] {
  let size = 16;
  while (names.length > size * 0.75) size *= 2;
  const bucket = (name: string): number => {
    let hash = 0;
    for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0;
    return (hash ^ (hash >>> 16)) & (size - 1);
  };
  return [...names].sort((a, b) => bucket(a) - bucket(b));
}
