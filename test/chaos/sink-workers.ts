/** One worker or a cluster of two, with a sink's connector, and somebody who restarts tasks that failed. */
import { setTimeout as sleep } from 'node:timers/promises';

import { startCluster } from '../services/cluster.ts';
import { startMillrace } from '../services/millrace.ts';
import type { ConnectorStatus, MillraceServer } from '../services/millrace.ts';
import type { Random } from './seed.ts';

export interface SinkWorkers extends AsyncDisposable {
  /** kill -9 of one of them, and its start after a while; or an orderly stop. Tells what it did. */
  strike(): Promise<string>;
  /** Something that a person may do to the connector: restart its tasks, pause and resume it. */
  bother(): Promise<string>;
  /** Every worker runs. */
  calm(): Promise<void>;
  status(): Promise<ConnectorStatus>;
  request(method: string, path: string, body?: unknown): Promise<unknown>;
  /** Why tasks failed, in the order in which they were restarted. */
  readonly failures: readonly string[];
  readonly workers: readonly MillraceServer[];
}

export interface SinkWorkersOptions {
  readonly brokers: readonly string[];
  readonly connector: string;
  readonly config: Readonly<Record<string, string>>;
  /** Two of them, in one group. */
  readonly cluster: boolean;
  readonly random: Random;
}

/** Short, so that a lost worker is missed soon. */
const properties = { 'offset.flush.interval.ms': '500' };
const watchMs = 500;

export async function startSinkWorkers({ brokers, connector, config, cluster, random }: SinkWorkersOptions): Promise<SinkWorkers> {
  await using started = new AsyncDisposableStack();
  const group = cluster ? started.use(await startCluster({ brokers, group: `${connector}-workers`, workers: 2, properties })) : undefined;
  const single = cluster ? undefined : started.use(await startMillrace({ brokers, properties }));
  const workers = group?.workers ?? [single as MillraceServer];
  const target = group ?? (single as MillraceServer);
  const put = (): Promise<void> => target.put(connector, config);
  await put();
  const pick = (): MillraceServer => workers[random.between(0, workers.length - 1)] as MillraceServer;
  const failures: string[] = [];
  let watching = true;

  async function restartFailed(): Promise<void> {
    const { tasks } = await target.status(connector);
    for (const { id, state, trace } of tasks) {
      if (state !== 'FAILED') continue;
      failures.push((trace ?? 'no trace').split('\n').slice(0, 3).join(' | '));
      await target.request('POST', `/connectors/${connector}/tasks/${id}/restart`);
    }
  }
  const watch = (async () => {
    while (watching) {
      // A worker that is down or in a rebalance answers later.
      await restartFailed().catch(() => {});
      await sleep(watchMs);
    }
  })();
  started.defer(async () => {
    watching = false;
    await watch;
  });

  const kept = started.move();
  return {
    workers,
    failures,
    status: () => target.status(connector),
    request: (method, path, body) => target.request(method, path, body),
    async strike() {
      const worker = pick();
      const hard = random.next() < 0.8;
      await (hard ? worker.kill('SIGKILL') : worker.stop());
      const downMs = random.between(0, cluster ? 6_000 : 500);
      await sleep(downMs);
      await worker.restart();
      // Alone on Kafka a worker keeps configs in memory, as Connect does.
      if (single !== undefined) await put();
      return `worker ${workers.indexOf(worker)} ${hard ? 'killed' : 'stopped'}, started after ${downMs} ms`;
    },
    async bother() {
      if (random.next() < 0.5) {
        await target.request('POST', `/connectors/${connector}/restart?includeTasks=true`);
        return 'connector and tasks restarted';
      }
      await target.request('PUT', `/connectors/${connector}/pause`);
      await sleep(random.between(0, 1_000));
      await target.request('PUT', `/connectors/${connector}/resume`);
      return 'paused and resumed';
    },
    async calm() {
      for (const worker of workers) if (worker.ending() !== undefined) await worker.restart();
      if (single !== undefined) await put();
      await target.request('PUT', `/connectors/${connector}/resume`);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
