/** A target that is slower than the source, and one that is away: memory stays flat, the group stays as it is, and all of it arrives. */
import { deepEqual, ok } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Kafka, logLevel } from 'kafkajs';

import { startMillrace } from '../services/millrace.ts';
import { createDatabase } from '../services/postgres.ts';
import { useKafka, usePostgres } from '../services/share.ts';
import { postgresSinkConfig, query } from './postgres-sink.ts';
import { residentBytes } from './process-memory.ts';
import { createRandom, isFull, seedNote } from './seed.ts';
import { createSinkInput, inputConfig } from './sink-input.ts';
import { startTcpFaultProxy } from './tcp-fault-proxy.ts';
import type { TcpFault } from './tcp-fault-proxy.ts';
import { until } from './until.ts';

const outageMs = isFull ? 600_000 : 12_000;
const recordsInSecond = isFull ? 2_000 : 1_000;
/** Less than what comes in ten minutes, more than a garbage collector wavers. */
const mostGrowthBytes = 128 * 1024 * 1024;
const table = 'items';

const outages: readonly (readonly [what: string, fault: TcpFault])[] = [
  ['slower than its source', { delayMs: 250 }],
  ['away', 'refuse'],
  ['silent', 'stall'],
];

const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MB`;

for (const [what, fault] of isFull ? outages : outages.slice(1, 2)) {
  test(`a target that is ${what} for ${outageMs / 1_000} s`, { timeout: 60 * 60_000 }, async (t) => {
    t.diagnostic(seedNote);
    const { brokers } = await useKafka();
    const id = `outage-${randomBytes(4).toString('hex')}`;
    await using database = await createDatabase(await usePostgres(), 'outage');
    await query(database.url, `create table ${table} (id bigint, name text, score int)`);
    await using proxy = await startTcpFaultProxy(database);
    await using input = await createSinkInput({ brokers, topic: `${id}-in`, partitions: 2, poison: [], random: createRandom(what) });
    await using worker = await startMillrace({ brokers });
    await worker.put(id, {
      ...postgresSinkConfig(database, proxy.port, table),
      ...inputConfig,
      topics: input.topic,
      'max.retries': '100000',
      'consumer.override.session.timeout.ms': '6000',
    });
    const arrived = async (): Promise<number> =>
      Number((await query<{ n: string }>(database.url, `select count(*) as n from ${table}`))[0]?.n);
    await input.send(2 * recordsInSecond);
    await until('records flow', async () => (await arrived()) === input.sent.length);

    const admin = new Kafka({ clientId: id, brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const members = async (): Promise<string> => {
      const [group] = (await admin.describeGroups([`connect-${id}`])).groups;
      return `${group?.state} ${group?.members.map(({ memberId }) => memberId).join(' ')}`;
    };
    const before = await members();
    const seen = new Set<string>();
    const sizes: number[] = [];
    proxy.set(fault);
    const end = Date.now() + outageMs;
    for (let second = 0; Date.now() < end; second++) {
      await input.send(recordsInSecond);
      seen.add(await members());
      // What is on its way piles up first, as far as it may.
      if (second >= 4) sizes.push(residentBytes(worker.pid));
      await sleep(1_000);
    }
    const behind = input.sent.length - (await arrived());
    proxy.set('pass');
    const backAt = Date.now();
    await until('it has caught up', async () => (await arrived()) >= input.sent.length, isFull ? 900_000 : 120_000);
    const caughtUpMs = Date.now() - backAt;
    await admin.disconnect();

    const [first = 0, highest] = [sizes[0], Math.max(...sizes)];
    t.diagnostic(
      `${behind} of ${input.sent.length} records behind, caught up ${caughtUpMs} ms later; memory ${megabytes(first)}, at most ${megabytes(highest)}`,
    );
    // A put that hangs for longer than max.poll.interval.ms costs the membership, once, as it does any consumer.
    const allowed = fault === 'stall' ? ['Empty '] : [];
    deepEqual(
      [...seen].filter((each) => !allowed.includes(each)),
      [before],
      'the members of the group changed',
    );
    const [counts] = await query<{ all: string; different: string }>(
      database.url,
      `select count(*) as all, count(distinct id) as different from ${table}`,
    );
    deepEqual([Number(counts?.all), Number(counts?.different)], [input.sent.length, input.sent.length]);
    const { tasks } = await worker.status(id);
    deepEqual(
      tasks.map(({ state }) => state),
      ['RUNNING'],
    );
    ok(highest - first < mostGrowthBytes, `the worker grew from ${megabytes(first)} to ${megabytes(highest)}`);
  });
}
