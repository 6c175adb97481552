/**
 * A distributed worker is killed (kill -9) at random moments, while one of its sources streams, one reads tables with
 * several readers, and one makes incremental snapshots: the guarantees of each hold, with exactly-once and without.
 */
import { deepEqual } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';

import { useKafka, usePostgres } from '../services/share.ts';
import { inIncrementalSnapshots, inParallelSnapshots, inStream } from './kill-scenarios.ts';
import { startKilledWorker } from './killed-worker.ts';
import { createRandom, isFull, seedNote } from './seed.ts';

/** MILLRACE_KILLS says how many, for a run that is to take less than a full one. */
const kills = Number(process.env['MILLRACE_KILLS'] ?? (isFull ? 100 : 2));

for (const exactlyOnce of isFull ? [true, false] : [true]) {
  test(`${kills} times kill -9, exactly-once ${exactlyOnce ? 'on' : 'off'}`, { timeout: 120 * 60_000 }, async (t) => {
    t.diagnostic(seedNote);
    const random = createRandom(`kills ${exactlyOnce}`);
    const group = `kills_${randomBytes(4).toString('hex')}`;
    const [{ brokers }, postgres] = [await useKafka(), await usePostgres()];
    await using worker = await startKilledWorker({ brokers, group, exactlyOnce, latestMs: isFull ? 1_500 : 500 }, random);
    const parts = { group, exactlyOnce, brokers, postgres, worker, full: isFull, say: (line: string) => t.diagnostic(line) };
    await using stack = new AsyncDisposableStack();
    // Not all at once: each has connectors to make, and waits for them.
    const scenarios = [
      stack.use(await inStream(parts)),
      stack.use(await inIncrementalSnapshots(parts)),
      stack.use(await inParallelSnapshots(parts)),
    ];
    while (worker.kills < kills) {
      // It is waited for one of them; the others are wherever they are.
      await worker.kill(scenarios[random.between(0, scenarios.length - 1)]!.topics);
      for (const scenario of scenarios) scenario.killed();
      if (worker.kills < kills) for (const scenario of scenarios) await scenario.proceed();
    }
    await worker.ready();
    for (const scenario of scenarios) await scenario.finish();
    t.diagnostic(`${worker.kills} kills, ${worker.early} of them before the life had written anything`);
    deepEqual(await worker.failures(), []);
  });
}
