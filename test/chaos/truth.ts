/** What was really committed to the mixed tables, in the order of the commits, as PostgreSQL itself tells it. */
import { withClient } from './mixed-tables.ts';
import type { TableName } from './mixed-tables.ts';

export interface Event {
  readonly key: number;
  /** Counts the changes of the key from 1; a delete counts, its tombstone has the same number. */
  readonly version: number;
  readonly operation: 'c' | 'u' | 'd' | 'tombstone';
}

export interface CommittedEvent extends Event {
  readonly xid: number;
  /** Of the commit; 0 before the load began. */
  readonly lsn: number;
}

export interface Truth {
  /** What was there before the load began, as creates; then what was done, transaction by transaction. */
  readonly events: readonly CommittedEvent[];
  /** What the table holds: key → version. */
  readonly rows: ReadonlyMap<number, number>;
}

// A BEGIN of pgoutput: 'B', the LSN of the commit, its time, the transaction.
const ORDER = `
select xid::text::bigint::int as xid, ('x' || encode(substring(data from 2 for 8), 'hex'))::bit(64)::bigint::text as lsn
from pg_logical_slot_peek_binary_changes(current_database() || '_order', null, null,
  'proto_version', '1', 'publication_names', 'ledger_order')
where get_byte(data, 0) = 66`;

export async function readTruth(url: string, tables: readonly TableName[]): Promise<Map<TableName, Truth>> {
  return withClient(url, async (client) => {
    const { rows: begins } = await client.query<{ xid: number; lsn: string }>(ORDER);
    const places = new Map(begins.map(({ xid, lsn }, place) => [xid, { place, lsn: Number(lsn) }]));
    const truth = new Map<TableName, Truth>();
    for (const table of tables) {
      const { rows: noted } = await client.query<{ xid: number; id: number; version: number; op: 'c' | 'u' | 'd' }>(
        'select xid::int, id, version, op from ledger where name = $1 order by seq',
        [table],
      );
      const { rows: held } = await client.query<{ id: number; version: number }>(`select id, version from ${table}`);
      const placed = noted.map((note, at) => ({
        ...note,
        at,
        place: places.get(note.xid)?.place ?? -1,
        lsn: places.get(note.xid)?.lsn ?? 0,
      }));
      const events = placed
        .sort((a, b) => a.place - b.place || a.at - b.at)
        .flatMap(({ xid, lsn, id, version, op }): CommittedEvent[] => {
          const event = { key: id, version, operation: op, xid, lsn };
          return op === 'd' ? [event, { ...event, operation: 'tombstone' }] : [event];
        });
      truth.set(table, { events, rows: new Map(held.map(({ id, version }) => [id, version])) });
    }
    return truth;
  });
}

/** What the table held at a moment: key → version. */
export function rowsAt(events: readonly CommittedEvent[], lsn: number): Map<number, number> {
  const rows = new Map<number, number>();
  for (const { key, version, operation, lsn: committed } of events) {
    if (committed >= lsn) break;
    if (operation === 'd') rows.delete(key);
    else if (operation !== 'tombstone') rows.set(key, version);
  }
  return rows;
}

export const textOf = ({ key, version, operation }: { key: number; version: number; operation: string }): string =>
  `${operation} of key ${key} version ${version}`;
