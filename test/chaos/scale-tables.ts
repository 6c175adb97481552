/** Three large tables, and clients that change them while they are read: one with a key, one of partitions, one without a key. */
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { createRandom } from './seed.ts';

export const scaleTables = ['wide', 'parts', 'keyless'] as const;
export type ScaleTable = (typeof scaleTables)[number];

/** A row that cannot be read before somebody lets it: so long, no snapshot that reads this table last comes to its end. */
export const gateTable = 'gate';
const gateLock = 77_001;
export const gateSelect = `select gate.* from public.gate, pg_advisory_lock_shared(${gateLock}) as opened`;

/** How many of all rows each has. */
const shares: Readonly<Record<ScaleTable, number>> = { wide: 0.5, parts: 0.3, keyless: 0.2 };

export const rowsOf = (table: ScaleTable, rows: number): number => Math.floor(rows * shares[table]);

const columns = 'id bigint not null, version int not null, note text';
const made = `create table wide (${columns}, primary key (id));
create table parts (${columns}, primary key (id)) partition by hash (id);
create table parts_a partition of parts for values with (modulus 3, remainder 0);
create table parts_b partition of parts for values with (modulus 3, remainder 1);
create table parts_c partition of parts for values with (modulus 3, remainder 2);
create table keyless (${columns});
alter table keyless replica identity full;
create table gate (id int primary key);
insert into gate values (1);`;

/** Ids from 1 on, all of version 1. */
export async function createScaleTables(url: string, rows: number): Promise<void> {
  await using client = await connect(url);
  await client.query(made);
  for (const table of scaleTables) {
    await client.query(`insert into ${table} select id, 1, md5(id::text) from generate_series(1, ${rowsOf(table, rows)}) id`);
  }
  // Not unique: nobody may take it for a key.
  await client.query('create index on keyless (id)');
  await client.query('analyze');
}

export async function closeGate(url: string): Promise<AsyncDisposable> {
  const client = await connect(url);
  await client.query(`select pg_advisory_lock(${gateLock})`);
  return client;
}

export interface ScaleLoad extends AsyncDisposable {
  readonly transactions: number;
  /** Resolves when the last transaction is done; rejects with what a client could not get over. */
  stop(): Promise<void>;
}

const clients = 3;

/** Each client has its own ids, so that none waits for another; no id comes back once its row was deleted. */
export function startScaleLoad(url: string, rows: number, pauseMs: number): ScaleLoad {
  const stopping = new AbortController();
  let transactions = 0;
  const running = Array.from({ length: clients }, (_, mine) => runClient(mine));
  for (const each of running) each.catch(() => stopping.abort());

  async function runClient(mine: number): Promise<void> {
    const random = createRandom(`scale load ${mine}`);
    await using client = await connect(url);
    for (let count = 1; !stopping.signal.aborted; count++) {
      await client.query('begin');
      for (const table of scaleTables) {
        const known = rowsOf(table, rows);
        const ids = Array.from({ length: 4 }, () => random.between(1, Math.ceil(known / clients)) * clients + mine);
        await client.query(`update ${table} set version = version + 1, note = md5(note) where id = any($1)`, [ids.slice(1)]);
        await client.query(`delete from ${table} where id = $1`, [ids[0]]);
        await client.query(`insert into ${table} values ($1, 1, 'new')`, [known + clients * (count + 1) + mine]);
        if (random.next() < 0.2) {
          const added = known + clients * (random.between(1, count) + 1) + mine;
          await client.query(`update ${table} set version = version + 1, note = 'changed' where id = $1`, [added]);
        }
      }
      await client.query(random.next() < 0.05 ? 'rollback' : 'commit');
      transactions++;
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  const stop = async (): Promise<void> => {
    stopping.abort();
    await Promise.all(running);
  };
  return {
    get transactions() {
      return transactions;
    },
    stop,
    [Symbol.asyncDispose]: () => stop().catch(() => undefined),
  };
}

export async function connect(url: string): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}
