/** Several distributed workers of ours in one group, each in a process of its own. */
import { setTimeout as sleep } from 'node:timers/promises';

import { startMillrace } from './millrace.ts';
import type { ConnectorStatus, MillraceServer } from './millrace.ts';

export interface Cluster extends AsyncDisposable {
  readonly group: string;
  readonly workers: readonly MillraceServer[];
  /** Starts one more. */
  add(): Promise<MillraceServer>;
  /** Asks any worker that answers, until one says neither 409 nor 5xx. Throws for any other answer that is no success. */
  request(method: string, path: string, body?: unknown): Promise<unknown>;
  put(name: string, config: Readonly<Record<string, string>>): Promise<void>;
  status(name: string): Promise<WorkersStatus>;
  /** Which tasks each running worker says it runs, by its own metrics: `connector-0` → their ids (host:port). */
  runners(): Promise<Map<string, string[]>>;
}

export interface WorkersStatus extends ConnectorStatus {
  readonly connector: { readonly state: string; readonly worker_id: string; readonly trace?: string };
  readonly tasks: readonly { readonly id: number; readonly state: string; readonly worker_id: string; readonly trace?: string }[];
}

export interface ClusterOptions {
  readonly brokers: readonly string[];
  readonly group: string;
  readonly workers?: number;
  readonly properties?: Readonly<Record<string, string>>;
}

/** Short, so that tests need not wait long until a dead worker is missed. */
const impatience = {
  'session.timeout.ms': '6000',
  'heartbeat.interval.ms': '1000',
  'scheduled.rebalance.max.delay.ms': '2000',
};

const patienceMs = 90_000;

export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { brokers, group, workers: count = 3 } = options;
  const properties = { ...impatience, ...options.properties };
  await using started = new AsyncDisposableStack();
  const workers: MillraceServer[] = [];
  const add = async (): Promise<MillraceServer> => {
    const worker = started.use(await startMillrace({ brokers, group, properties }));
    workers.push(worker);
    return worker;
  };
  for (let n = 0; n < count; n++) await add();
  let turn = 0;

  async function request(method: string, path: string, body?: unknown): Promise<unknown> {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      const running = workers.filter((worker) => worker.ending() === undefined);
      const worker = running[turn++ % Math.max(1, running.length)];
      try {
        if (worker === undefined) throw new Error(`no worker of ${group} runs`);
        return await worker.request(method, path, body);
      } catch (error) {
        const passes = !/: [1-4]\d\d /.test((error as Error).message) || /: 409 .*(rebalance|momentarily)/.test((error as Error).message);
        if (!passes || Date.now() > deadline) throw error;
        await sleep(200);
      }
    }
  }

  const kept = started.move();
  return {
    group,
    workers,
    add,
    request,
    put: async (name, config) => void (await request('PUT', `/connectors/${encodeURIComponent(name)}/config`, config)),
    status: (name) => request('GET', `/connectors/${encodeURIComponent(name)}/status`) as Promise<WorkersStatus>,
    async runners() {
      const found = new Map<string, string[]>();
      for (const { url } of workers.filter((worker) => worker.ending() === undefined)) {
        for (const task of tasksIn(await (await fetch(`${url}/metrics`)).text())) {
          found.set(task, [...(found.get(task) ?? []), new URL(url).host]);
        }
      }
      return found;
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function tasksIn(metrics: string): Set<string> {
  const lines = metrics.matchAll(/^millrace_task_heap_bytes\{connector="([^"]*)",task="(\d+)"/gm);
  return new Set([...lines].map(([, connector, task]) => `${connector}-${task}`));
}
