/**
 * What sink-postgres writes, against a bare COPY of the same rows into the same table by one connection, in one run:
 * `node bench/sink-postgres.ts [rows]` (500,000). Records come as the runtime hands them over, 500 at a time.
 */
import pg from 'pg';

import { ValueStruct, noHeaders, schemas, structSchema, timestampSchema } from '../runtime/api/index.ts';
import type { SinkRecord, SinkTask } from '../runtime/api/index.ts';
import plugin from '../connectors/sink-postgres/index.ts';
import { copyIn } from '../connectors/sink-postgres/copy-in.ts';
import { readRaw } from '../connectors/sink-postgres/raw-config.ts';
import { createDatabase, startPostgres } from '../test/services/postgres.ts';
import type { PostgresAddress } from '../test/services/postgres.ts';

const rows = Number(process.argv[2] ?? 500_000);
const rounds = 3;
const perPut = 500;

const keySchema = structSchema([['id', schemas.int64]]);
const schema = structSchema([
  ['id', schemas.int64],
  ['customer_id', schemas.int32],
  ['status', schemas.string],
  ['amount', schemas.float64],
  ['note', schemas.optionalString],
  ['created_at', timestampSchema()],
]);
const table = (name: string, key: string): string =>
  `create table ${name} (id bigint ${key}, customer_id int, status text, amount float8, note text, created_at timestamp)`;

const noteOf = (id: number): string => `${id} ${'note '.repeat(6)}`;
// Made as they are wanted, as a converter would: half a million kept ones would make garbage collection the bench.
const recordOf = (id: number): SinkRecord => ({
  topic: 'orders',
  partition: 0,
  offset: BigInt(id),
  keySchema,
  key: new ValueStruct(keySchema, [id]),
  valueSchema: schema,
  value: new ValueStruct(schema, [id, id % 1000, 'new', id / 4, noteOf(id), new Date(1.7e12 + id)]),
  timestamp: 1,
  timestampType: 'CreateTime',
  headers: noHeaders,
});
const lineOf = (id: number): string =>
  `${id}\t${id % 1000}\tnew\t${id / 4}\t${noteOf(id)}\t${new Date(1.7e12 + id).toISOString().slice(0, 23)}\n`;

interface Figure {
  readonly perSecond: number;
  readonly cpuUs: number;
}

async function timed(work: () => Promise<void>): Promise<Figure> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: rows / ((performance.now() - began) / 1000), cpuUs: (user + system) / rows };
}

async function bareCopy(client: pg.Client, name: string, lines: readonly Buffer[]): Promise<Figure> {
  await client.query(`truncate ${name}`);
  return timed(() => copyIn(client, `copy ${name} from stdin`, lines));
}

async function start(database: PostgresAddress, connector: string, more: Record<string, string>): Promise<SinkTask> {
  const raw = {
    name: connector,
    'connection.url': `jdbc:postgresql://${database.host}:${database.port}/${database.database}`,
    'connection.user': database.user,
    'connection.password': database.password,
    ...more,
  };
  const task = await plugin.start(readRaw(plugin.config, raw), {
    connector,
    task: 0,
    rawConfig: raw,
    signal: new AbortController().signal,
    log: { debug() {}, info() {}, warn: console.error, error: console.error },
    fail: (error) => console.error(error),
    assignment: () => [{ topic: 'orders', partition: 0 }],
    topicId: () => 'orders',
    seek() {},
    pause() {},
    resume() {},
    requestCommit() {},
    report: async (_record, error) => {
      throw error;
    },
  });
  await task.open?.([{ topic: 'orders', partition: 0, offset: 0n }]);
  return task;
}

async function sink(task: SinkTask): Promise<void> {
  for (let from = 0; from < rows; from += perPut) {
    await task.put(Array.from({ length: Math.min(perPut, rows - from) }, (_, i) => recordOf(from + i)));
    // The runtime polls its group between puts.
    await new Promise(setImmediate);
  }
  await task.preCommit?.([{ topic: 'orders', partition: 0, offset: BigInt(rows) }]);
}

const shown = ({ perSecond, cpuUs }: Figure): string =>
  `${Math.round(perSecond).toLocaleString('en')} rows/s, ${cpuUs.toFixed(2)} µs CPU/row`;
const median = (figures: readonly Figure[]): Figure =>
  figures.toSorted((a, b) => a.perSecond - b.perSecond)[Math.floor(figures.length / 2)] as Figure;

// Durable, as a server in use is: what is compared includes the commits.
await using server = await startPostgres({ private: true, flags: ['-c', 'max_wal_size=4GB', '-c', 'fsync=on'] });
await using database = await createDatabase(server, 'bench');
const client = new pg.Client({ connectionString: database.url });
await client.connect();
for (const [name, key] of [
  ['bare', ''],
  ['bare_key', 'primary key'],
  ['inserted', ''],
  ['upserted', 'primary key'],
] as const) {
  await client.query(table(name, key));
}

const lines: Buffer[] = [];
for (let from = 0; from < rows; from += 1000) {
  lines.push(Buffer.from(Array.from({ length: Math.min(1000, rows - from) }, (_, i) => lineOf(from + i)).join('')));
}

let peak = 0;
const sampler = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 50);
const modes = {
  insert: { bare: 'bare', raw: { 'table.name.format': 'inserted' } },
  upsert: { bare: 'bare_key', raw: { 'table.name.format': 'upserted', 'insert.mode': 'upsert', 'pk.mode': 'record_key' } },
};
for (const [mode, { bare, raw }] of Object.entries(modes)) {
  const [copies, writes]: [Figure[], Figure[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    // Alternating, so that what else the machine does meets both.
    copies.push(await bareCopy(client, bare, lines));
    await client.query(`truncate ${raw['table.name.format']}`);
    await using task = await start(database, `${mode}_${round}`, raw);
    writes.push(await timed(() => sink(task)));
  }
  const [copy, write] = [median(copies), median(writes)];
  console.log(`${mode}: ${shown(write)}; bare COPY ${shown(copy)}; ${Math.round((100 * write.perSecond) / copy.perSecond)} %`);
}
clearInterval(sampler);
console.log(`peak RSS ${Math.round(peak / 1e6)} MB`);
await client.end();
