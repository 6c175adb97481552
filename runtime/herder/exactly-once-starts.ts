/**
 * What stands between a source task and its first transaction. Sources: KIP-618,
 * org.apache.kafka.connect.runtime.ExactlyOnceWorkerSourceTask (preProducerCheck, postProducerCheck).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectError } from '../api/index.ts';
import { ForwardError, RequestError } from '../ports/herder.ts';
import type { TaskId } from '../ports/tasks.ts';
import { messageOf, taskName } from './herder-context.ts';
import type { HerderOptions } from './herder-context.ts';
import type { Leadership } from './leadership.ts';
import type { SessionKeys } from './session-keys.ts';
import type { ExactlyOncePlan } from './task-plan.ts';
import { transactionalId } from './zombie-fencing.ts';
import type { ZombieFencing } from './zombie-fencing.ts';

const firstBackoffMs = 250;
const longestBackoffMs = 5_000;
/** How long a leader that answers with errors is asked again. */
const patienceMs = 60_000;
const readMs = 60_000;

export type ExactlyOnceStarts = (id: TaskId) => ExactlyOncePlan;

export function createExactlyOnceStarts(
  { configStore, statusStore, membership, peers, settings, logger }: HerderOptions,
  leadership: Leadership,
  fencing: ZombieFencing,
  keys: SessionKeys,
): ExactlyOnceStarts {
  async function askLeader(connector: string): Promise<void> {
    try {
      await fencing.fence(connector);
    } catch (error) {
      if (!(error instanceof ForwardError) || error.url === undefined || peers === undefined) throw error;
      await peers.fenceZombies(error.url, connector, keys.current());
    }
  }

  async function fence(id: TaskId, signal: AbortSignal): Promise<void> {
    let deadline = Date.now() + patienceMs;
    for (let backoffMs = firstBackoffMs; ; backoffMs = Math.min(2 * backoffMs, longestBackoffMs)) {
      try {
        return await unlessAborted(askLeader(id.connector), signal);
      } catch (error) {
        signal.throwIfAborted();
        const status = error instanceof RequestError ? error.status : 500;
        // A rebalance, or newer task configs: both pass, and the second brings another start.
        if (status === 409) deadline = Date.now() + patienceMs;
        if (status === 400 || status === 404 || Date.now() > deadline) {
          throw new ConnectError(`task ${taskName(id)} cannot start: the leader did not fence its predecessors: ${messageOf(error)}`, {
            cause: error,
          });
        }
        logger.warn(
          `task ${taskName(id)} waits for the leader to fence its predecessors, next try in ${backoffMs} ms: ${messageOf(error)}`,
        );
        await sleep(backoffMs, undefined, { signal, ref: false });
      }
    }
  }

  /** Why the task must not run as it was planned; undefined where it may. */
  async function outdated(id: TaskId, generation: number): Promise<string | undefined> {
    await configStore.readToEnd(readMs);
    if (configStore.taskGeneration(id.connector) !== generation) return 'the connector has already generated a new set of task configs';
    return leadership.runsHere(id) ? undefined : 'it has already been revoked from this worker';
  }

  /** A worker that was stopped for a while may not know yet that another runs the task by now. */
  async function runsElsewhere(id: TaskId): Promise<boolean> {
    await statusStore.readToEnd(readMs);
    const status = statusStore.task(id);
    return status !== undefined && status.workerId !== membership.workerId && status.generation > leadership.assignment().generation;
  }

  return (id) => {
    const generation = configStore.taskGeneration(id.connector);
    return {
      transactionalId: transactionalId(settings.workerGroupId, id.connector, id.task),
      generation,
      fence: (signal) => fence(id, signal),
      async verify() {
        const why = await outdated(id, generation);
        if (why !== undefined) throw new ConnectError(`Cannot start source task ${taskName(id)} with exactly-once support as ${why}`);
      },
      superseded: async () => {
        try {
          return (await outdated(id, generation)) !== undefined || (await runsElsewhere(id));
        } catch {
          return false;
        }
      },
    };
  };
}

/** A task that is to stop does not wait for an answer. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
