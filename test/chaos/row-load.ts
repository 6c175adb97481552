/** Clients that change rows of a table for as long as they are let, and a ledger of what they did. */
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import type { History } from './change-check.ts';
import type { Change } from './change.ts';
import { createRandom } from './seed.ts';
import type { Random } from './seed.ts';

// The ledger is written in the transaction of the change, so it tells what was committed, even where a client
// never heard the answer to its commit.
const TABLES = `
create table items (id int primary key, version int not null, note text);
alter table items replica identity full;
create table ledger (seq bigserial primary key, id int not null, version int not null, op text not null);
create function note_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then insert into ledger (id, version, op) values (old.id, old.version + 1, 'd');
  else insert into ledger (id, version, op) values (new.id, new.version, case tg_op when 'INSERT' then 'c' else 'u' end);
  end if;
  return null;
end $$;
create trigger note_change after insert or update or delete on items for each row execute function note_change();`;

const lastOfEach = `select distinct on (id) id, version, op from ledger where id % $1 = $2 order by id, seq desc`;

export const table = 'public.items';

export interface LoadOptions {
  readonly url: string;
  readonly clients?: number;
  readonly keys?: number;
  /** How long each client rests between two transactions. */
  readonly pauseMs?: number;
  /** The most changes of the usual transaction; 6 if left out. */
  readonly changes?: number;
  /** Left out: rows are deleted too. */
  readonly deletes?: boolean;
}

export interface RowLoad extends AsyncDisposable {
  /** Transactions that were committed for certain. */
  readonly transactions: number;
  /** Connections that were lost. */
  readonly lostConnections: number;
  /** Rejects with whatever a client could not get over. */
  readonly failed: Promise<never>;
  /** Resolves when the last transaction is done. Rejects as `failed` does. */
  stop(): Promise<void>;
}

export async function createTables(url: string): Promise<void> {
  await withClient(url, (client) => client.query(TABLES));
}

/** Puts keys `from` … `to` into the table, in one transaction. */
export async function insertKeys(url: string, from: number, to: number): Promise<void> {
  await withClient(url, (client) =>
    client.query(`insert into items select id, 1, repeat(md5(id::text), 4) from generate_series($1::int, $2::int) id`, [from, to]),
  );
}

/** Each key has one client, which knows what it is at. */
export function startLoad(options: LoadOptions): RowLoad {
  const { clients = 4 } = options;
  const stopping = new AbortController();
  const counts = { transactions: 0, lostConnections: 0 };
  const running = Array.from({ length: clients }, (_, client) => runClient(client, options, counts, stopping.signal));
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  for (const each of running) {
    each.catch((error: unknown) => {
      stopping.abort();
      failed.reject(new Error(`the load ended: ${(error as Error).message}`, { cause: error }));
    });
  }
  const stop = async (): Promise<void> => {
    stopping.abort();
    await Promise.all(running);
  };
  return {
    get transactions() {
      return counts.transactions;
    },
    get lostConnections() {
      return counts.lostConnections;
    },
    failed: failed.promise,
    stop,
    [Symbol.asyncDispose]: () => stop().catch(() => undefined),
  };
}

/** What was committed, key by key, with the tombstones that follow deletes. */
export async function readHistory(url: string): Promise<History> {
  const { rows } = await withClient(url, (client) =>
    client.query<{ id: number; version: number; op: 'c' | 'u' | 'd' }>('select id, version, op from ledger order by seq'),
  );
  const changes = rows.flatMap(({ id, version, op }): Change[] => {
    const change = { key: id, version, operation: op };
    return op === 'd' ? [change, { ...change, operation: 'tombstone' }] : [change];
  });
  return Map.groupBy(changes, ({ key }) => key);
}

/** What the table holds: key → version. */
export async function readTable(url: string): Promise<Map<number, number>> {
  const { rows } = await withClient(url, (client) => client.query<{ id: number; version: number }>('select id, version from items'));
  return new Map(rows.map(({ id, version }) => [id, version]));
}

interface KeyState {
  readonly version: number;
  readonly alive: boolean;
}

async function runClient(
  mine: number,
  options: LoadOptions,
  counts: { transactions: number; lostConnections: number },
  signal: AbortSignal,
): Promise<void> {
  const { url, clients = 4, pauseMs = 20 } = options;
  const random = createRandom(`client ${mine}`);
  while (!signal.aborted) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
    client.on('error', () => {});
    let connected = false;
    try {
      await client.connect();
      connected = true;
      const { rows } = await client.query<{ id: number; version: number; op: string }>(lastOfEach, [clients, mine]);
      const states = new Map(rows.map(({ id, version, op }): [number, KeyState] => [id, { version, alive: op !== 'd' }]));
      while (!signal.aborted) {
        // As one query: it commits as a whole, or not at all.
        await client.query(transaction(states, mine, options, random));
        counts.transactions++;
        await sleep(pauseMs * 2 * random.next());
      }
    } catch (error) {
      if (!isOutage(error)) throw error;
      if (connected) counts.lostConnections++;
      await sleep(100);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

/** The connection was lost or refused, or the server is going or coming (class 57); anything else it says is our mistake. */
function isOutage(error: unknown): boolean {
  return !(error instanceof pg.DatabaseError) || (error.code ?? '').startsWith('57');
}

/** Mostly a few changes, now and then many, now and then several of one key. */
function transaction(states: Map<number, KeyState>, mine: number, options: LoadOptions, random: Random): string {
  const { clients = 4, keys = 400, changes: most = 6, deletes = true } = options;
  const changes = random.next() < 0.02 ? random.between(100, 300) : random.between(1, most);
  const statements = Array.from({ length: changes }, () => {
    const id = random.between(0, Math.floor(keys / clients) - 1) * clients + mine;
    const { version: last = 0, alive = false } = states.get(id) ?? {};
    const version = last + 1;
    const gone = alive && deletes && random.next() < 0.15;
    states.set(id, { version, alive: !gone });
    if (!alive) return `insert into items values (${id}, ${version}, repeat(md5('${id}'), 4));`;
    return gone ? `delete from items where id = ${id};` : `update items set version = ${version} where id = ${id};`;
  });
  return statements.join('\n');
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
