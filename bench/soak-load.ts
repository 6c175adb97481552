/** The tables of the soak, and one client that changes them steadily and slowly: it knows what it has committed. */
import { setTimeout as sleep } from 'node:timers/promises';

import type pg from 'pg';

import type { Random } from '../test/chaos/seed.ts';

export interface SoakTable {
  readonly name: string;
  /** Of the rows that are there. */
  readonly ids: number[];
  readonly keptRows: number;
  nextId: number;
  /** Added columns, each under a name that never comes back: the topic's older rows have none of it. */
  readonly extras: string[];
  amountType: (typeof amountTypes)[number];
}

/** A value of each is written alike in JSON but for the quotes. */
const amountTypes = ['int', 'bigint', 'text'] as const;
const ticksPerSecond = 5;
const mostTables = 10;

export interface SoakLoad {
  readonly tables: readonly SoakTable[];
  /** Creates, updates, deletes and truncates that the topics have to have; a changed key is a delete and a create. */
  readonly changes: number;
  /** Resolves when it is finished. Rejects with whatever the client could not get over. */
  run(): Promise<void>;
  /** Runs between two transactions of the load. Each says what it did. */
  createTable(): Promise<string>;
  alterTable(): Promise<string>;
  truncate(): Promise<string>;
  /** Ends the load with a last row for each table: table → id. */
  finish(): Promise<ReadonlyMap<string, number>>;
}

/** Makes the first two tables, whose rows are there before it runs. */
export async function createSoakLoad(client: pg.Client, rowsPerSecond: number, random: Random): Promise<SoakLoad> {
  const tables: SoakTable[] = [];
  const stopping = new AbortController();
  let changes = 0;
  let extras = 0;
  let turn: Promise<unknown> = Promise.resolve();

  const pick = <T>(from: readonly T[]): T => from[random.between(0, from.length - 1)]!;
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };

  async function addTable(keptRows: number, identity: 'full' | 'default'): Promise<string> {
    const table: SoakTable = { name: `soak_${tables.length + 1}`, ids: [], keptRows, nextId: 1, extras: [], amountType: 'int' };
    await client.query(`create table ${table.name} (id int primary key, version int not null, note text, amount int);
      alter table ${table.name} replica identity ${identity}`);
    tables.push(table);
    return `created ${table.name}, replica identity ${identity}`;
  }

  function insert(table: SoakTable): string {
    const id = table.nextId++;
    table.ids.push(id);
    changes++;
    const names = ['id', 'version', 'note', 'amount', ...table.extras];
    const values = [id, 1, `'note ${id}'`, amount(table), ...table.extras.map(() => random.between(1, 1e9))];
    return `insert into ${table.name} (${names.join(', ')}) values (${values.join(', ')});`;
  }

  const amount = ({ amountType }: SoakTable): string => `${random.between(1, 1e9)}::${amountType}`;

  function remove(table: SoakTable): number {
    const at = random.between(0, table.ids.length - 1);
    const id = table.ids[at]!;
    table.ids[at] = table.ids.at(-1)!;
    table.ids.pop();
    return id;
  }

  function change(table: SoakTable): string {
    const full = table.ids.length / table.keptRows;
    const dice = random.next();
    if (table.ids.length === 0 || dice < 0.35 - 0.2 * Math.min(full, 1)) return insert(table);
    if (dice < 0.5 && full > 0.5) {
      changes++;
      return `delete from ${table.name} where id = ${remove(table)};`;
    }
    if (dice > 0.95) {
      const id = table.nextId++;
      const old = remove(table);
      table.ids.push(id);
      changes += 2;
      return `update ${table.name} set id = ${id}, version = 1 where id = ${old};`;
    }
    changes++;
    const sets = table.extras.map((column) => `, ${column} = ${random.between(1, 1e9)}`).join('');
    return `update ${table.name} set version = version + 1, amount = ${amount(table)}${sets} where id = ${pick(table.ids)};`;
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await alone(async () => {
        const statements = Array.from({ length: Math.max(1, Math.round(rowsPerSecond / ticksPerSecond)) }, () => change(pick(tables)));
        // As one query it is one transaction.
        await client.query(statements.join('\n'));
      });
      await sleep(1_000 / ticksPerSecond);
    }
  }

  await addTable(2_000, 'full');
  await addTable(2_000, 'default');
  for (const table of tables) await client.query(Array.from({ length: 1_500 }, () => insert(table)).join('\n'));
  // The snapshot has these.
  changes = 0;
  let running: Promise<void> | undefined;

  return {
    tables,
    run: () => (running ??= run()),
    get changes() {
      return changes;
    },
    createTable: () =>
      alone(async () => (tables.length >= mostTables ? 'tables enough' : addTable(500, random.next() < 0.5 ? 'full' : 'default'))),
    alterTable: () => alone(() => alter(pick(tables))),
    truncate: () =>
      alone(async () => {
        const table = pick(tables);
        await client.query(`truncate ${table.name}`);
        const rows = table.ids.length;
        table.ids.length = 0;
        changes++;
        return `truncated ${table.name}, ${rows} rows`;
      }),
    async finish() {
      stopping.abort();
      await running;
      const last = new Map<string, number>();
      for (const table of tables) {
        await client.query(insert(table));
        last.set(table.name, table.nextId - 1);
      }
      return last;
    },
  };

  async function alter(table: SoakTable): Promise<string> {
    const dice = random.next();
    if (dice < 0.3) {
      table.amountType = amountTypes[(amountTypes.indexOf(table.amountType) + 1) % amountTypes.length]!;
      await client.query(`alter table ${table.name} alter column amount type ${table.amountType} using amount::${table.amountType}`);
      return `${table.name}.amount is ${table.amountType}`;
    }
    if (table.extras.length > 2 || (dice > 0.75 && table.extras.length > 0)) {
      const column = table.extras.splice(random.between(0, table.extras.length - 1), 1)[0]!;
      await client.query(`alter table ${table.name} drop column ${column}`);
      return `dropped ${table.name}.${column}`;
    }
    const column = `extra_${++extras}`;
    table.extras.push(column);
    await client.query(`alter table ${table.name} add column ${column} int`);
    return `added ${table.name}.${column}`;
  }
}
