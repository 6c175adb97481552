import type { SinkRecord } from '../api/index.ts';
import type { RawRecord } from '../batch/record-reader.ts';

/** A record as it was read: its bytes, and where it stands. */
export interface OriginalRecord extends RawRecord {
  readonly topic: string;
  readonly partition: number;
}

const original = Symbol('original record');

interface Traced {
  readonly [original]?: OriginalRecord;
}

/** The record with the one that it was made from; a transform or a task that copies it copies that too. */
export function withOriginal<R extends SinkRecord>(record: R, from: OriginalRecord): R {
  return { ...record, [original]: from };
}

/** Undefined for a record that something made from nothing, or that was not traced. */
export function originalOf(record: object): OriginalRecord | undefined {
  return (record as Traced)[original];
}
