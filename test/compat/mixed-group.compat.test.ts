/** Workers of ours and of the real Kafka Connect in one group. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { until } from '../chaos/until.ts';
import { startCluster } from '../services/cluster.ts';
import type { WorkersStatus } from '../services/cluster.ts';
import { startConnect } from '../services/connect.ts';
import type { MillraceServer } from '../services/millrace.ts';
import { useKafka } from '../services/share.ts';

const delayMs = 3_000;
const properties = {
  'session.timeout.ms': '6000',
  'heartbeat.interval.ms': '1000',
  'scheduled.rebalance.max.delay.ms': String(delayMs),
};
const sources = 4;
const sinkTasks = 8;

test('1 JVM and 2 Millrace workers share 12 tasks, whoever leads, and get over the loss of each', { timeout: 10 * 60_000 }, async (t) => {
  const { brokers } = await useKafka();
  const group = `mixed-${randomBytes(4).toString('hex')}`;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-mixed-'));
  t.after(() => rmSync(folder, { recursive: true }));
  // Who comes first leads.
  await using jvm = await startConnect({
    brokers,
    group,
    heap: ['-Xms128M', '-Xmx512M'],
    properties: { ...properties, 'plugin.discovery': 'service_load' },
    logLevel: 'WARN',
  });
  for (let n = 0; n < sources; n++) {
    const file = join(folder, `in-${n}.txt`);
    writeFileSync(file, 'a line\n');
    await put(jvm.url, `${group}-source-${n}`, { 'connector.class': 'FileStreamSource', file, topic: `${group}-lines-${n}` });
  }
  await put(jvm.url, `${group}-sink`, {
    'connector.class': 'FileStreamSink',
    'tasks.max': String(sinkTasks),
    file: join(folder, 'out.txt'),
    'topics.regex': `${group}-lines-.*`,
    'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
  });
  await using cluster = await startCluster({ brokers, group, workers: 2, properties });
  const [one, two] = cluster.workers.map(({ url }) => new URL(url).host) as [string, string];
  const java = new URL(jvm.url).host;
  const leaders = new Set<string>();

  /** All tasks run, shared evenly by exactly these; asked of one of ours. */
  const sharedBy = async (...workers: readonly string[]): Promise<void> => {
    const { url } = cluster.workers.find((worker) => worker.ending() === undefined)!;
    await until(`12 tasks are shared by ${workers.join(', ')}`, async () => {
      const owners = await ownersOf(url);
      equal(owners.length, sources + sinkTasks);
      const counts = workers.map((worker) => owners.filter((owner) => owner === worker).length);
      equal(
        counts.reduce((sum, count) => sum + count, 0),
        owners.length,
        `${counts}: ${owners}`,
      );
      ok(Math.max(...counts) - Math.min(...counts) <= 1, `${counts}`);
      return true;
    });
    leaders.add(await leaderOf(url));
    t.diagnostic(`${workers.length} workers, led by ${(await leaderOf(url)) === java ? 'the JVM' : 'Millrace'}`);
  };

  await sharedBy(java, one, two);
  equal(await leaderOf(cluster.workers[0]!.url), java);
  await jvm.stop();
  const stopped = performance.now();
  await sharedBy(one, two);
  t.diagnostic(`the JVM's tasks ran elsewhere ${Math.round(performance.now() - stopped)} ms after it had stopped (delay ${delayMs} ms)`);
  await jvm.restart();
  await sharedBy(java, one, two);

  // One of ours leads; it dies, and whom the coordinator makes leader then is left to chance.
  const [first, second] = leaders.has(one) ? [one, two] : [two, one];
  const [worker, survivor] = cluster.workers.toSorted(({ url }) => (new URL(url).host === first ? -1 : 1)) as [
    MillraceServer,
    MillraceServer,
  ];
  equal(await leaderOf(survivor.url), first);
  await worker.kill('SIGKILL');
  await sharedBy(java, second);
  if (!leaders.has(second)) {
    await jvm.stop();
    await sharedBy(second);
    await jvm.restart();
  }
  await worker.restart();
  await sharedBy(java, one, two);
  deepEqual([...leaders].sort(), [java, one, two].sort());
});

async function put(url: string, name: string, config: Readonly<Record<string, string>>): Promise<void> {
  const answer = await fetch(`${url}/connectors/${name}/config`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(config),
  });
  equal(answer.status, 201, await answer.text());
}

/** Of each running task. */
async function ownersOf(url: string): Promise<string[]> {
  const all = (await (await fetch(`${url}/connectors?expand=status`)).json()) as Record<string, { status: WorkersStatus }>;
  const tasks = Object.values(all).flatMap(({ status }) => status.tasks);
  for (const { state, trace } of tasks) ok(state !== 'FAILED', trace);
  return tasks.filter(({ state }) => state === 'RUNNING').map(({ worker_id }) => worker_id);
}

/** As one of ours knows it. */
async function leaderOf(url: string): Promise<string> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const leader = /leader_name[^\n]*"(https?:[^"]*)"/.exec(metrics)?.[1];
  ok(leader !== undefined, 'the metrics do not name the leader');
  return new URL(leader).host;
}
