/** One config, a database of random tables, and a load on them, read by both connectors at the same time. */
import { randomBytes } from 'node:crypto';

import pg from 'pg';

import { createRandom } from '../chaos/seed.ts';
import { until } from '../chaos/until.ts';
import type { ConnectorStatus } from '../services/millrace.ts';
import { createDatabase } from '../services/postgres.ts';
import type { Database, PostgresAddress } from '../services/postgres.ts';
import { compareTopics } from './differential-compare.ts';
import { randomConfig } from './differential-config.ts';
import type { Config } from './differential-config.ts';
import { randomTable } from './differential-tables.ts';
import type { Table } from './differential-tables.ts';
import type { TopicSet } from './differential-topics.ts';
import { typeDefinitions } from './differential-types.ts';
import { alteration, insert, transactions } from './differential-workload.ts';

export interface Site {
  readonly server: PostgresAddress;
  readonly topics: TopicSet;
  /** REST addresses: Kafka Connect with Debezium, and ours. */
  readonly workers: { readonly debezium: string; readonly millrace: string };
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

const sides = ['debezium', 'millrace'] as const;
const sentinel = 'zz_sentinel';

export async function runRound(site: Site, name: string, tableCount: number): Promise<RoundResult> {
  const random = createRandom(name);
  await using database = await createDatabase(site.server, 'differential');
  const client = new pg.Client({ connectionString: database.url });
  client.on('error', () => {});
  await client.connect();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => client.end());

  const tables = Array.from({ length: tableCount }, (_, index) => randomTable(random, `t${index}`));
  const ddl: string[] = [];
  for (const statement of [...typeDefinitions, `create table ${sentinel} (id int primary key)`, ...tables.flatMap((table) => table.ddl)]) {
    await run(client, statement);
    ddl.push(statement);
  }
  for (const table of tables) for (let count = random.between(0, 4); count > 0; count--) await attempt(client, [insert(random, table)]);

  const config = randomConfig(random, tables);
  const id = randomBytes(4).toString('hex');
  const prefix = { debezium: `deb${id}`, millrace: `mil${id}` };
  for (const side of sides) {
    const whole = { ...connection(database, prefix[side], tables, config), ...config };
    await call(site.workers[side], 'PUT', `/connectors/${prefix[side]}/config`, whole);
    stack.defer(() => call(site.workers[side], 'DELETE', `/connectors/${prefix[side]}`).then(() => {}));
  }
  let marks = 0;
  const failures = async (): Promise<void> => {
    for (const side of sides) await mustRun(site.workers[side], prefix[side]);
  };
  const caughtUp = async (): Promise<void> => {
    await run(client, `insert into ${sentinel} values (${++marks})`);
    const own = sides.map((side) => `${prefix[side]}.public.${sentinel}`);
    await waitFor('both have caught up', failures, async () => {
      const ends = await site.topics.ends(own);
      return own.every((topic) => (ends.get(topic) ?? 0) >= marks);
    });
  };
  await waitFor('both stream', failures, () => bothStream(client, Object.values(prefix)));
  await caughtUp();
  const names = [...tables.flatMap(({ name: own, partitions }) => [own, ...partitions])].map((each) => `.public.${each}`);
  const snapshots = async (side: (typeof sides)[number]): Promise<Map<string, number>> => {
    const ends = await site.topics.ends(names.map((each) => prefix[side] + each));
    return new Map([...ends].map(([topic, count]) => [topic.slice(prefix[side].length), count]));
  };
  const before = { debezium: await snapshots('debezium'), millrace: await snapshots('millrace') };

  const phases = random.between(1, 3);
  for (let phase = 0; phase < phases; phase++) {
    for (const statements of transactions(random, tables, random.between(6, 10))) await attempt(client, statements);
    await caughtUp();
    if (phase === phases - 1) continue;
    for (const table of tables) {
      if (random.next() < 0.4) {
        for (const statement of alteration(random, table, 20 + phase)) {
          await run(client, statement);
          ddl.push(statement);
        }
      }
    }
    // Not even an early look at the next rows must see a catalog that goes on.
    await caughtUp();
  }
  const [theirs, ours] = await Promise.all(sides.map((side) => site.topics.read(prefix[side])));
  if (theirs === undefined || ours === undefined) throw new Error('nothing read');
  const found = compareTopics({ messages: theirs, snapshots: before.debezium }, { messages: ours, snapshots: before.millrace }, config);
  const ownTopics = (table: Table): string[] => [table.name, ...table.partitions].map((each) => `.public.${each}`);
  const all = new Set(tables.flatMap(ownTopics));
  return {
    config,
    tables: new Map(tables.map((table) => [table.name, ownTopics(table).flatMap((topic) => found.get(topic) ?? [])])),
    others: [...found].flatMap(([topic, list]) => (all.has(topic) ? [] : list)),
    records: [...theirs.values()].reduce((sum, list) => sum + list.length, 0),
    ddl,
  };
}

function connection(database: Database, prefix: string, tables: readonly Table[], config: Config): Config {
  const viaRoot = config['publish.via.partition.root'] === 'true';
  const included = tables.flatMap(({ name, partitions }) => (partitions.length > 0 && !viaRoot ? partitions : [name]));
  return {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'database.hostname': database.host,
    'database.port': String(database.port),
    'database.user': database.user,
    'database.password': database.password,
    'database.dbname': database.database,
    'topic.prefix': prefix,
    'plugin.name': 'pgoutput',
    'slot.name': prefix,
    'publication.name': prefix,
    'publication.autocreate.mode': 'filtered',
    'poll.interval.ms': '20',
    'table.include.list': [...included, sentinel].map((table) => `public.${table}`).join(),
    'topic.creation.default.partitions': '1',
    'topic.creation.default.replication.factor': '1',
  };
}

async function run(client: pg.Client, statement: string): Promise<void> {
  await client.query(statement).catch((error: Error) => {
    throw new Error(`${error.message}: ${statement}`, { cause: error });
  });
}

/** One transaction; rows that are refused undo it. */
async function attempt(client: pg.Client, statements: readonly string[]): Promise<void> {
  await client.query('begin');
  try {
    for (const statement of statements) await run(client, statement);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    // Unique, or longer than an index's entry may be.
    const { code } = (error as { cause?: { code?: string } }).cause ?? {};
    if (code !== '23505' && code !== '54000') throw error;
  }
}

async function bothStream(client: pg.Client, slots: readonly string[]): Promise<boolean> {
  const { rowCount } = await client.query(
    "select from pg_replication_slots s join pg_stat_replication r on r.pid = s.active_pid where s.slot_name = any($1) and r.state = 'streaming'",
    [slots],
  );
  return rowCount === slots.length;
}

async function call(worker: string, method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(worker + path, {
    method,
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

async function mustRun(worker: string, name: string): Promise<void> {
  const answer = await fetch(`${worker}/connectors/${name}/status`);
  if (!answer.ok) return;
  const { connector, tasks } = (await answer.json()) as ConnectorStatus;
  for (const { state, trace } of [connector, ...tasks]) {
    if (state === 'FAILED')
      throw new Error(
        `${name} failed: ${trace
          ?.split('\n')
          .filter((line) => !/^\s+(at|\.\.\.) /.test(line))
          .join(' ')}`,
      );
  }
}

/** Until it is so, or a connector has failed. */
async function waitFor(what: string, failures: () => Promise<void>, isSo: () => Promise<boolean>): Promise<void> {
  let failed: Error | undefined;
  await until(
    what,
    async () => {
      if (await isSo()) return true;
      await failures().catch((error: Error) => void (failed = error));
      return failed !== undefined;
    },
    180_000,
    100,
  );
  if (failed !== undefined) throw failed;
}
