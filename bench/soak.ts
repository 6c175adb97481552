/**
 * `node bench/soak.ts [--minutes 60] [--rows-per-second 150] [--event-seconds 30] [--exactly-once]`: a worker under steady load while
 * its tables, its sessions and its connector change under it at random moments; a line each 30 s of what it holds and
 * how far it is behind. At the end the topics, applied in order, have to be the tables. SIGINT ends it early, and well.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import pg from 'pg';

import { createRandom, seedNote } from '../test/chaos/seed.ts';
import { sourceConfig } from '../test/chaos/source-config.ts';
import { until } from '../test/chaos/until.ts';
import { startKafka } from '../test/services/kafka.ts';
import { startMillrace } from '../test/services/millrace.ts';
import { createDatabase, startPostgres } from '../test/services/postgres.ts';
import { putConnector } from './cluster-worker.ts';
import { megabytes } from './idle.ts';
import { table } from './part.ts';
import { cpuSeconds, peakRssBytes, rssBytes } from './proc.ts';
import { runSoakEvents } from './soak-events.ts';
import { createSoakLoad } from './soak-load.ts';
import { readSoakTopics } from './soak-topics.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    'rows-per-second': { type: 'string', default: '150' },
    'event-seconds': { type: 'string', default: '30' },
    'exactly-once': { type: 'boolean', default: false },
  },
});
const minutes = Number(values.minutes);
const rowsPerSecond = Number(values['rows-per-second']);
const exactlyOnce = values['exactly-once'];
const sampleMs = 30_000;
const name = 'soak';

const ending = new AbortController();
process.once('SIGINT', () => ending.abort());
process.once('SIGTERM', () => ending.abort());

await using stack = new AsyncDisposableStack();
const kafka = stack.use(await startKafka({ private: true }));
const postgres = stack.use(await startPostgres({ private: true }));
const database = stack.use(await createDatabase(postgres));
const connect = async (): Promise<pg.Client> => {
  const client = new pg.Client({ connectionString: database.url, application_name: 'soak' });
  await client.connect();
  return stack.adopt(client, () => client.end());
};
const [loading, acting, looking] = [await connect(), await connect(), await connect()];
await acting.query('create table signals (id varchar(64) primary key, type varchar(32) not null, data text)');
const load = await createSoakLoad(loading, rowsPerSecond, createRandom('soak load'));

const worker = stack.use(
  await startMillrace({
    brokers: kafka.brokers,
    group: 'soak',
    ...(exactlyOnce && { properties: { 'exactly.once.source.support': 'enabled' } }),
  }),
);
const config = sourceConfig(name, database, {
  'table.include.list': 'public.soak_.*',
  'publication.autocreate.mode': 'all_tables',
  'signal.data.collection': 'public.signals',
  'incremental.snapshot.chunk.size': '100',
  'snapshot.mode': 'initial',
  'skipped.operations': 'none',
  'heartbeat.interval.ms': '5000',
  'topic.creation.default.partitions': '1',
  ...(exactlyOnce && { 'exactly.once.support': 'required' }),
});
await putConnector(worker.url, name, config);
const topics = stack.use(readSoakTopics(kafka.brokers, name, exactlyOnce));
const { figures } = topics;
const initialRows = load.tables.reduce((sum, { ids }) => sum + ids.length, 0);
await until('the snapshot is in the topics', () => figures.read >= initialRows);

console.log(`${minutes} minutes, ${rowsPerSecond} rows/s, ${exactlyOnce ? 'exactly once' : 'at least once'}; ${seedNote}\n`);
console.log('minute  RSS MB  heap MB  buffers MB  committed  in topics  behind  r  repeated  worst lag s  retained MB');
const begin = performance.now();
const cpuBefore = cpuSeconds(worker.pid);
const minute = (): string => ((performance.now() - begin) / 60_000).toFixed(1).padStart(6);
const troubles: string[] = [];
const trouble = (text: string): void => {
  troubles.push(text);
  console.log(`${minute()}  TROUBLE ${text}`);
};
const lastWord = (error: unknown): void => {
  trouble(String(error));
  ending.abort();
};
const samples: { rss: number; heap: number; behind: number; retained: number; lag: number }[] = [];
const counts = new Map<string, number>();
const running = load.run().catch(lastWord);
const events = runSoakEvents(
  {
    ...{ worker, name, config, load, client: acting, random: createRandom('soak events'), signal: ending.signal },
    everyMs: Number(values['event-seconds']) * 1_000,
    say: (text) => console.log(`${minute()}    ${text}`),
  },
  counts,
).catch(lastWord);
const timer = setTimeout(() => ending.abort(), minutes * 60_000);
while (!ending.signal.aborted) {
  await sleep(sampleMs, undefined, { signal: ending.signal }).catch(() => undefined);
  await sample().catch((error: unknown) => trouble(`no sample: ${String(error)}`));
}
clearTimeout(timer);
await Promise.all([events, load.finish().then(waitForLast, lastWord), running]);
await sample();
await compare();
for (const [what, { count, example }] of figures.problems) trouble(`${what}: ${count}, such as ${example}`);
report();
if (troubles.length > 0) process.exitCode = 1;

async function sample(): Promise<void> {
  const metrics = await (await fetch(`${worker.url}/metrics`)).text();
  const of = (metric: string): number => Number(new RegExp(`^${metric}\\{[^}]*\\} ([\\d.e+]+)$`, 'm').exec(metrics)?.[1] ?? 0);
  const { rows } = await looking.query<{ retained: string }>(
    'select pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn) as retained from pg_replication_slots',
  );
  const [rss, heap, buffers] = [rssBytes(worker.pid), of('millrace_task_heap_bytes'), of('millrace_task_buffer_bytes')];
  const committed = load.changes;
  const { changes, read, repeated, worstLagMs } = figures;
  const behind = committed - changes;
  const retained = Number(rows[0]?.retained ?? 0);
  figures.worstLagMs = 0;
  samples.push({ rss, heap, behind, retained, lag: worstLagMs });
  const line = [...[rss, heap, buffers].map(megabytes), committed, changes, behind, read, repeated];
  console.log(`${minute()}  ${line.join('  ')}  ${(worstLagMs / 1_000).toFixed(1)}  ${(retained / 1e6).toFixed(1)}`);
  const { connector, tasks } = await worker.status(name);
  for (const { state, trace } of [connector, ...tasks]) if (state === 'FAILED') trouble(`FAILED: ${trace}`);
  if (tasks.some(({ state }) => state === 'FAILED')) await worker.request('POST', `/connectors/${name}/tasks/0/restart`);
}

/** One partition each: what came before the last row is there, too. */
async function waitForLast(last: ReadonlyMap<string, number>): Promise<void> {
  await worker.request('PUT', `/connectors/${name}/resume`);
  await until('the last rows are in the topics', () => [...last].every(([each, id]) => topics.rows(each).has(id))).catch(lastWord);
}

async function compare(): Promise<void> {
  let compared = 0;
  for (const { name: each } of load.tables) {
    const { rows } = await looking.query<Record<string, unknown>>(`select * from ${each}`);
    const applied = topics.rows(each);
    if (rows.length !== applied.size) trouble(`${each} has ${rows.length} rows, its topic ${applied.size}`);
    for (const row of rows) {
      const other = applied.get(row['id'] as number);
      // A column may have been changed from numbers to strings since, without a change of the row.
      const differs = Object.keys(row).find((column) => String(row[column] ?? null) !== String(other?.[column] ?? null));
      if (differs !== undefined)
        trouble(`${each}.${differs} of ${JSON.stringify(row)} is otherwise in the topic: ${JSON.stringify(other)}`);
      compared++;
    }
  }
  console.log(`\n${compared} rows of ${load.tables.length} tables compared`);
}

function report(): void {
  const lags = figures.lagsMs.sort((a, b) => a - b);
  const lag = (share: number): string => `${((lags[Math.floor((lags.length - 1) * share)] ?? 0) / 1_000).toFixed(2)} s`;
  const most = (key: keyof (typeof samples)[0]): number => Math.max(...samples.map((each) => each[key]));
  const mean = (part: typeof samples): string => megabytes(part.reduce((sum, { rss }) => sum + rss, 0) / Math.max(1, part.length));
  const third = Math.ceil(samples.length / 3);
  const cpu = ((cpuSeconds(worker.pid) - cpuBefore) * 100_000) / (performance.now() - begin);
  const rows = [
    ['length', `${minute().trim()} minutes, ${exactlyOnce ? 'exactly once' : 'at least once'}`],
    ['changes committed, found in the topics', `${load.changes}, ${figures.changes}`],
    ['rows of snapshots; changes that came again', `${figures.read}; ${figures.repeated}`],
    [
      'RSS at first, at last, peak',
      `${megabytes(samples[0]!.rss)}, ${megabytes(samples.at(-1)!.rss)}, ${megabytes(peakRssBytes(worker.pid))} MB`,
    ],
    [
      'RSS, mean of each third',
      `${[samples.slice(0, third), samples.slice(third, -third), samples.slice(-third)].map(mean).join(', ')} MB`,
    ],
    ["the task's heap, highest", `${megabytes(most('heap'))} MB`],
    ['commit → read, p50, p99, worst (pauses and restarts included)', [0.5, 0.99, 1].map(lag).join(', ')],
    ['furthest behind at a sample', `${most('behind')} changes, ${(most('retained') / 1e6).toFixed(1)} MB of WAL unconfirmed`],
    ['CPU of the worker', `${cpu.toFixed(1)} % of a core`],
    ['events', [...counts].map(([event, count]) => `${count} × ${event}`).join(', ')],
    ['verdict', troubles.length === 0 ? 'topics and tables equal' : `${troubles.length} troubles`],
  ];
  console.log(`\n${table(['figure', 'measured'], rows).join('\n')}`);
}
