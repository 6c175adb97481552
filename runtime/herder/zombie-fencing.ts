/**
 * Before tasks of a new set of task configs write, those of the last set must be unable to (KIP-618). Done by the
 * leader, once for each set. Source: org.apache.kafka.connect.runtime.distributed.DistributedHerder (doFenceZombieSourceTasks).
 */
import { RequestError } from '../ports/herder.ts';
import { notFound } from './connector-requests.ts';
import type { HerderOptions, HerderTimes } from './herder-context.ts';
import { createKeyedQueue } from './keyed-queue.ts';
import type { Leadership } from './leadership.ts';

export interface ZombieFencing {
  /** Rejects with a ForwardError where another leads, and with a RequestError (409) where new task configs came meanwhile. */
  fence(connector: string): Promise<void>;
}

export function createZombieFencing(options: HerderOptions, leadership: Leadership, times: HerderTimes): ZombieFencing {
  const { configStore, pluginHost, log, settings, logger } = options;
  const queue = createKeyedQueue();

  async function fence(name: string): Promise<void> {
    await leadership.required();
    await configStore.readToEnd(times.syncMs);
    const entry = configStore.get(name);
    if (entry === undefined) throw notFound(name);
    if (pluginHost.kindOf(entry.properties['connector.class'] ?? '') !== 'source') {
      throw new RequestError(400, `Connector ${name} is not a source connector`);
    }
    if (!configStore.needsFencing(name)) return;
    const generation = configStore.taskGeneration(name);
    const before = configStore.fencedTasks(name);
    const now = entry.tasks.length;
    // One task in place of one: it fences the earlier one itself, having the same transactional id.
    if (before !== undefined && before > 0 && !(before === 1 && now === 1)) {
      await log.fenceProducers(Array.from({ length: before }, (_, task) => transactionalId(settings.workerGroupId, name, task)));
      logger.info(`connector ${name}: ${before} tasks of earlier task configs can write no more`);
      await configStore.readToEnd(times.syncMs);
      if (configStore.taskGeneration(name) !== generation) {
        throw new RequestError(409, 'Fencing failed because new task configurations were generated for the connector');
      }
    }
    await leadership.write(() => configStore.putFencedTasks(name, now));
  }

  // One after the other: who comes second finds that nothing is left to do.
  return { fence: (name) => queue.run(name, () => fence(name)) };
}

export function transactionalId(workerGroupId: string | undefined, connector: string, task: number): string {
  return `${workerGroupId ?? ''}-${connector}-${task}`;
}
