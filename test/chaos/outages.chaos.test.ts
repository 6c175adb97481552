/** The servers go away and come back; nobody touches the worker. */
import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { startKafka } from '../services/kafka.ts';
import { startPostgres } from '../services/postgres.ts';
import type { PostgresServer } from '../services/postgres.ts';
import type { Server } from '../services/server.ts';
import { applied } from './change-check.ts';
import { startPipeline } from './chaos-pipeline.ts';
import type { ChaosPipeline } from './chaos-pipeline.ts';
import { settle, summary } from './pipeline-check.ts';
import { createTables, insertKeys, readHistory, readTable, startLoad } from './row-load.ts';
import { createRandom, isFull, seedNote } from './seed.ts';
import type { Random } from './seed.ts';
import { until } from './until.ts';

const rounds = isFull ? 5 : 1;
const snapshotRows = isFull ? 200_000 : 30_000;

interface Outage {
  readonly name: string;
  readonly happen: () => Promise<void>;
}

function postgresOutages(postgres: PostgresServer, random: Random): Outage[] {
  return [
    { name: 'PostgreSQL killed', happen: () => killed(postgres, random) },
    { name: 'PostgreSQL restarted fast', happen: () => postgres.restart() },
    { name: 'walsender terminated', happen: () => terminateWalSender(postgres.url) },
  ];
}

async function killed(server: Server, random: Random): Promise<void> {
  await server.kill('SIGKILL');
  await sleep(random.between(0, 3_000));
  await server.restart();
}

async function terminateWalSender(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query('select pg_terminate_backend(active_pid) from pg_replication_slots where active');
    equal(rowCount, 1);
  } finally {
    await client.end();
  }
}

/** How long after the end of the outage records come again. Waits until the pipeline flows, before and after. */
async function survive({ name, happen }: Outage, pipeline: ChaosPipeline, random: Random): Promise<string> {
  const flows = async (): Promise<void> => {
    const before = await pipeline.reader.count(pipeline.topic);
    const grew = async (): Promise<boolean> => (await pipeline.reader.count(pipeline.topic)) > before;
    await until(`records flow again: ${name}`, grew, 180_000, 50).catch((error: unknown) => {
      throw new Error(`the worker's last words:\n${pipeline.worker.logTail()}`, { cause: error });
    });
  };
  await flows();
  await sleep(random.between(500, 3_000));
  await happen();
  const backAt = Date.now();
  await flows();
  return `${name}: ${Date.now() - backAt} ms`;
}

for (const log of ['kafka', 'embedded'] as const) {
  test(`outages, ${log} log: the pipeline recovers by itself`, { timeout: 30 * 60_000 }, async (t) => {
    t.diagnostic(seedNote);
    const random = createRandom(`outages ${log}`);
    await using services = new AsyncDisposableStack();
    const postgres = services.use(await startPostgres({ private: true }));
    const kafka = log === 'kafka' ? services.use(await startKafka({ private: true })) : undefined;
    await createTables(postgres.url);
    const source = { 'snapshot.mode': 'no_data' };
    await using pipeline = await startPipeline({ postgres, ...(kafka && { brokers: kafka.brokers }), source });
    await until('the source streams', () => /streaming from replication slot/.test(pipeline.worker.logTail(1_000)));
    await using load = startLoad({ url: postgres.url, pauseMs: 40 });

    const outages = postgresOutages(postgres, random);
    if (kafka !== undefined) {
      outages.push(
        { name: 'Kafka killed', happen: () => killed(kafka, random) },
        { name: 'Kafka restarted', happen: () => kafka.restart() },
      );
    }
    const recovered: string[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const outage of outages) {
        recovered.push(await Promise.race([survive(outage, pipeline, random), load.failed]));
        // Nobody restarts a task that failed, so that each look is a look at all that was.
        deepEqual(await pipeline.troubles(), []);
      }
    }
    await load.stop();

    const outcome = await settle(pipeline, await readHistory(postgres.url));
    t.diagnostic(`flowing again after ${recovered.join(', ')}`);
    t.diagnostic(`${load.transactions} transactions, ${load.lostConnections} connections lost by clients; ${summary(outcome)}`);
    deepEqual(await pipeline.troubles(), []);
    deepEqual(outcome.topic.problems, []);
    deepEqual(outcome.file.problems, []);
    if (log === 'embedded') equal(outcome.topic.repeats, 0);
  });
}

test('outages while the tables are read: the snapshot starts again by itself', { timeout: 20 * 60_000 }, async (t) => {
  t.diagnostic(seedNote);
  const random = createRandom('outages snapshot');
  await using postgres = await startPostgres({ private: true });
  await createTables(postgres.url);
  await insertKeys(postgres.url, 0, snapshotRows - 1);
  await using load = startLoad({ url: postgres.url, keys: snapshotRows, deletes: false });
  await using pipeline = await startPipeline({ postgres });

  let inSnapshot = 0;
  for (let kill = 0; kill < rounds; kill++) {
    const before = await pipeline.reader.count(pipeline.topic);
    await until('rows are read', async () => (await pipeline.reader.count(pipeline.topic)) > before, 90_000, 5);
    await killed(postgres, random);
    if (!/snapshot: done/.test(pipeline.worker.logTail(100_000))) inSnapshot++;
  }
  await load.stop();

  const outcome = await settle(pipeline, await readHistory(postgres.url), { snapshot: true });
  t.diagnostic(`${rounds} kills of PostgreSQL, ${inSnapshot} of them in the snapshot of ${snapshotRows} rows; ${summary(outcome)}`);
  deepEqual(await pipeline.troubles(), []);
  deepEqual(outcome.topic.problems, []);
  deepEqual(outcome.file.problems, []);
  deepEqual(applied(outcome.changes), await readTable(postgres.url));
});
