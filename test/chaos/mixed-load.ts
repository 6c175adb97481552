/**
 * Clients whose transactions hold all sorts of things, a few changes or hundreds, for a moment or for a while: changes
 * of several tables, of keys, subtransactions that are kept or taken back; some are rolled back as a whole. Each
 * sends its statements one by one, so that the transactions of all lie mixed in the WAL.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { keyed, keyless } from './mixed-tables.ts';
import { createRandom } from './seed.ts';
import type { Random } from './seed.ts';

export interface MixedLoadOptions {
  readonly url: string;
  /** Keys of each table that the load changes: 0 … keys - 1, each of one client. */
  readonly keys: number;
  readonly clients?: number;
  /** How long each client rests between two transactions, on average. */
  readonly pauseMs: number;
  /** The most changes of a large transaction; 300 if left out. */
  readonly large?: number;
}

export interface MixedLoad extends AsyncDisposable {
  readonly transactions: number;
  readonly rollbacks: number;
  /** Resolves when the last transaction is done. Rejects with what a client could not do. */
  stop(): Promise<void>;
}

interface KeyState {
  readonly version: number;
  readonly alive: boolean;
}

/** What a client's keys are at; a transaction works on a copy, which is kept or thrown away. */
class Keys {
  readonly #states: Map<number, KeyState>;
  constructor(states: Iterable<readonly [number, KeyState]>) {
    this.#states = new Map(states);
  }
  copy(): Keys {
    return new Keys(this.#states);
  }
  of(key: number): KeyState {
    return this.#states.get(key) ?? { version: 0, alive: false };
  }
  set(key: number, version: number, alive: boolean): void {
    this.#states.set(key, { version, alive });
  }
}

type Tables = Record<typeof keyed | typeof keyless, Keys>;
const copyOf = (tables: Tables): Tables => ({ items: tables.items.copy(), loose: tables.loose.copy() });

export function startMixedLoad(options: MixedLoadOptions): MixedLoad {
  const { clients = 4 } = options;
  const stopping = new AbortController();
  const counts = { transactions: 0, rollbacks: 0 };
  const running = Array.from({ length: clients }, (_, client) => runClient(client, clients, options, counts, stopping.signal));
  for (const each of running) each.catch(() => stopping.abort());
  const stop = async (): Promise<void> => {
    stopping.abort();
    await Promise.all(running);
  };
  return {
    get transactions() {
      return counts.transactions;
    },
    get rollbacks() {
      return counts.rollbacks;
    },
    stop,
    [Symbol.asyncDispose]: () => stop().catch(() => undefined),
  };
}

async function runClient(
  mine: number,
  clients: number,
  options: MixedLoadOptions,
  counts: { transactions: number; rollbacks: number },
  signal: AbortSignal,
): Promise<void> {
  const random = createRandom(`mixed client ${mine}`);
  const client = new pg.Client({ connectionString: options.url });
  client.on('error', () => {});
  await client.connect();
  try {
    let tables = await readStates(client, mine, clients);
    const key = (): number => random.between(0, Math.floor(options.keys / clients) - 1) * clients + mine;
    while (!signal.aborted) {
      const after = copyOf(tables);
      await client.query('begin');
      await transaction(client, after, key, random, options.large ?? 300);
      const back = random.next() < 0.1;
      await client.query(back ? 'rollback' : 'commit');
      if (back) counts.rollbacks++;
      else [tables, counts.transactions] = [after, counts.transactions + 1];
      await sleep(options.pauseMs * 2 * random.next());
    }
  } finally {
    await client.end();
  }
}

async function readStates(client: pg.Client, mine: number, clients: number): Promise<Tables> {
  const read = async (table: string): Promise<Keys> => {
    const { rows } = await client.query<{ id: number; version: number; op: string }>(
      `select distinct on (id) id, version, op from ledger where name = $1 and id % $2 = $3 order by id, seq desc`,
      [table, clients, mine],
    );
    return new Keys(rows.map(({ id, version, op }) => [id, { version, alive: op !== 'd' }] as const));
  };
  return { items: await read(keyed), loose: await read(keyless) };
}

/** Leaves in `tables` what is true once it is committed. */
async function transaction(client: pg.Client, tables: Tables, key: () => number, random: Random, large: number): Promise<void> {
  if (random.next() < 0.04) return void (await client.query(statements(tables, random.between(large / 3, large), key, random)));
  const steps = random.between(1, 4);
  for (let step = 0; step < steps; step++) {
    if (random.next() < 0.25) await subtransaction(client, tables, key, random);
    else await client.query(statements(tables, random.between(1, 4), key, random));
    if (random.next() < 0.2) await sleep(random.between(0, 40));
  }
}

async function subtransaction(client: pg.Client, tables: Tables, key: () => number, random: Random): Promise<void> {
  await client.query('savepoint s');
  const before = copyOf(tables);
  await client.query(statements(tables, random.between(1, 5), key, random));
  const back = random.next() < 0.5;
  await client.query(back ? 'rollback to savepoint s; release savepoint s' : 'release savepoint s');
  if (back) Object.assign(tables, before);
}

function statements(tables: Tables, changes: number, key: () => number, random: Random): string {
  return Array.from({ length: changes }, () => {
    const loose = random.next() < 0.25;
    return loose ? change(keyless, tables.loose, key(), undefined, random) : change(keyed, tables.items, key(), key(), random);
  }).join('\n');
}

/** A change of the row at `id`; its key becomes `other` now and then, where that one is free. */
function change(table: string, keys: Keys, id: number, other: number | undefined, random: Random): string {
  const { version: last, alive } = keys.of(id);
  const dice = random.next();
  if (!alive) {
    keys.set(id, last + 1, true);
    return `insert into ${table} values (${id}, ${last + 1}, repeat(md5('${id}'), ${random.between(1, 4)}));`;
  }
  if (dice < 0.15) {
    keys.set(id, last + 1, false);
    return `delete from ${table} where id = ${id};`;
  }
  const target = other === undefined ? undefined : keys.of(other);
  if (dice < 0.3 && other !== undefined && target?.alive === false) {
    keys.set(id, last + 1, false);
    keys.set(other, target.version + 1, true);
    return `update ${table} set id = ${other}, version = ${target.version + 1} where id = ${id};`;
  }
  keys.set(id, last + 1, true);
  return `update ${table} set version = ${last + 1} where id = ${id};`;
}
