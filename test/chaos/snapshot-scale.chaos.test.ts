/**
 * A large snapshot in small: three tables, read by several connections, with load going on, and the worker killed twice
 * in it. The topics, applied in order, are the tables.
 *
 * With `--full` 20 million rows, or as many as MILLRACE_ROWS says.
 */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';

import { startMillrace } from '../services/millrace.ts';
import type { MillraceServer } from '../services/millrace.ts';
import { createDatabase } from '../services/postgres.ts';
import { usePostgres } from '../services/share.ts';
import { closeGate, connect, createScaleTables, gateSelect, gateTable, scaleTables, startScaleLoad } from './scale-tables.ts';
import { judge } from './scale-verdict.ts';
import { createRandom, isFull, seedNote } from './seed.ts';
import { sourceConfig } from './source-config.ts';
import { embeddedTopicReader } from './topic-reader.ts';
import { until } from './until.ts';

const rows = Number(process.env['MILLRACE_ROWS'] ?? (isFull ? 20_000_000 : 40_000));
/** Of all rows; how much was in the topics at each kill. */
const killedBetween = [
  [5, 45],
  [50, 90],
] as const;
const waitMs = 60 * 60_000;

test(`${rows} rows in three tables, killed twice, with load going on`, { timeout: 3 * waitMs }, async (t) => {
  t.diagnostic(seedNote);
  const random = createRandom('snapshot scale');
  await using database = await createDatabase(await usePostgres(), 'scale');
  await createScaleTables(database.url, rows);
  const id = `scale_${randomBytes(4).toString('hex')}`;
  const topicOf = (table: string): string => `${id}.public.${table}`;
  await using worker = await startMillrace();
  const reader = embeddedTopicReader(join(worker.folder, 'log'));
  const tables = [...scaleTables, gateTable].map((table) => `public.${table}`);
  const config = sourceConfig(id, database, {
    'table.include.list': tables.join(','),
    'publish.via.partition.root': 'true',
    'snapshot.mode': 'initial',
    'snapshot.max.threads': '3',
    'snapshot.select.statement.overrides': `public.${gateTable}`,
    [`snapshot.select.statement.overrides.public.${gateTable}`]: gateSelect,
    'topic.creation.default.partitions': '1',
  });

  const inTopics = async (): Promise<number> => {
    const counts = await Promise.all(scaleTables.map((table) => reader.count(topicOf(table))));
    return counts.reduce((sum, count) => sum + count, 0);
  };
  const kills: string[] = [];
  await using load = startScaleLoad(database.url, rows, isFull ? 5 : 20);
  {
    await using _gate = await closeGate(database.url);
    await worker.put(id, config);
    await until('the summary tells how far the snapshot is', async () => (await snapshotReport(worker, id))?.tables === tables.length);
    for (const [from, to] of killedBetween) {
      const wanted = Math.floor((rows * random.between(from, to)) / 100);
      await until(`${wanted} rows are in the topics`, async () => (await inTopics()) >= wanted, waitMs, 20);
      await worker.kill('SIGKILL');
      kills.push(`${await inTopics()} rows`);
      await worker.restart();
    }
  }
  await until('the snapshot is done', () => /snapshot: done/.test(worker.logTail(10_000)), waitMs);
  await load.stop();
  const end = await walEnd(database.url);
  await until('all changes are stored', () => isConfirmed(database.url, id, end), waitMs);
  deepEqual(await troubles(worker, id), []);

  const resumed = worker.logTail(100_000).match(/snapshot: going on after (\d+) rows/g) ?? [];
  const peakBefore = process.memoryUsage().rss;
  const verdict = await judge(database.url, reader, topicOf);
  t.diagnostic(
    `killed at ${kills.join(' and ')}; ${load.transactions} transactions meanwhile; ${verdict.arrived} records, ${verdict.read} of them r, ` +
      `${verdict.byStreamAlone} rows by the stream alone; this process grew by ${Math.round((process.memoryUsage().rss - peakBefore) / 1e6)} MB`,
  );
  deepEqual(verdict.problems, []);
  equal(verdict.moments, 1, 'the snapshot was gone on with, not begun anew');
  ok(resumed.length >= killedBetween.length, 'both kills were in the snapshot');
  ok(verdict.read > rows / 2);
});

/** What the connector's summary says of the snapshot, beside a state that is well. */
async function snapshotReport(worker: MillraceServer, name: string): Promise<{ readonly tables: number } | undefined> {
  const all = (await worker.request('GET', '/connectors?expand=summary')) as Readonly<
    Record<string, { readonly summary: { readonly state: string; readonly reports?: Readonly<Record<string, Report>> } }>
  >;
  const { state, reports } = all[name]?.summary ?? {};
  return state === 'healthy' ? reports?.['0']?.snapshot : undefined;
}

interface Report {
  readonly snapshot?: { readonly tables: number };
}

async function walEnd(url: string): Promise<string> {
  await using client = await connect(url);
  const { rows: found } = await client.query<{ lsn: string }>('select pg_current_wal_insert_lsn() as lsn');
  return found[0]?.lsn ?? '';
}

/** Everything before `lsn` is in the log, and the server was told so. */
async function isConfirmed(url: string, slot: string, lsn: string): Promise<boolean> {
  await using client = await connect(url);
  const { rows: found } = await client.query<{ done: boolean }>(
    'select confirmed_flush_lsn >= $2::pg_lsn as done from pg_replication_slots where slot_name = $1',
    [slot, lsn],
  );
  return found[0]?.done === true;
}

async function troubles(worker: MillraceServer, name: string): Promise<string[]> {
  const { connector, tasks } = await worker.status(name);
  return [connector, ...tasks].filter(({ state }) => state !== 'RUNNING').map(({ state, trace }) => trace ?? state);
}
