/** What may befall a cluster, chosen at random, and undone where it must be. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Cluster } from '../services/cluster.ts';
import type { MillraceServer } from '../services/millrace.ts';
import type { Server } from '../services/server.ts';
import type { Random } from './seed.ts';

export interface ClusterEvents {
  /** Does one thing to the cluster, and tells what. */
  happen(): Promise<string>;
  /** Every worker runs, none is frozen, and what was paused is resumed. */
  calm(): Promise<void>;
}

export interface EventTargets {
  readonly cluster: Cluster;
  readonly broker: Server;
  /** Connectors that may be paused, resumed and reconfigured: name → config. */
  readonly lasting: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** The config of a connector that may be made and deleted at will. */
  readonly passing: (number: number) => Readonly<Record<string, string>>;
}

/** Longer than the session timeout of the cluster's workers. */
const longFreezeMs = [8_000, 12_000] as const;
const mostPassing = 4;

export function createClusterEvents({ cluster, broker, lasting, passing }: EventTargets, random: Random): ClusterEvents {
  const frozen = new Set<MillraceServer>();
  const paused = new Set<string>();
  const alive = new Set<number>();
  let made = 0;

  const pick = <T>(items: readonly T[]): T => items[random.between(0, items.length - 1)] as T;
  const up = (): MillraceServer[] => cluster.workers.filter((worker) => worker.ending() === undefined && !frozen.has(worker));
  const down = (): MillraceServer[] => cluster.workers.filter((worker) => worker.ending() !== undefined);
  const name = (worker: MillraceServer): string => `worker ${cluster.workers.indexOf(worker)}`;

  async function freeze(): Promise<string> {
    const worker = pick(up());
    const forMs = random.next() < 0.5 ? random.between(200, 3_000) : random.between(...longFreezeMs);
    frozen.add(worker);
    await worker.pause();
    await sleep(forMs);
    worker.resume();
    frozen.delete(worker);
    return `${name(worker)} frozen for ${forMs} ms`;
  }

  async function restartDown(): Promise<string> {
    const worker = pick(down());
    await worker.restart();
    return `${name(worker)} started`;
  }

  async function reconfigure(): Promise<string> {
    const [connector, config] = pick([...lasting]);
    await cluster.put(connector, { ...config, 'errors.log.enable': String(random.next() < 0.5) });
    return `${connector} reconfigured`;
  }

  async function togglePause(): Promise<string> {
    const [connector] = pick([...lasting]);
    const wasPaused = paused.has(connector);
    await cluster.request('PUT', `/connectors/${connector}/${wasPaused ? 'resume' : 'pause'}`);
    if (wasPaused) paused.delete(connector);
    else paused.add(connector);
    return `${connector} ${wasPaused ? 'resumed' : 'paused'}`;
  }

  async function create(): Promise<string> {
    const number = made++;
    await cluster.put(`passing-${number}`, passing(number));
    alive.add(number);
    return `passing-${number} created`;
  }

  async function remove(): Promise<string> {
    const number = pick([...alive]);
    alive.delete(number);
    try {
      await cluster.request('DELETE', `/connectors/passing-${number}`);
    } catch (error) {
      // An earlier try may have done it, and its answer was lost with its worker.
      if (!/: 404 /.test((error as Error).message)) throw error;
    }
    return `passing-${number} deleted`;
  }

  async function restartBroker(): Promise<string> {
    const hard = random.next() < 0.5;
    if (hard) await broker.kill('SIGKILL');
    await broker.restart();
    return `broker ${hard ? 'killed and started' : 'restarted'}`;
  }

  async function happen(): Promise<string> {
    const dice = random.next();
    if (down().length > 0 && (up().length < 2 || dice < 0.25)) return restartDown();
    if (dice < 0.4) {
      const worker = pick(up());
      const hard = random.next() < 0.6;
      await (hard ? worker.kill('SIGKILL') : worker.stop());
      return `${name(worker)} ${hard ? 'killed' : 'stopped'}`;
    }
    if (dice < 0.52) return freeze();
    if (dice < 0.66) return alive.size >= mostPassing || (alive.size > 0 && random.next() < 0.4) ? remove() : create();
    if (dice < 0.82) return reconfigure();
    if (dice < 0.97) return togglePause();
    return restartBroker();
  }

  return {
    happen,
    async calm() {
      for (const worker of down()) await worker.restart();
      for (const connector of paused) await cluster.request('PUT', `/connectors/${connector}/resume`);
      for (const number of alive) await cluster.request('DELETE', `/connectors/passing-${number}`);
    },
  };
}
