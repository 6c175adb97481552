/**
 * A distributed worker is killed (kill -9) at random moments: in the stream, in a snapshot by several readers, in
 * incremental snapshots, with exactly-once and without; the guarantees of source-postgres hold all the same.
 */
import { deepEqual, equal } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { createDatabase } from '../services/postgres.ts';
import type { Database } from '../services/postgres.ts';
import { useKafka, usePostgres } from '../services/share.ts';
import { arrivalsOf } from './arrivals.ts';
import type { Arrival } from './arrivals.ts';
import { committedReader } from './committed-reader.ts';
import { checkGuarantees, checkStillRows } from './guarantee-check.ts';
import type { GuaranteeReport, Guarantees, Phase } from './guarantee-check.ts';
import { startKilledWorker } from './killed-worker.ts';
import type { KilledWorker } from './killed-worker.ts';
import { startMixedLoad } from './mixed-load.ts';
import { createMixedTables, firstStillKey, keyed, keyless, signalSnapshot } from './mixed-tables.ts';
import type { Filling, TableName } from './mixed-tables.ts';
import { createRandom, isFull, seedNote } from './seed.ts';
import type { Random } from './seed.ts';
import { slotIsActive } from './slot.ts';
import { sourceConfig } from './source-config.ts';
import { readTruth } from './truth.ts';
import { until } from './until.ts';

const tables = [keyed, keyless] as const;
const notices = (id: string): string => `${id}.notices`;

interface Run extends Guarantees {
  readonly t: TestContext;
  readonly id: string;
  readonly database: Database;
  readonly brokers: readonly string[];
  readonly worker: KilledWorker;
  readonly random: Random;
  /** In all, over the rounds. */
  readonly kills: number;
}

// A short run takes those that differ most from each other.
const short: readonly (readonly [Phase, boolean, number])[] = [
  ['streaming', true, 3],
  ['parallel snapshot', true, 2],
  ['incremental snapshot', false, 2],
];
const phases = ['streaming', 'parallel snapshot', 'incremental snapshot'] as const;
const full = [true, false].flatMap((exactlyOnce) => phases.map((phase) => [phase, exactlyOnce, 100] as const));

for (const [phase, exactlyOnce, kills] of isFull ? full : short) {
  test(`${kills} times kill -9, ${phase}, exactly-once ${exactlyOnce ? 'on' : 'off'}`, { timeout: 90 * 60_000 }, async (t) => {
    t.diagnostic(seedNote);
    const random = createRandom(`kills ${phase} ${exactlyOnce}`);
    const group = `kills_${randomBytes(4).toString('hex')}`;
    const { brokers } = await useKafka();
    await using worker = await startKilledWorker({ brokers, group, exactlyOnce, latestMs: 1_500 }, random);
    for (let round = 0; worker.kills < kills; round++) {
      await using database = await createDatabase(await usePostgres(), 'kills');
      const run = { t, phase, exactlyOnce, id: `${group}_${round}`, database, brokers, worker, random, kills };
      await (phase === 'streaming' ? inStream(run) : phase === 'parallel snapshot' ? inParallelSnapshot(run) : inIncrementalSnapshots(run));
    }
    t.diagnostic(`${worker.kills} kills, ${worker.early} of them before the life had written anything`);
  });
}

async function inStream(run: Run): Promise<void> {
  const { worker, database, kills } = run;
  await begin(run, [], { 'snapshot.mode': 'no_data' });
  await until('the source streams', () => slotIsActive(database.url, run.id));
  await using load = startMixedLoad({ url: database.url, keys: 400, pauseMs: isFull ? 150 : 60 });
  while (worker.kills < kills) await worker.kill(topicsOf(run));
  await load.stop();
  await conclude(run, `${load.transactions} transactions, ${load.rollbacks} rolled back`);
}

/** Several tables' worth of snapshots, one after the other, each killed until it is done, and then once more. */
async function inParallelSnapshot(run: Run): Promise<void> {
  const { worker, database, kills } = run;
  const keys = isFull ? 40_000 : 8_000;
  const wide = { from: 0, to: keys - 1, noteLength: isFull ? 1_024 : 256 };
  const fillings: Filling[] = [
    { ...wide, table: keyed },
    { ...wide, table: keyless, to: keys / 4 - 1 },
  ];
  const more = { 'snapshot.mode': 'initial', 'snapshot.max.threads': '3', 'max.batch.size': '100', 'max.queue.size': '400' };
  await createMixedTables(database.url, fillings);
  await using load = startMixedLoad({ url: database.url, keys, pauseMs: 60 });
  await putSource(run, more);
  const before = worker.kills;
  const streams = (): boolean => worker.server.logTail(100_000).includes(`streaming from replication slot "${run.id}"`);
  for (let once = false; worker.kills < kills && !once;) {
    once = streams();
    await worker.kill(topicsOf(run));
  }
  await load.stop();
  await conclude(run, `${worker.kills - before} kills; ${load.transactions} transactions, ${load.rollbacks} rolled back`);
  await worker.remove(run.id);
}

async function inIncrementalSnapshots(run: Run): Promise<void> {
  const { worker, database, kills, t, exactlyOnce } = run;
  const rows = isFull ? 4_000 : 1_000;
  const still = Array.from({ length: rows }, (_, n) => firstStillKey + n);
  await begin(
    run,
    [
      { table: keyed, from: 0, to: rows - 1, noteLength: 64 },
      { table: keyed, from: firstStillKey, to: firstStillKey + rows - 1, noteLength: 64 },
    ],
    {
      'snapshot.mode': 'no_data',
      'signal.data.collection': 'public.signals',
      'incremental.snapshot.chunk.size': '64',
      'notification.enabled.channels': 'sink',
      'notification.sink.topic.name': notices(run.id),
    },
  );
  await until('the source streams', () => slotIsActive(database.url, run.id));
  await using load = startMixedLoad({ url: database.url, keys: rows, pauseMs: 60, large: 100 });
  let signals = 0;
  const signal = (): Promise<void> => signalSnapshot(database.url, `snapshot-${++signals}`);
  await signal();
  while (worker.kills < kills) {
    if ((await completed(run)).size >= signals) await signal();
    await worker.kill(topicsOf(run));
  }
  await worker.ready();
  await until('the last snapshot is complete', async () => (await completed(run)).size >= signals, 300_000, 1_000);
  await load.stop();
  const arrived = await conclude(run, `${signals} snapshots; ${load.transactions} transactions, ${load.rollbacks} rolled back`);
  deepEqual(checkStillRows(arrived.get(keyed) ?? [], still, signals, exactlyOnce), []);
  const told = await completed(run);
  t.diagnostic(`${[...told.values()].reduce((sum, n) => sum + n, 0)} notifications that ${told.size} snapshots are complete`);
  if (exactlyOnce)
    deepEqual(
      [...told.values()],
      Array.from({ length: signals }, () => 1),
    );
}

/** Which snapshots were told of as complete, and how often. */
async function completed({ id, brokers }: Run): Promise<Map<string, number>> {
  const records = await committedReader(brokers).read(notices(id));
  const ids = records.flatMap(({ value }) => {
    const notice = JSON.parse(value ?? '{}') as { id: string; type: string };
    return notice.type === 'COMPLETED' ? [notice.id] : [];
  });
  return new Map([...Map.groupBy(ids, (each) => each)].map(([each, times]) => [each, times.length]));
}

async function begin(run: Run, fillings: readonly Filling[], more: Readonly<Record<string, string>>): Promise<void> {
  await createMixedTables(run.database.url, fillings);
  await putSource(run, more);
}

async function putSource({ id, database, worker }: Run, more: Readonly<Record<string, string>>): Promise<void> {
  await worker.put(
    id,
    sourceConfig(id, database, {
      'table.include.list': tables.map((table) => `public.${table}`).join(','),
      // Without a key nothing else keeps the changes of a row in one partition.
      'topic.creation.groups': 'one',
      'topic.creation.one.include': `.*(${keyless}|notices)`,
      'topic.creation.one.partitions': '1',
      'topic.creation.one.replication.factor': '1',
      ...more,
    }),
  );
}

const topicsOf = ({ id }: Run): string[] => tables.map((table) => `${id}.public.${table}`);

/** Waits until everything has arrived, or nothing more comes; and says what is wrong then. */
async function conclude(run: Run, did: string): Promise<ReadonlyMap<TableName, readonly Arrival[]>> {
  const { t, id, database, brokers, worker } = run;
  await worker.ready();
  const truth = await readTruth(database.url, tables);
  const reader = committedReader(brokers);
  const arrived = new Map<TableName, readonly Arrival[]>();
  const look = async (): Promise<[TableName, GuaranteeReport][]> => {
    const reports: [TableName, GuaranteeReport][] = [];
    for (const table of tables) {
      const arrivals = arrivalsOf(await reader.read(`${id}.public.${table}`));
      arrived.set(table, arrivals);
      reports.push([table, checkGuarantees(arrivals, truth.get(table)!, run)]);
    }
    return reports;
  };
  const problemsOf = (reports: readonly [TableName, GuaranteeReport][]): string[] =>
    reports.flatMap(([table, { problems }]) => problems.map((problem) => `${table}: ${problem}`));
  const sizeOf = (reports: readonly [TableName, GuaranteeReport][]): number => reports.reduce((sum, [, { records }]) => sum + records, 0);
  let reports = await look();
  for (let grewAt = Date.now(); problemsOf(reports).length > 0 && Date.now() - grewAt < 60_000;) {
    await sleep(1_000);
    const before = sizeOf(reports);
    reports = await look();
    if (sizeOf(reports) > before) grewAt = Date.now();
  }
  // What comes too often would come soon.
  await sleep(1_000);
  if (problemsOf(reports).length === 0) reports = await look();
  const figures = reports.map(
    ([table, { records, reads, repeats, rewinds, moments }]) =>
      `${table}: ${records} records, ${reads} of them r${moments > 0 ? ` of ${moments} moment` : ''}, ${repeats} repeats in ${rewinds} steps back`,
  );
  t.diagnostic(`${id}: ${did}; ${figures.join('; ')}`);
  const { tasks } = await worker.server.status(id);
  const problems = problemsOf(reports);
  if (problems.length > 0) t.diagnostic(`the worker's last words:\n${worker.server.logTail(80)}`);
  deepEqual(problems, []);
  deepEqual(
    tasks.map(({ state, trace }) => [state, trace]),
    [['RUNNING', undefined]],
  );
  equal(tasks.length, 1);
  return arrived;
}
