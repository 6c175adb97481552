/**
 * `node bench/large-transaction.ts [--rows 10000000] [--log embedded|kafka|exactly-once] [--boundary poll|interval]`:
 * that many rows in one transaction of the database, and what the worker holds while they go through: one line every
 * few seconds, for whoever wants to see it flat. It fails when the second half needs a fifth more than the first did.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { startKafka } from '../test/services/kafka.ts';
import { startMillrace } from '../test/services/millrace.ts';
import { createDatabase, startPostgres } from '../test/services/postgres.ts';
import { putConnector } from './cluster-worker.ts';
import { megabytes } from './idle.ts';
import { debeziumConfig } from './peer-debezium.ts';
import { peakRssBytes, rssBytes } from './proc.ts';
import { createOrders } from './tables.ts';

const logs = ['embedded', 'kafka', 'exactly-once'];
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '10000000' },
    log: { type: 'string', default: 'embedded' },
    boundary: { type: 'string', default: 'poll' },
  },
});
const rows = Number(values.rows);
if (!logs.includes(values.log) || !Number.isSafeInteger(rows)) throw new Error(`--log is one of ${logs.join(', ')}, --rows a number`);
const exactlyOnce = values.log === 'exactly-once';

await using stack = new AsyncDisposableStack();
const kafka = values.log === 'embedded' ? undefined : stack.use(await startKafka({ private: true }));
const postgres = stack.use(await startPostgres({ private: true }));
const database = stack.use(await createDatabase(postgres));
await createOrders(database.url, { publication: 'large', slots: ['large'] });
const worker = stack.use(
  await startMillrace({
    ...(kafka && { brokers: kafka.brokers }),
    ...(exactlyOnce && { group: 'large', properties: { 'exactly.once.source.support': 'enabled' } }),
  }),
);
const config = {
  'provide.transaction.metadata': 'true',
  // The group commits by time then, which is several polls, and never the whole of the transaction.
  ...(exactlyOnce && { 'transaction.boundary': values.boundary, 'transaction.boundary.interval.ms': '5000' }),
  'topic.creation.default.partitions': '1',
  'topic.creation.default.replication.factor': '1',
};
const options = {
  brokers: kafka?.brokers ?? [],
  postgres: database,
  publication: 'large',
  slot: 'large',
  reads: 'stream',
  tuning: 'as shipped',
  config,
} as const;
await putConnector(worker.url, 'large', debeziumConfig(options, 'large'));

console.log(`one transaction of ${rows} rows, ${values.log}${exactlyOnce ? `, transaction.boundary=${values.boundary}` : ''}`);
const before = rssBytes(worker.pid);
const client = new pg.Client({ connectionString: database.url });
await client.connect();
const writing = performance.now();
await client.query(`insert into orders (customer_id, status, amount, note)
  select i % 100000, 'new', i % 1000, md5(i::text) from generate_series(1, ${rows}) i`);
await client.end();
console.log(`committed after ${((performance.now() - writing) / 1000).toFixed(0)} s; ${megabytes(before)} MB before\n`);

console.log('seconds  records  RSS MB  heap MB  buffers MB');
const begin = performance.now();
const halves: [first: number, second: number] = [0, 0];
// Its beginning and its end are records, too.
for (let written = 0; written < rows + 2;) {
  await sleep(2_000);
  const figures = await taskFigures();
  written = figures.written;
  const rss = rssBytes(worker.pid);
  // The first tenth warms up.
  if (written > rows / 10 && written < rows) halves[written > rows / 2 ? 1 : 0] = Math.max(halves[written > rows / 2 ? 1 : 0], rss);
  const seconds = ((performance.now() - begin) / 1000).toFixed(0).padStart(7);
  console.log(`${seconds}  ${written}  ${[rss, figures.heapBytes, figures.bufferBytes].map(megabytes).join('  ')}`);
  const failed = (await worker.status('large')).tasks.find(({ state }) => state === 'FAILED');
  if (failed) throw new Error(failed.trace);
}
const perSecond = Math.round(rows / ((performance.now() - begin) / 1000));
console.log(`\n${perSecond} rows/s; peak ${megabytes(peakRssBytes(worker.pid))} MB; halves ${halves.map(megabytes).join(' and ')} MB`);
if (halves[1] > halves[0] * 1.2) throw new Error('it grows with the transaction');

async function taskFigures(): Promise<{ written: number; heapBytes: number; bufferBytes: number }> {
  const metrics = await (await fetch(`${worker.url}/metrics`)).text();
  const of = (name: string): number => Number(new RegExp(`^${name}\\{[^}]*\\} ([\\d.e+]+)$`, 'm').exec(metrics)?.[1] ?? 0);
  return {
    written: of('kafka_connect_source_task_metrics_source_record_write_total'),
    heapBytes: of('millrace_task_heap_bytes'),
    bufferBytes: of('millrace_task_buffer_bytes'),
  };
}
