import type { Schema } from './schema.ts';

/** A record header: its value is data of the model; the header converter turns it into bytes. */
export interface Header {
  readonly key: string;
  readonly schema: Schema | null;
  readonly value: unknown;
}

/** What source and sink records share, and transforms may change (always into a new record). */
export interface ConnectRecord {
  readonly topic: string;
  /** Of a source record: null lets the partitioner choose by key. */
  readonly partition: number | null;
  readonly keySchema: Schema | null;
  readonly key: unknown;
  readonly valueSchema: Schema | null;
  readonly value: unknown;
  /** Milliseconds since 1970; null lets the log stamp its own time. */
  readonly timestamp: number | null;
  /** Shared between records where it is equal: identity is what converters cache by. Never mutated. */
  readonly headers: readonly Header[];
}

/** A JSON-like map with bigint for 64-bit integers; an offset or a source partition. */
export type OffsetMap = Readonly<Record<string, OffsetValue>>;
export type OffsetValue = string | number | bigint | boolean | null;

export interface SourceRecord extends ConnectRecord {
  /** Which stream of the source the record comes from, such as `{ server: 'shop' }`. */
  readonly sourcePartition: OffsetMap;
  /** Where to go on in that stream after this record. */
  readonly sourceOffset: OffsetMap;
}

export interface SinkRecord extends ConnectRecord {
  readonly partition: number;
  readonly offset: bigint;
  readonly timestampType: 'CreateTime' | 'LogAppendTime' | 'NoTimestampType';
  /** The topic that it was read from, whatever transforms made of `topic`: positions go by this one (KIP-793). Left out: `topic`. */
  readonly originalTopic?: string;
  /**
   * Of a dead letter that was resubmitted straight to its sink: where it stood first. Its `topic` is that of this place,
   * converters and names go by it; `originalTopic`, `partition` and `offset` are those of the topic it comes through, and
   * positions go by them. What names or versions a record by its place (an id made of topic, partition and offset) goes by
   * this one.
   */
  readonly resubmitted?: RecordPlace;
}

export interface RecordPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

export const noHeaders: readonly Header[] = Object.freeze([]);
