/** Kafka freezes for a while, connections open and nothing answering, and the worker dies meanwhile. */
import { deepEqual, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { startKafka } from '../services/kafka.ts';
import { createDatabase } from '../services/postgres.ts';
import { usePostgres } from '../services/share.ts';
import { startPipeline } from './chaos-pipeline.ts';
import { settle, summary } from './pipeline-check.ts';
import { residentBytes } from './process-memory.ts';
import { createTables, readHistory, startLoad } from './row-load.ts';
import { createRandom, isFull, seedNote } from './seed.ts';
import { until } from './until.ts';

const stallMs = isFull ? 60_000 : 10_000;
/** Much less than the load writes meanwhile, much more than a garbage collector wavers. */
const mostGrowthBytes = 96 * 1024 * 1024;

const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MB`;

test('Kafka stalls under load, and the worker is killed meanwhile', { timeout: 20 * 60_000 }, async (t) => {
  t.diagnostic(seedNote);
  const random = createRandom('stall');
  await using kafka = await startKafka({ private: true });
  await using database = await createDatabase(await usePostgres(), 'chaos');
  await createTables(database.url);
  const source = { 'snapshot.mode': 'no_data' };
  await using pipeline = await startPipeline({ postgres: database, brokers: kafka.brokers, source });
  await until('the source streams', () => /streaming from replication slot/.test(pipeline.worker.logTail(1_000)));
  await using load = startLoad({ url: database.url, keys: 4_000, pauseMs: 10, changes: isFull ? 40 : 20 });
  await until('records flow', async () => (await pipeline.reader.count(pipeline.topic)) > 5_000);

  const flowing = residentBytes(pipeline.worker.pid);
  const before = load.transactions;
  await kafka.pause();
  // Time for what is on its way to pile up as far as it may.
  await sleep(5_000);
  const stalled: number[] = [];
  const killAt = Date.now() + (stallMs - 5_000) * (0.8 + 0.2 * random.next());
  while (Date.now() < killAt) {
    stalled.push(residentBytes(pipeline.worker.pid));
    await sleep(250);
  }
  await pipeline.worker.kill('SIGKILL');
  const meanwhile = load.transactions - before;
  await sleep(random.between(0, 2_000));
  const continued = Date.now();
  kafka.resume();
  await pipeline.restart();
  const held = await pipeline.reader.count(pipeline.topic);
  await until('records flow again', async () => (await pipeline.reader.count(pipeline.topic)) > held, 120_000, 50);
  const recoveredMs = Date.now() - continued;
  await sleep(5_000);
  await load.stop();

  const outcome = await settle(pipeline, await readHistory(database.url));
  const [first = 0, highest] = [stalled[0], Math.max(...stalled)];
  t.diagnostic(
    `stalled for ${stallMs / 1_000} s under ${meanwhile} transactions; memory: ${megabytes(flowing)} before, ${megabytes(first)} 5 s into it, ` +
      `at most ${megabytes(highest)}; flowing again ${recoveredMs} ms after both went on; ${summary(outcome)}`,
  );
  deepEqual(await pipeline.troubles(), []);
  deepEqual(outcome.topic.problems, []);
  deepEqual(outcome.file.problems, []);
  ok(highest - first < mostGrowthBytes, `the worker grew from ${megabytes(first)} to ${megabytes(highest)}`);
});
