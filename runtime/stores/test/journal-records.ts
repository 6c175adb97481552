/** Records as a journal hands them over. */
import type { JournalRecord, NewRecord } from '../journal.ts';

/** From `[key, value]`, at the offsets 0, 1, … */
export const recordsFrom = (written: readonly (readonly [string, string | null])[], firstOffset = 0): JournalRecord[] =>
  written.map(([key, value], index) => ({
    key: Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    timestampMs: 0,
    offset: BigInt(firstOffset + index),
  }));

export const recordsOf = (written: readonly NewRecord[], firstOffset = 0): JournalRecord[] =>
  recordsFrom(
    written.map(({ key, value }) => [key as string, value as string | null]),
    firstOffset,
  );

/** `key value` */
export const textsOf = (written: readonly NewRecord[]): string[] => written.map(({ key, value }) => `${key as string} ${value as string}`);
