/** The worker is killed at random moments, in mid-stream and in its snapshot, on either log. */
import { deepEqual, equal } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { createDatabase } from '../services/postgres.ts';
import { useKafka, usePostgres } from '../services/share.ts';
import { applied } from './change-check.ts';
import { startPipeline, until } from './chaos-pipeline.ts';
import type { ChaosPipeline } from './chaos-pipeline.ts';
import { settle, summary } from './pipeline-check.ts';
import { createTables, insertKeys, readHistory, readTable, startLoad } from './row-load.ts';
import { createRandom, isFull, seedNote } from './seed.ts';
import type { Random } from './seed.ts';

const kills = isFull ? 30 : 5;
const snapshotKills = isFull ? 10 : 2;
const snapshotRows = isFull ? 100_000 : 20_000;
/** About as long as a snapshot of so many rows takes. */
const snapshotMs = isFull ? 1_000 : 300;

/** Either soon after the start, whatever goes on, or once something has arrived again. */
async function randomMoment(pipeline: ChaosPipeline, random: Random): Promise<void> {
  if (random.next() < 0.7) {
    const before = await pipeline.reader.count(pipeline.topic);
    await until('records arrive again', async () => (await pipeline.reader.count(pipeline.topic)) > before, 90_000, 50);
  }
  await sleep(random.between(0, 2_000));
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
      await using load = startLoad({ url: database.url });

      const deaths: number[] = [];
      for (let kill = 0; kill < kills; kill++) {
        await randomMoment(pipeline, random);
        await pipeline.worker.kill('SIGKILL');
        deaths.push(await pipeline.reader.count(pipeline.topic));
        await pipeline.restart();
      }
      await load.stop();

      const outcome = await settle(pipeline, await readHistory(database.url));
      t.diagnostic(
        `${kills} kills, ${new Set(deaths).size} of them after progress; ${load.transactions} transactions; ${summary(outcome)}`,
      );
      deepEqual(await pipeline.troubles(), []);
      deepEqual(outcome.topic.problems, []);
      deepEqual(outcome.file.problems, []);
      if (log === 'embedded') equal(outcome.topic.repeats, 0);
    });

    // No deletes: a row that an earlier attempt read, and that was gone before the next one began, would stay in
    // the topic, with Debezium as here.
    test('while the tables are read', { timeout: 30 * 60_000 }, async (t) => {
      t.diagnostic(seedNote);
      const random = createRandom(`kill snapshot ${log}`);
      await using database = await createDatabase(await usePostgres(), 'chaos');
      await createTables(database.url);
      await insertKeys(database.url, 0, snapshotRows - 1);
      await using load = startLoad({ url: database.url, keys: snapshotRows, deletes: false });
      await using pipeline = await startPipeline({ postgres: database, ...(await brokers()) });

      let inSnapshot = 0;
      const deaths: number[] = [];
      for (let kill = 0; kill < snapshotKills; kill++) {
        const before = await pipeline.reader.count(pipeline.topic);
        if (random.next() < 0.7)
          await until('rows are read', async () => (await pipeline.reader.count(pipeline.topic)) > before, 90_000, 5);
        await sleep(random.between(0, snapshotMs));
        await pipeline.worker.kill('SIGKILL');
        deaths.push(await pipeline.reader.count(pipeline.topic));
        if (!/snapshot: done/.test(pipeline.worker.logTail(100_000))) inSnapshot++;
        await pipeline.restart();
      }
      await load.stop();

      const outcome = await settle(pipeline, await readHistory(database.url), { snapshot: true });
      t.diagnostic(
        `${snapshotKills} kills, ${inSnapshot} of them in the snapshot of ${snapshotRows} rows, ${new Set(deaths).size} of them after progress; ${summary(outcome)}`,
      );
      deepEqual(await pipeline.troubles(), []);
      deepEqual(outcome.topic.problems, []);
      deepEqual(outcome.file.problems, []);
      deepEqual(applied(outcome.changes), await readTable(database.url));
      if (log === 'embedded') equal(outcome.topic.repeats, 0);
    });
  });
}
