/** The worker is killed at random moments, in mid-stream and in its snapshot, on either log. */
import { deepEqual, equal } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { createDatabase } from '../services/postgres.ts';
import { useKafka, usePostgres } from '../services/share.ts';
import { applied } from './change-check.ts';
import type { ArrivedChange } from './change.ts';
import { startPipeline } from './chaos-pipeline.ts';
import type { ChaosPipeline } from './chaos-pipeline.ts';
import { settle, summary } from './pipeline-check.ts';
import { createTables, insertKeys, readHistory, readTable, startLoad } from './row-load.ts';
import { createRandom, isFull, seedNote } from './seed.ts';
import type { Random } from './seed.ts';
import { until } from './until.ts';

const kills = isFull ? 30 : 3;
const snapshotKills = isFull ? 10 : 1;
const snapshotRows = isFull ? 100_000 : 20_000;
/** About as long as a snapshot of so many rows takes. */
const snapshotMs = isFull ? 1_000 : 300;

interface Killer {
  /** Kills that found more in the topic than the one before. */
  readonly afterProgress: number;
  /** Waits until there is more in the topic than at the last kill. */
  progress(): Promise<void>;
  /** At a random moment, once there was progress or (not the first time) whatever goes on; and starts it again. */
  kill(latestMs: number): Promise<void>;
}

function createKiller({ worker, reader, topic, restart }: ChaosPipeline, random: Random): Killer {
  let [seen, afterProgress, kills] = [0, 0, 0];
  const progress = (): Promise<void> => until('there is more in the topic', async () => (await reader.count(topic)) > seen, 120_000, 10);
  return {
    get afterProgress() {
      return afterProgress;
    },
    progress,
    async kill(latestMs) {
      if (kills++ === 0 || random.next() < 0.7) await progress();
      await sleep(random.between(0, latestMs));
      await worker.kill('SIGKILL');
      const now = await reader.count(topic);
      if (now > seen) afterProgress++;
      seen = now;
      await restart();
    },
  };
}

for (const log of ['embedded', 'kafka'] as const) {
  const brokers = async () => (log === 'kafka' ? { brokers: (await useKafka()).brokers } : {});

  describe(`kill -9 of the worker, ${log} log`, () => {
    test('while changes stream', { timeout: 30 * 60_000 }, async (t) => {
      t.diagnostic(seedNote);
      const random = createRandom(`kill ${log}`);
      await using database = await createDatabase(await usePostgres(), 'chaos');
      await createTables(database.url);
      await using pipeline = await startPipeline({ postgres: database, ...(await brokers()), source: { 'snapshot.mode': 'no_data' } });
      await until('the source streams', () => /streaming from replication slot/.test(pipeline.worker.logTail(1_000)));
      await using load = startLoad({ url: database.url, pauseMs: isFull ? 20 : 40 });

      const killer = createKiller(pipeline, random);
      for (let kill = 0; kill < kills; kill++) await killer.kill(2_000);
      await load.stop();

      const outcome = await settle(pipeline, await readHistory(database.url));
      t.diagnostic(
        `${kills} kills, ${killer.afterProgress} of them after progress; ${load.transactions} transactions; ${summary(outcome)}`,
      );
      deepEqual(await pipeline.troubles(), []);
      deepEqual(outcome.topic.problems, []);
      deepEqual(outcome.file.problems, []);
      if (log === 'embedded') equal(outcome.topic.repeats, 0);
    });

    // On Kafka no deletes: rows may be in the topic before their offset is stored. A row that was read then, and was
    // gone before the next attempt began, would stay there, with Debezium as here.
    test('while the tables are read', { timeout: 30 * 60_000 }, async (t) => {
      t.diagnostic(seedNote);
      const random = createRandom(`kill snapshot ${log}`);
      await using database = await createDatabase(await usePostgres(), 'chaos');
      await createTables(database.url);
      await insertKeys(database.url, 0, snapshotRows - 1);
      await using load = startLoad({ url: database.url, keys: snapshotRows, deletes: log === 'embedded', pauseMs: isFull ? 20 : 40 });
      await using pipeline = await startPipeline({ postgres: database, ...(await brokers()), source: { 'snapshot.max.threads': '2' } });

      const killer = createKiller(pipeline, random);
      for (let kill = 0; kill < snapshotKills; kill++) await killer.kill(snapshotMs);
      await killer.progress();
      await sleep(1_000);
      await load.stop();

      const outcome = await settle(pipeline, await readHistory(database.url), { snapshot: true });
      const begun = snapshotsIn(outcome.changes);
      t.diagnostic(
        `${snapshotKills} kills in a snapshot of ${snapshotRows} rows, ${killer.afterProgress} of them after progress, ${begun} snapshots in the topic; ${summary(outcome)}`,
      );
      deepEqual(await pipeline.troubles(), []);
      deepEqual(outcome.topic.problems, []);
      deepEqual(outcome.file.problems, []);
      deepEqual(applied(outcome.changes), await readTable(database.url));
      if (log !== 'embedded') return;
      equal(outcome.topic.repeats, 0);
      equal(begun, 1, 'the snapshot went on where it was');
      const reads = outcome.changes.filter(({ operation }) => operation === 'r').map(({ key }) => key);
      equal(new Set(reads).size, reads.length, 'each row came as r once at most');
    });
  });
}

/** Each has a position of its own. */
const snapshotsIn = (changes: readonly ArrivedChange[]): number =>
  new Set(changes.filter(({ operation }) => operation === 'r').map(({ lsn }) => lsn)).size;
