/**
 * What source-postgres costs for each row, its records drained and not looked at: the stream of a six-column
 * table, and its snapshot. `node bench/source-postgres.ts [rows]` (500,000); `--json` also turns each record into JSON;
 * `--snapshot=1,2` only reads snapshots, with so many readers each (`snapshot.max.threads`).
 */
import pg from 'pg';

import { ByteSink } from '../runtime/api/index.ts';
import type { SourceTask } from '../runtime/api/index.ts';
import jsonConverter from '../runtime/converters/json/json-converter.ts';
import { rawConfig, configValues } from '../connectors/source-postgres/test/harness.ts';
import source from '../connectors/source-postgres/index.ts';
import { startPostgres } from '../test/services/postgres.ts';

const rows = Number(process.argv[2] ?? 500_000);
const json = process.argv.includes('--json');
const readers = process.argv
  .find((arg) => arg.startsWith('--snapshot='))
  ?.slice('--snapshot='.length)
  .split(',');
const silent = { debug() {}, info() {}, warn: console.error, error: console.error };

const converter = jsonConverter.create({ 'schemas.enable': false }, 'value');
const out = new ByteSink(1 << 20);

async function drain(task: SourceTask, wanted: number): Promise<string> {
  const signal = new AbortController().signal;
  let seen = 0;
  let peak = 0;
  let polls = 0;
  const sampler = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 50);
  let began: bigint | undefined;
  let cpu = process.cpuUsage();
  while (seen < wanted) {
    const records = await task.poll(signal);
    if (records.length > 0) began ??= process.hrtime.bigint();
    else if (began === undefined) cpu = process.cpuUsage();
    seen += records.length;
    if (json) {
      for (const record of records) {
        if (out.position > 500_000) out.clear();
        converter.write(record.topic, record.valueSchema, record.value, out);
      }
    }
    polls++;
  }
  clearInterval(sampler);
  const seconds = Number(process.hrtime.bigint() - (began ?? 0n)) / 1e9;
  const { user, system } = process.cpuUsage(cpu);
  const us = ((user + system) / seen).toFixed(2);
  return `${Math.round(seen / seconds).toLocaleString('en')} rows/s, ${us} µs of CPU per row, user ${(user / seen).toFixed(2)}, ${Math.round(seen / polls)} rows per poll, peak RSS ${Math.round(peak / 1e6)} MB`;
}

await using server = await startPostgres({ private: true, flags: ['-c', 'max_wal_size=4GB'] });
const client = new pg.Client({ connectionString: server.url });
await client.connect();
await client.query(`create table orders (id serial primary key, customer_id int, status text, amount numeric(12,2), note text,
  created_at timestamptz default now())`);

async function load(): Promise<void> {
  await client.query(`do $$ begin for b in 1..${Math.ceil(rows / 1000)} loop
    insert into orders (customer_id, status, amount, note)
    select (random() * 100000)::int, 'new', (random() * 1000)::numeric(12,2), md5(i::text) from generate_series(1, 1000) i;
    commit; end loop; end $$`);
}

const raw = rawConfig(server, { 'slot.name': 'bench', 'snapshot.mode': 'no_data', 'poll.interval.ms': '500' });
const start = (more: Record<string, string>): Promise<SourceTask> =>
  source.start(configValues({ ...raw, ...more }), {
    connector: 'bench',
    task: 0,
    rawConfig: { ...raw, ...more },
    signal: new AbortController().signal,
    log: silent,
    fail: console.error,
    offsets: async () => [undefined],
  });

await client.query('create publication pub for table orders');
await client.query(`select pg_create_logical_replication_slot('bench', 'pgoutput')`);
await load();
const rounds = readers === undefined ? [1, 2, 3] : [];
for (const round of rounds) {
  if (round > 1) await load();
  await using task = await start({});
  console.log(`stream ${round}: ${await drain(task, rows)}`);
  // The slot stands where the next round begins.
  await task[Symbol.asyncDispose]();
  await client.query(`select pg_replication_slot_advance('bench', pg_current_wal_lsn())`);
}
const inTable = rows * Math.max(1, rounds.length);
for (const threads of readers ?? ['1']) {
  await using task = await start({ 'snapshot.mode': 'initial_only', 'snapshot.max.threads': threads });
  console.log(`snapshot, ${threads} readers: ${await drain(task, inTable)}`);
}
await client.end();
