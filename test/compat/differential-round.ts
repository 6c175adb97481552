/** One config, a database of random tables, and a load on them, read by both connectors at the same time. */
import pg from 'pg';

import { createRandom } from '../chaos/seed.ts';
import type { Random } from '../chaos/seed.ts';
import { createDatabase } from '../services/postgres.ts';
import type { PostgresAddress } from '../services/postgres.ts';
import { compareTopics } from './differential-compare.ts';
import { randomConfig, tableConfig } from './differential-config.ts';
import type { Config } from './differential-config.ts';
import { sentinel, sides, signalTable, startPair } from './differential-pair.ts';
import type { Pair, Side } from './differential-pair.ts';
import { randomTable } from './differential-tables.ts';
import type { Table } from './differential-tables.ts';
import type { TopicSet } from './differential-topics.ts';
import { chance, pick } from './differential-literals.ts';
import { typeDefinitions } from './differential-types.ts';
import { alteration } from './differential-alterations.ts';
import { insert, transactions } from './differential-workload.ts';

export interface Site {
  /** Is told what a round is, before it fails. */
  readonly begins?: (config: Config, ddl: readonly string[]) => void;
  readonly server: PostgresAddress;
  readonly topics: TopicSet;
  /** REST addresses: Kafka Connect with Debezium, and ours. */
  readonly workers: Readonly<Record<Side, string>>;
}

export interface RoundResult {
  readonly config: Config;
  /** By table: what differs, and nothing explains. */
  readonly tables: ReadonlyMap<string, readonly string[]>;
  /** By topic of no table. */
  readonly others: readonly string[];
  readonly records: number;
  readonly ddl: readonly string[];
}

export async function runRound(site: Site, name: string, tableCount: number, from: number): Promise<RoundResult> {
  const random = createRandom(name, from);
  await using database = await createDatabase(site.server, 'differential');
  const client = new pg.Client({ connectionString: database.url });
  client.on('error', () => {});
  await client.connect();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => client.end());

  const general = randomConfig(random);
  const scope = { isBent: general['debezium.bug.compatible'] === 'true' };
  const tables = Array.from({ length: tableCount }, (_, index) => randomTable(random, index, scope));
  const ddl: string[] = [];
  const own = [
    `create table ${sentinel} (id int primary key)`,
    ...sides.map((side) => `create table ${signalTable(side)} (id varchar(64) primary key, type varchar(32) not null, data varchar(2048))`),
  ];
  for (const statement of [...typeDefinitions, ...own, ...tables.flatMap((table) => table.ddl)]) {
    await run(client, statement);
    ddl.push(statement);
  }
  for (const table of tables) for (let count = random.between(0, 4); count > 0; count--) await attempt(client, [insert(random, table)]);

  const config = { ...general, ...tableConfig(random, tables, general) };
  site.begins?.(config, ddl);
  await using pair = await startPair(site.workers, client, database, tables, config);
  const { prefix } = pair;
  const delimited = (topic: string): string => topic.replaceAll('.', config['topic.delimiter'] ?? '.');
  const ends = (side: Side, topics: readonly string[]): Promise<Map<string, number>> =>
    site.topics.ends(topics.map((topic) => prefix[side] + topic));
  let marks = 0;
  const caughtUp = async (): Promise<void> => {
    await run(client, `insert into ${sentinel} values (${++marks})`);
    await pair.wait('both have caught up', async () => {
      const found = await Promise.all(sides.map((side) => ends(side, [delimited(`.public.${sentinel}`)])));
      return found.every((counts) => (counts.values().next().value ?? 0) >= marks);
    });
  };
  await pair.streaming();
  await caughtUp();
  const ownTopics = ({ topic, partitions }: Table): string[] => [topic, ...partitions.map((each) => `.public.${each}`)].map(delimited);
  const names = tables.flatMap(ownTopics);
  const snapshots = async (side: Side): Promise<Map<string, number>> =>
    new Map([...(await ends(side, names))].map(([topic, count]) => [topic.slice(prefix[side].length), count]));
  const before = { debezium: await snapshots('debezium'), millrace: await snapshots('millrace') };

  const phases = random.between(1, 3);
  for (let phase = 0; phase < phases; phase++) {
    for (const statements of transactions(random, tables, random.between(6, 10))) await attempt(client, statements);
    await caughtUp();
    if (chance(random, 0.2)) {
      await pair.stop();
      for (const statements of transactions(random, tables, 1)) await attempt(client, statements);
      await pair.resume();
      await caughtUp();
    }
    if (config['incremental.snapshot.chunk.size'] !== undefined && chance(random, 0.7))
      await readAgain(pair, client, random, tables, ends, delimited);
    if (phase === phases - 1) continue;
    for (const table of tables) {
      if (random.next() < 0.4) {
        const { statement, done } = alteration(random, table, 20 + phase, scope);
        if (!(await attempt(client, [statement]))) continue;
        done();
        ddl.push(statement);
      }
    }
    // Not even an early look at the next rows must see a catalog that goes on.
    await caughtUp();
  }
  const [theirs, ours] = await Promise.all(sides.map((side) => site.topics.read(prefix[side])));
  if (theirs === undefined || ours === undefined) throw new Error('nothing read');
  const found = compareTopics({ messages: theirs, snapshots: before.debezium }, { messages: ours, snapshots: before.millrace }, config);
  const all = new Set(names);
  const isOwn = (topic: string): boolean => topic.includes('zz_signals');
  return {
    config,
    tables: new Map(
      tables.map((table) => [/t_?\d+/i.exec(table.topic)?.[0] ?? '', ownTopics(table).flatMap((topic) => found.get(topic) ?? [])]),
    ),
    others: [...found].flatMap(([topic, list]) => (all.has(topic) || isOwn(topic) ? [] : list)),
    records: [...theirs.values()].reduce((sum, list) => sum + list.length, 0),
    ddl,
  };
}

/** An incremental snapshot of some tables, while nothing changes. */
async function readAgain(
  pair: Pair,
  client: pg.Client,
  random: Random,
  tables: readonly Table[],
  ends: (side: Side, topics: readonly string[]) => Promise<Map<string, number>>,
  delimited: (topic: string) => string,
): Promise<void> {
  const readable = tables.filter(({ isReadable }) => isReadable);
  const chosen = [...new Set(Array.from({ length: random.between(1, 3) }, () => pick(random, readable)))].filter(Boolean);
  if (chosen.length === 0) return;
  const topics = chosen.map(({ topic }) => delimited(topic));
  const total = async (side: Side): Promise<number> => (await ends(side, topics)).values().reduce((sum, count) => sum + count, 0);
  let due = 0;
  for (const { name } of chosen) {
    const { rows } = await client.query<{ count: string }>(`select count(*) from ${name}`);
    due += Number(rows[0]?.count);
  }
  const before = { debezium: await total('debezium'), millrace: await total('millrace') };
  const missing = { debezium: due, millrace: due };
  const data = JSON.stringify({ 'data-collections': chosen.map(({ id }) => id), type: 'incremental' });
  for (const side of sides)
    await client.query(`insert into ${signalTable(side)} values (gen_random_uuid(), 'execute-snapshot', $1)`, [data]);
  await pair
    .wait(`both have read ${data} again (${chosen.flatMap(({ ddl }) => ddl).join('; ')})`, async () => {
      for (const side of sides) missing[side] = before[side] + due - (await total(side));
      return Math.max(...Object.values(missing)) <= 0;
    })
    .catch((error: Error) => {
      throw new Error(`${error.message}; still missing: ${JSON.stringify(missing)}`, { cause: error });
    });
}

async function run(client: pg.Client, statement: string): Promise<void> {
  await client.query(statement).catch((error: Error) => {
    throw new Error(`${error.message}: ${statement}`, { cause: error });
  });
}

/** Not unique; longer than an index's entry may be; null, or not of its new type; no identity any more. */
const refusals = new Set(['55000', '42P10', '23505', '54000', '23502', '22P02', '22001', '22003', '23514', '42804', '22P03']);

/** One transaction, which is undone when it is refused for the rows that there are; whether it was not. */
async function attempt(client: pg.Client, statements: readonly string[]): Promise<boolean> {
  await client.query('begin');
  try {
    for (const statement of statements) await run(client, statement);
    await client.query('commit');
    return true;
  } catch (error) {
    await client.query('rollback');
    const { code } = (error as { cause?: { code?: string } }).cause ?? {};
    if (!refusals.has(code ?? '')) throw error;
    return false;
  }
}
