/** A cluster of three workers, and whatever may befall it while rows change all the time. */
import { deepEqual, equal } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { startCluster } from '../services/cluster.ts';
import type { Cluster } from '../services/cluster.ts';
import { startKafka } from '../services/kafka.ts';
import { createDatabase, startPostgres } from '../services/postgres.ts';
import { checkChanges, checkPresence } from './change-check.ts';
import type { CheckReport, History } from './change-check.ts';
import { changesOf } from './change.ts';
import { createClusterEvents } from './cluster-events.ts';
import { slotIsActive } from './slot.ts';
import { sourceConfig } from './source-config.ts';
import { committedReader } from './committed-reader.ts';
import { createTables, readHistory, startLoad, table } from './row-load.ts';
import { createRandom, isFull, seedNote } from './seed.ts';
import type { TopicRecord } from './topic-reader.ts';
import { until } from './until.ts';

const events = isFull ? 200 : 7;
const sources = 2;
const sinkTasks = 3;

for (const exactlyOnce of isFull ? (['enabled', 'disabled'] as const) : (['enabled'] as const)) {
  describe(`three workers, exactly-once ${exactlyOnce}`, () => {
    const compare = exactlyOnce === 'enabled' ? inOrder : present;
    test(`${events} random events`, { timeout: 90 * 60_000 }, async (t) => {
      t.diagnostic(seedNote);
      const random = createRandom(`cluster ${exactlyOnce}`);
      const id = `cluster_${randomBytes(4).toString('hex')}`;
      await using kafka = await startKafka({ private: true });
      // A frozen reader keeps its slot until the server has given it up.
      await using postgres = await startPostgres({ flags: ['-c', 'wal_sender_timeout=4s'] });
      await using stack = new AsyncDisposableStack();
      const databases = await Promise.all(
        Array.from({ length: sources }, async () => stack.use(await createDatabase(postgres, 'cluster'))),
      );
      for (const { url } of databases) await createTables(url);
      await using cluster = await startCluster({
        brokers: kafka.brokers,
        group: id,
        properties: { 'exactly.once.source.support': exactlyOnce },
      });
      const folder = (cluster.workers[0] as { folder: string }).folder;
      const lasting = new Map(databases.map((database, n) => [`${id}-source-${n}`, sourceConfig(`${id}_${n}`, database)]));
      lasting.set(`${id}-sink`, {
        'connector.class': 'FileStreamSink',
        'tasks.max': String(sinkTasks),
        topics: databases.map((_, n) => `${id}_${n}.${table}`).join(','),
        file: join(folder, 'out.txt'),
        'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
        'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
      });
      for (const [name, config] of lasting) await cluster.put(name, config);
      const wanted = [...[...lasting.keys()].filter((name) => name.includes('source')).map((name) => `${name}-0`)];
      for (let n = 0; n < sinkTasks; n++) wanted.push(`${id}-sink-${n}`);
      await until('all tasks run', () => runsEverywhereOnce(cluster, wanted));
      for (const [n, { url }] of databases.entries()) await until('the source streams', () => slotIsActive(url, `${id}_${n}`));
      const loads = databases.map(({ url }) => stack.use(startLoad({ url, pauseMs: 60 })));

      const happenings = createClusterEvents(
        { cluster, broker: kafka, lasting, passing: (n) => fileSource(join(folder, `lines-${n}.txt`), `${id}-lines-${n}`) },
        random,
      );
      const happened: string[] = [];
      for (let event = 0; event < events; event++) {
        happened.push(`${new Date().toISOString()} ${await happenings.happen()}`);
        await sleep(random.between(0, 1_500));
      }
      await happenings.calm();
      await until('every task runs on one worker', () => runsEverywhereOnce(cluster, wanted), 180_000).catch(async (cause: unknown) => {
        const statuses = await Promise.all([...lasting.keys()].map((name) => cluster.status(name)));
        const words = cluster.workers.map((worker, n) => `worker ${n}, ${worker.url}:\n${worker.logTail(60)}`);
        throw new Error(`${happened.join('\n')}\n${JSON.stringify(statuses, undefined, 1)}\n${words.join('\n')}`, { cause });
      });
      for (const load of loads) await load.stop();

      const reader = committedReader(kafka.brokers);
      for (const [n, { url }] of databases.entries()) {
        const history = await readHistory(url);
        const look = async (): Promise<Report> => compare(await reader.read(`${id}_${n}.${table}`), history);
        let report = await look();
        const complete = async (): Promise<boolean> => !(report = await look()).problems.some((problem) => problem.endsWith('is lost'));
        await until('the topic holds everything', complete, 120_000, 2_000).catch(() => {});
        t.diagnostic(`source ${n}: ${report.arrived} records, ${report.repeats} repeats`);
        deepEqual(report.problems, []);
        if (exactlyOnce === 'enabled') equal(report.repeats, 0);
      }
      await until('every task still runs on one worker', () => runsEverywhereOnce(cluster, wanted));
    });
  });
}

type Report = Pick<CheckReport, 'arrived' | 'repeats' | 'problems'>;

function inOrder(records: readonly TopicRecord[], history: History): Report {
  return checkChanges(changesOf(records), history);
}

/** A worker that was frozen writes, when it wakes, what it had in hand: at least once, and late. */
function present(records: readonly TopicRecord[], history: History): Report {
  const changes = changesOf(records).filter(({ operation }) => operation !== 'tombstone');
  const done = [...history.values()].flat().filter(({ operation }) => operation !== 'tombstone');
  const { lines, doubles, problems } = checkPresence(changes, done);
  return { arrived: lines, repeats: doubles, problems };
}

const fileSource = (file: string, topic: string) => ({ 'connector.class': 'FileStreamSource', file, topic });

/** Throws what is not as it should be. */
async function runsEverywhereOnce(cluster: Cluster, wanted: readonly string[]): Promise<boolean> {
  const runners = await cluster.runners();
  deepEqual([...runners.keys()].sort(), [...wanted].sort());
  for (const [task, workers] of runners) {
    equal(workers.length, 1, `${task} runs on ${workers.join(' and ')}`);
    const connector = task.slice(0, task.lastIndexOf('-'));
    const { tasks } = await cluster.status(connector);
    const status = tasks.find(({ id }) => `${connector}-${id}` === task);
    deepEqual([status?.state, status?.worker_id], ['RUNNING', workers[0]], `${task}: ${status?.trace}`);
  }
  return true;
}
