/** What goes on in a worker while it is killed: a stream, snapshots by several readers, incremental snapshots. */
import { deepEqual } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { createDatabase } from '../services/postgres.ts';
import type { Database, PostgresAddress } from '../services/postgres.ts';
import { arrivalsOf } from './arrivals.ts';
import type { Arrival } from './arrivals.ts';
import { committedReader } from './committed-reader.ts';
import { checkGuarantees, checkStillRows } from './guarantee-check.ts';
import type { GuaranteeReport, Phase } from './guarantee-check.ts';
import type { KilledWorker } from './killed-worker.ts';
import { startMixedLoad } from './mixed-load.ts';
import type { MixedLoad, MixedLoadOptions } from './mixed-load.ts';
import { createMixedTables, firstStillKey, keyed, keyless, signalSnapshot } from './mixed-tables.ts';
import type { Filling, TableName } from './mixed-tables.ts';
import { slotIsActive } from './slot.ts';
import { sourceConfig } from './source-config.ts';
import { readTruth } from './truth.ts';
import { until } from './until.ts';

const tables = [keyed, keyless] as const;
/** A worker that is killed all the time, on a busy machine, may need as long for anything at all. */
const patienceMs = 180_000;

export interface ScenarioParts {
  readonly group: string;
  readonly exactlyOnce: boolean;
  readonly postgres: PostgresAddress;
  readonly brokers: readonly string[];
  readonly worker: KilledWorker;
  /** Small tables and a light load, or what a full run takes. */
  readonly full: boolean;
  readonly say: (line: string) => void;
}

export interface Scenario extends AsyncDisposable {
  /** What it writes just now. */
  readonly topics: readonly string[];
  /** Between two kills: begins what has to go on at the next one. */
  proceed(): Promise<void>;
  /** The worker was killed. */
  killed(): void;
  /** After the last kill: waits until all has arrived. Rejects where a guarantee was broken. */
  finish(): Promise<void>;
}

/** One source, its database, and the load on it. */
interface Run extends AsyncDisposable {
  readonly id: string;
  readonly url: string;
  readonly topics: readonly string[];
  begin(config: Readonly<Record<string, string>>): Promise<void>;
  startLoad(options: Omit<MixedLoadOptions, 'url'>): void;
  /** Ends the load. Rejects with what is wrong once everything has arrived, or nothing more comes. */
  conclude(did: string): Promise<ReadonlyMap<TableName, readonly Arrival[]>>;
}

async function createRun(parts: ScenarioParts, phase: Phase, name: string, fillings: readonly Filling[]): Promise<Run> {
  const { group, worker, brokers, postgres } = parts;
  const id = `${group}_${name}`;
  const database: Database = await createDatabase(postgres, 'kills');
  await createMixedTables(database.url, fillings);
  let load: MixedLoad | undefined;
  return {
    id,
    url: database.url,
    topics: tables.map((table) => `${id}.public.${table}`),
    begin: (config) =>
      worker.put(
        id,
        sourceConfig(id, database, {
          'table.include.list': tables.map((table) => `public.${table}`).join(','),
          // Without a key nothing else keeps the changes of a row in one partition.
          'topic.creation.groups': 'one',
          'topic.creation.one.include': `.*(${keyless}|notices)`,
          'topic.creation.one.partitions': '1',
          'topic.creation.one.replication.factor': '1',
          ...config,
        }),
      ),
    startLoad: (options) => void (load = startMixedLoad({ url: database.url, ...options })),
    async conclude(did) {
      await load?.stop();
      const { arrived, reports } = await settled(parts, phase, id, database.url, brokers);
      const figures = reports.map(
        ([table, { records, reads, repeats, rewinds, moments }]) =>
          `${table}: ${records} records, ${reads} of them r${moments > 0 ? ` of ${moments} moment` : ''}, ${repeats} repeats in ${rewinds} steps back`,
      );
      parts.say(`${id}, ${phase}: ${did}; ${load?.transactions} transactions, ${load?.rollbacks} rolled back; ${figures.join('; ')}`);
      const problems = problemsOf(reports);
      if (problems.length > 0) parts.say(`the worker's last words:\n${worker.server.logTail(120)}`);
      deepEqual(problems, []);
      return arrived;
    },
    async [Symbol.asyncDispose]() {
      await load?.[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

type Reports = readonly (readonly [TableName, GuaranteeReport])[];
const problemsOf = (reports: Reports): string[] =>
  reports.flatMap(([table, { problems }]) => problems.map((problem) => `${table}: ${problem}`));
const sizeOf = (reports: Reports): number => reports.reduce((sum, [, { records }]) => sum + records, 0);

async function settled({ exactlyOnce }: ScenarioParts, phase: Phase, id: string, url: string, brokers: readonly string[]) {
  const truth = await readTruth(url, tables);
  const reader = committedReader(brokers);
  const arrived = new Map<TableName, readonly Arrival[]>();
  const look = async (): Promise<Reports> => {
    const reports: [TableName, GuaranteeReport][] = [];
    for (const table of tables) {
      const arrivals = arrivalsOf(await reader.read(`${id}.public.${table}`));
      arrived.set(table, arrivals);
      reports.push([table, checkGuarantees(arrivals, truth.get(table)!, { phase, exactlyOnce })]);
    }
    return reports;
  };
  let reports = await look();
  for (let grewAt = Date.now(); problemsOf(reports).length > 0 && Date.now() - grewAt < patienceMs;) {
    await sleep(1_000);
    const before = sizeOf(reports);
    reports = await look();
    if (sizeOf(reports) > before) grewAt = Date.now();
  }
  // What comes too often would come soon.
  await sleep(1_000);
  if (problemsOf(reports).length === 0) reports = await look();
  return { arrived, reports };
}

export async function inStream(parts: ScenarioParts): Promise<Scenario> {
  const run = await createRun(parts, 'streaming', 'stream', []);
  await run.begin({ 'snapshot.mode': 'no_data' });
  await until('the source streams', () => slotIsActive(run.url, run.id), patienceMs);
  run.startLoad({ keys: 400, pauseMs: parts.full ? 150 : 60 });
  let kills = 0;
  return {
    topics: run.topics,
    proceed: async () => {},
    killed: () => void kills++,
    finish: async () => void (await run.conclude(`${kills} kills`)),
    [Symbol.asyncDispose]: () => run[Symbol.asyncDispose](),
  };
}

/** One snapshot after the other, each killed until it is done, and then once more. */
export async function inParallelSnapshots(parts: ScenarioParts): Promise<Scenario> {
  const { worker, full } = parts;
  const keys = full ? 40_000 : 6_000;
  const wide = { from: 0, to: keys - 1 };
  let [round, within, after] = [0, 0, 0];

  async function next(): Promise<Run> {
    const fillings: Filling[] = [
      { ...wide, table: keyed },
      { ...wide, table: keyless, to: keys / 4 - 1 },
    ];
    [within, after] = [0, 0];
    const run = await createRun(parts, 'parallel snapshot', `snapshot_${round++}`, fillings);
    run.startLoad({ keys, pauseMs: full ? 120 : 60 });
    // Small batches, so that there are many transactions, and it takes a while.
    await run.begin({ 'snapshot.mode': 'initial', 'snapshot.max.threads': '3', 'max.batch.size': '20', 'max.queue.size': '100' });
    return run;
  }
  const streams = ({ id }: Run): boolean => worker.server.logTail(100_000).includes(`streaming from replication slot "${id}"`);
  const conclude = ({ conclude: done }: Run) => done(`${within} kills in the snapshot, ${after} after it`);

  let run = await next();
  return {
    get topics() {
      return run.topics;
    },
    async proceed() {
      if (after === 0) return;
      await worker.ready();
      await conclude(run);
      await worker.remove(run.id);
      await run[Symbol.asyncDispose]();
      run = await next();
    },
    killed() {
      if (streams(run)) after++;
      else within++;
    },
    finish: async () => void (await conclude(run)),
    [Symbol.asyncDispose]: () => run[Symbol.asyncDispose](),
  };
}

/** One after the other, each asked for by a signal once the last is complete. */
export async function inIncrementalSnapshots(parts: ScenarioParts): Promise<Scenario> {
  const { exactlyOnce, brokers, full, say } = parts;
  const rows = full ? 4_000 : 500;
  const still = Array.from({ length: rows }, (_, n) => firstStillKey + n);
  const run = await createRun(parts, 'incremental snapshot', 'incremental', [
    { table: keyed, from: 0, to: rows - 1 },
    { table: keyed, from: firstStillKey, to: firstStillKey + rows - 1 },
  ]);
  await run.begin({
    'snapshot.mode': 'no_data',
    'signal.data.collection': 'public.signals',
    'incremental.snapshot.chunk.size': '64',
    'notification.enabled.channels': 'sink',
    'notification.sink.topic.name': `${run.id}.notices`,
  });
  await until('the source streams', () => slotIsActive(run.url, run.id), patienceMs);
  run.startLoad({ keys: rows, pauseMs: full ? 120 : 60, large: 100 });
  let [signals, kills] = [0, 0];
  /** Which were told of as complete, and how often. */
  async function completed(): Promise<Map<string, number>> {
    const ids = (await committedReader(brokers).read(`${run.id}.notices`)).flatMap(({ value }) => {
      const notice = JSON.parse(value ?? '{}') as { id: string; type: string };
      return notice.type === 'COMPLETED' ? [notice.id] : [];
    });
    return new Map([...Map.groupBy(ids, (each) => each)].map(([each, times]) => [each, times.length]));
  }
  const signal = (): Promise<void> => signalSnapshot(run.url, `snapshot-${++signals}`);
  await signal();
  return {
    topics: run.topics,
    proceed: async () => void ((await completed()).size >= signals && (await signal())),
    killed: () => void kills++,
    async finish() {
      await until('the last incremental snapshot is complete', async () => (await completed()).size >= signals, 600_000, 1_000);
      const arrived = await run.conclude(`${kills} kills in ${signals} snapshots`);
      deepEqual(checkStillRows(arrived.get(keyed) ?? [], still, signals, exactlyOnce), []);
      const told = [...(await completed()).values()];
      say(`${told.reduce((sum, times) => sum + times, 0)} notifications that ${told.length} incremental snapshots are complete`);
      if (exactlyOnce) deepEqual(new Set(told), new Set([1]));
    },
    [Symbol.asyncDispose]: () => run[Symbol.asyncDispose](),
  };
}
