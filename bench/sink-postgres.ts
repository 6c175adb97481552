/**
 * What sink-postgres writes, against a bare COPY of the same rows into the same table by one connection, in one run, each
 * time in a process of its own: `node bench/sink-postgres.ts [rows]` (500,000). Records come as the runtime hands them
 * over, 500 at a time; in the last line they are read by JsonConverter from JSON with schemas before. The server is durable,
 * as one in use is: what is compared includes the commits.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import pg from 'pg';

import { ByteSink, ValueStruct, noHeaders, schemas, structSchema, timestampSchema } from '../runtime/api/index.ts';
import type { Converter, SinkRecord, SinkTask, StructSchema } from '../runtime/api/index.ts';
import plugin from '../connectors/sink-postgres/index.ts';
import { copyIn } from '../connectors/sink-postgres/copy-in.ts';
import { readRaw } from '../connectors/sink-postgres/raw-config.ts';
import { createJsonConverter } from '../runtime/converters/json/json-converter.ts';
import { createDatabase, startPostgres } from '../test/services/postgres.ts';

const [first = '500000', url = '', count = first] = process.argv.slice(2);
const rows = Number(count);
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

/** As `recordOf`, from the bytes of a key and a value; a part of the records again and again, since all would fill the memory. */
function jsonRecords(): (id: number) => SinkRecord {
  // One for keys and one for values, as a task has them.
  const [keys, values] = [jsonConverter(), jsonConverter()];
  const written = (of: StructSchema, value: unknown): Buffer => {
    const out = new ByteSink();
    values.write('orders', of, value, out);
    return Buffer.from(out.written());
  };
  const texts = Array.from({ length: 10_000 }, (_, id) => {
    const { key, value } = recordOf(id);
    return { key: written(keySchema, key), value: written(schema, value) };
  });
  return (id) => {
    const text = texts[id % texts.length]!;
    const key = keys.read('orders', text.key);
    const value = values.read('orders', text.value);
    return {
      topic: 'orders',
      partition: 0,
      offset: BigInt(id),
      keySchema: key.schema,
      key: key.value,
      valueSchema: value.schema,
      value: value.value,
      timestamp: 1,
      timestampType: 'CreateTime',
      headers: noHeaders,
    };
  };
}

const jsonConverter = (): Converter =>
  createJsonConverter({ schemasEnable: true, cacheSize: 1000, decimalFormat: 'BASE64', replaceNull: true });

const lineOf = (id: number): string =>
  `${id}\t${id % 1000}\tnew\t${id / 4}\t${noteOf(id)}\t${new Date(1.7e12 + id).toISOString().slice(0, 23)}\n`;

async function start(connector: string, more: Record<string, string>): Promise<SinkTask> {
  const raw = {
    name: connector,
    'connection.url': url,
    'batch.size': '3000',
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
    async overtaken() {},
    report: async (_record, error) => {
      throw error;
    },
  });
  await task.open?.([{ topic: 'orders', partition: 0, offset: 0n }]);
  return task;
}

async function sink(task: SinkTask, record: (id: number) => SinkRecord): Promise<void> {
  for (let from = 0; from < rows; from += perPut) {
    await task.put(Array.from({ length: Math.min(perPut, rows - from) }, (_, i) => record(from + i)));
    // The runtime polls its group between puts.
    await new Promise(setImmediate);
  }
  await task.preCommit?.([{ topic: 'orders', partition: 0, offset: BigInt(rows) }]);
}

interface Subject {
  readonly name: string;
  readonly table: string;
  readonly key: string;
  /** Of the sink; left out for bare COPY. */
  readonly raw?: Readonly<Record<string, string>>;
  readonly json?: boolean;
  /** Rows of all keys are there before. */
  readonly filled?: boolean;
}

const upsert = { 'insert.mode': 'upsert', 'pk.mode': 'record_key' };
const subjects: readonly Subject[] = [
  { name: 'bare COPY', table: 'bare', key: '' },
  { name: 'sink-postgres, insert', table: 'inserted', key: '', raw: {} },
  { name: 'bare COPY, primary key', table: 'bare_key', key: 'primary key' },
  { name: 'sink-postgres, insert, primary key', table: 'inserted_key', key: 'primary key', raw: {} },
  { name: 'sink-postgres, upsert of new rows', table: 'upserted', key: 'primary key', raw: upsert },
  { name: 'sink-postgres, upsert of rows that are there', table: 'replaced', key: 'primary key', raw: upsert, filled: true },
  { name: 'sink-postgres, insert, from JSON with schemas', table: 'from_json', key: '', raw: {}, json: true },
];

interface Figures {
  readonly rowsPerSecond: number;
  readonly cpuMicrosPerRow: number;
  readonly peakRssBytes: number;
}

async function timed(work: () => Promise<void>): Promise<Figures> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return {
    rowsPerSecond: rows / ((performance.now() - began) / 1000),
    cpuMicrosPerRow: (user + system) / rows,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
  };
}

async function bareCopy({ table: name }: Subject): Promise<Figures> {
  const lines: Buffer[] = [];
  for (let from = 0; from < rows; from += 1000) {
    lines.push(Buffer.from(Array.from({ length: Math.min(1000, rows - from) }, (_, i) => lineOf(from + i)).join('')));
  }
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await timed(() => copyIn(client, `copy ${name} from stdin`, lines));
  } finally {
    await client.end();
  }
}

async function throughSink({ table: name, raw, json }: Subject): Promise<Figures> {
  await using task = await start(`bench_${name}`, { ...raw, 'table.name.format': name });
  const record = json === true ? jsonRecords() : recordOf;
  return await timed(() => sink(task, record));
}

const median = (figures: readonly Figures[]): Figures =>
  figures.toSorted((a, b) => a.rowsPerSecond - b.rowsPerSecond)[Math.floor(figures.length / 2)] as Figures;

async function compare(): Promise<void> {
  await using server = await startPostgres({ private: true, flags: ['-c', 'max_wal_size=4GB', '-c', 'fsync=on'] });
  await using database = await createDatabase(server, 'bench');
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const figures = new Map<Subject, Figures[]>(subjects.map((subject) => [subject, []]));
  const address = `postgresql://${database.user}:${database.password}@${database.host}:${database.port}/${database.database}`;
  // Round by round, so that what else the machine does meets all of them.
  for (let round = 0; round < rounds; round++) {
    for (const [subject, found] of figures) {
      const { name, table: of, key, filled } = subject;
      await client.query(`drop table if exists ${of}, millrace_sink_offsets, millrace_sink_offsets_refused`);
      await client.query(table(of, key));
      if (filled === true) await client.query(`insert into ${of} (id) select generate_series(0, ${rows - 1})`);
      await client.query('checkpoint');
      const { stdout } = await promisify(execFile)(process.execPath, [import.meta.filename, name, address, String(rows)]);
      found.push(JSON.parse(stdout) as Figures);
    }
  }
  await client.end();
  console.log('| subject | rows/s | against bare COPY | CPU per row | peak RSS |');
  console.log('| --- | --- | --- | --- | --- |');
  const limits = new Map<string, number>();
  for (const [{ name, raw, key }, found] of figures) {
    const it = median(found);
    if (raw === undefined) limits.set(key, it.rowsPerSecond);
    const limit = limits.get(key)!;
    console.log(
      `| ${name} | ${Math.round(it.rowsPerSecond).toLocaleString('en')} | ${Math.round((100 * it.rowsPerSecond) / limit)} % | ` +
        `${it.cpuMicrosPerRow.toFixed(1)} µs | ${Math.round(it.peakRssBytes / 1e6)} MB |`,
    );
  }
}

const subject = subjects.find(({ name }) => name === first);
if (subject === undefined) await compare();
else console.log(JSON.stringify(await (subject.raw === undefined ? bareCopy(subject) : throughSink(subject))));
