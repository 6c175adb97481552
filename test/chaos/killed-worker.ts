/** A distributed worker of one source, which is killed (SIGKILL) at random moments and started again. */
import { setTimeout as sleep } from 'node:timers/promises';

import { Kafka, logLevel } from 'kafkajs';

import { startMillrace } from '../services/millrace.ts';
import type { ConnectorStatus, MillraceServer } from '../services/millrace.ts';
import type { Random } from './seed.ts';
import { until } from './until.ts';

export interface KilledWorker extends AsyncDisposable {
  readonly server: MillraceServer;
  readonly kills: number;
  /** Kills that came before the life had written anything: as it started, joined its group, fenced, took up its slot. */
  readonly early: number;
  put(name: string, config: Readonly<Record<string, string>>): Promise<void>;
  remove(name: string): Promise<void>;
  /** Kills it, now as it starts, now a moment after it wrote to these topics; and lets it start again, without waiting for it. */
  kill(topics: readonly string[]): Promise<void>;
  /** Resolves when it answers. */
  ready(): Promise<void>;
  /** Tasks and connectors that failed, and why. */
  failures(): Promise<string[]>;
}

export interface KilledWorkerOptions {
  readonly brokers: readonly string[];
  readonly group: string;
  readonly exactlyOnce: boolean;
  /** How long it may go on after it has written something. */
  readonly latestMs: number;
}

// Short, so that the next life need not wait long until the last one is missed.
const impatience = {
  'session.timeout.ms': '3000',
  'heartbeat.interval.ms': '500',
  'scheduled.rebalance.max.delay.ms': '0',
  'offset.flush.interval.ms': '300',
};

export async function startKilledWorker(options: KilledWorkerOptions, random: Random): Promise<KilledWorker> {
  const { brokers, group, exactlyOnce, latestMs } = options;
  const properties = { ...impatience, 'exactly.once.source.support': exactlyOnce ? 'enabled' : 'disabled' };
  await using stack = new AsyncDisposableStack();
  const admin = new Kafka({ clientId: 'kills', brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  stack.defer(() => admin.disconnect());
  const server = stack.use(await startMillrace({ brokers, group, properties }));
  const counts = { kills: 0, early: 0 };
  let starting = Promise.resolve();
  let spawnedAt = performance.now();
  /** From its start to the first record, in the life before. */
  let begunAfterMs = 3_000;

  const written = async (topics: readonly string[]): Promise<number> => {
    let sum = 0;
    for (const topic of topics) {
      // Not made yet.
      const partitions = await admin.fetchTopicOffsets(topic).catch(() => []);
      for (const { high } of partitions) sum += Number(high);
    }
    return sum;
  };
  const request = async (method: string, path: string, body?: unknown): Promise<void> => {
    // It refuses for as long as the group has not made up its mind.
    await until(`${method} ${path}`, async () => (await server.request(method, path, body), true), 60_000);
  };
  const kept = stack.move();
  return {
    server,
    get kills() {
      return counts.kills;
    },
    get early() {
      return counts.early;
    },
    put: (name, config) => request('PUT', `/connectors/${name}/config`, config),
    remove: (name) => request('DELETE', `/connectors/${name}`),
    async kill(topics) {
      await until('it runs', () => server.ending() === undefined, 60_000, 20);
      const before = await written(topics);
      const early = random.next() < 0.35;
      if (early) await sleep(random.between(0, Math.floor(1.1 * begunAfterMs)));
      else {
        await until('there is more in the topics', async () => (await written(topics)) > before, 300_000, 20).catch((cause: unknown) => {
          throw new Error(`after kill ${counts.kills}; the worker's last words:\n${server.logTail(60)}`, { cause });
        });
        if (counts.kills > 0) begunAfterMs = performance.now() - spawnedAt;
        await sleep(random.between(0, latestMs));
      }
      await server.kill('SIGKILL');
      counts.kills++;
      if ((await written(topics)) === before) counts.early++;
      spawnedAt = performance.now();
      starting = server.restart();
      // Killed again before it answers.
      starting.catch(() => undefined);
    },
    ready: () => starting,
    async failures() {
      const all = (await server.request('GET', '/connectors?expand=status')) as Record<string, { status: ConnectorStatus }>;
      return Object.entries(all).flatMap(([name, { status }]) =>
        [status.connector, ...status.tasks].filter(({ state }) => state === 'FAILED').map(({ trace }) => `${name}: ${trace}`),
      );
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
