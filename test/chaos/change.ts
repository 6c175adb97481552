/** One change of one row, as it was made, and as it arrived. */
import type { TopicRecord } from './topic-reader.ts';

/** Debezium's letters, and the tombstone that follows a delete. */
export type Operation = 'r' | 'c' | 'u' | 'd' | 'tombstone';

export interface Change {
  readonly key: number;
  /** Counts the changes of the key from 1; a delete counts, its tombstone has the same number. */
  readonly version: number;
  readonly operation: Operation;
}

/** A change in a topic or a file. */
export interface ArrivedChange extends Change {
  readonly partition: number;
  /** Where the source found it: two arrivals of one change have the same. */
  readonly lsn: number;
}

interface Row {
  readonly id: number;
  readonly version: number;
}

interface Envelope {
  readonly op: 'r' | 'c' | 'u' | 'd';
  readonly before: Row | null;
  readonly after: Row | null;
  readonly source: { readonly lsn: number };
}

/** A value without schema, as source-postgres writes it. */
export function changeOf(value: string): Omit<ArrivedChange, 'partition'> {
  const { op, before, after, source } = JSON.parse(value) as Envelope;
  const row = op === 'd' ? before : after;
  if (row === null) throw new Error(`a change without its row: ${value}`);
  return { key: row.id, version: op === 'd' ? row.version + 1 : row.version, operation: op, lsn: source.lsn };
}

/** Tombstones say nothing of themselves: each belongs to the last delete of its key that came before it. */
export function changesOf(records: readonly TopicRecord[]): ArrivedChange[] {
  const deleted = new Map<number, ArrivedChange>();
  return records.map(({ partition, key, value }) => {
    if (value !== null) {
      const change = { ...changeOf(value), partition };
      if (change.operation === 'd') deleted.set(change.key, change);
      return change;
    }
    const { id } = JSON.parse(key ?? '{}') as Row;
    const { version = 0, lsn = 0 } = deleted.get(id) ?? {};
    return { key: id, version, operation: 'tombstone', lsn, partition };
  });
}
