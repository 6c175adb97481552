/** The records of a table's topic, as what they tell. */
import type { TopicRecord } from './topic-reader.ts';

export interface Arrival {
  readonly partition: number;
  readonly key: number;
  /** As in the ledger: a delete counts. NaN for a tombstone of which it cannot be told. */
  readonly version: number;
  readonly operation: 'r' | 'c' | 'u' | 'd' | 'tombstone';
  /** Of the snapshot for `r`, else of the row. */
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

/** A tombstone says nothing of itself: it belongs to the last delete of its key, or, without a key, of its partition. */
export function arrivalsOf(records: readonly TopicRecord[]): Arrival[] {
  const deletes = new Map<string, Arrival>();
  return records.map(({ partition, key, value }): Arrival => {
    const place = `${partition} ${key ?? ''}`;
    if (value === null) {
      const id = key === null ? (deletes.get(place)?.key ?? Number.NaN) : (JSON.parse(key) as Row).id;
      const { version = Number.NaN, lsn = 0 } = deletes.get(place) ?? {};
      return { partition, key: id, version, operation: 'tombstone', lsn };
    }
    const { op, before, after, source } = JSON.parse(value) as Envelope;
    const row = op === 'd' ? before : after;
    if (row === null) throw new Error(`a change without its row: ${value}`);
    const arrival: Arrival = {
      partition,
      key: row.id,
      version: op === 'd' ? row.version + 1 : row.version,
      operation: op,
      lsn: source.lsn,
    };
    if (op === 'd') deletes.set(place, arrival);
    return arrival;
  });
}

/** What is left of each key when its records are applied in the order in which they arrived: key → version. */
export function appliedRows(arrivals: readonly Arrival[]): Map<number, number> {
  const rows = new Map<number, number>();
  for (const { key, version, operation } of arrivals) {
    if (operation === 'd') rows.delete(key);
    else if (operation !== 'tombstone') rows.set(key, version);
  }
  return rows;
}
