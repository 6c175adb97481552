/**
 * Who leads, and whether this worker may write as the leader. Sources:
 * org.apache.kafka.connect.runtime.distributed.DistributedHerder (isLeader, writeToConfigTopicAsLeader).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ForwardError } from '../ports/herder.ts';
import type { Assignment } from '../ports/membership.ts';
import type { TaskId } from '../ports/tasks.ts';
import { messageOf, taskName } from './herder-context.ts';
import type { HerderOptions, HerderTimes } from './herder-context.ts';

export interface Leadership extends AsyncDisposable {
  /** What this worker is to run, as last told. */
  assignment(): Assignment;
  assigned(now: Assignment): void;
  /** The task is this worker's. */
  runsHere(id: TaskId): boolean;
  /** This worker leads, and may write. */
  leads(): boolean;
  /** Waits while the group shares out anew. Rejects with a ForwardError, to nobody, when that takes long. */
  settled(): Promise<void>;
  /** Resolves where this worker leads and may write. Rejects with a ForwardError to the leader, or to nobody. */
  required(): Promise<void>;
  /** As {@link required}; rejects so too when the write fails because another leads by now. */
  write<T>(work: () => Promise<T>): Promise<T>;
}

const pollMs = 20;
const firstBackoffMs = 250;
const longestBackoffMs = 10_000;

export function createLeadership({ membership, configStore, logger }: HerderOptions, times: HerderTimes): Leadership {
  let assignment: Assignment = { generation: 0, leader: false, connectors: [], tasks: [] };
  let tasks = new Set<string>();
  /** Rises when this worker begins to lead, and when its claim turns out to be void. */
  let term = 0;
  let claimed = -1;
  const closing = new AbortController();

  async function claim(): Promise<void> {
    const mine = term;
    for (let backoffMs = firstBackoffMs; mine === term && !closing.signal.aborted; backoffMs = Math.min(2 * backoffMs, longestBackoffMs)) {
      try {
        await configStore.claimWriting();
        if (mine === term) claimed = mine;
        return;
      } catch (error) {
        logger.warn(`this worker leads, and could not yet claim the config store, will try again: ${messageOf(error)}`);
        await sleep(backoffMs, undefined, { signal: closing.signal }).catch(() => {});
      }
    }
  }

  /** A former leader that does not know yet that it is one would take writing from the new one: the group's word first. */
  async function claimAgain(): Promise<void> {
    const mine = ++term;
    await sleep(firstBackoffMs, undefined, { signal: closing.signal }).catch(() => {});
    while (!membership.settled() && !closing.signal.aborted) await sleep(pollMs);
    if (mine === term && assignment.leader) await claim();
  }

  function refusal(): ForwardError | undefined {
    if (!membership.settled()) return new ForwardError(undefined);
    if (!assignment.leader) return new ForwardError(assignment.leaderUrl);
    return claimed === term ? undefined : new ForwardError(undefined);
  }

  async function until(refused: () => ForwardError | undefined): Promise<void> {
    const deadline = Date.now() + times.settleMs;
    for (;;) {
      const error = refused();
      if (error === undefined) return;
      if (error.url !== undefined || Date.now() >= deadline || closing.signal.aborted) throw error;
      await sleep(pollMs);
    }
  }

  const required = (): Promise<void> => until(refusal);

  return {
    assignment: () => assignment,
    assigned(now) {
      const before = assignment;
      // Statuses carry the generation: what is said on the way out of the group belongs to the one it was in.
      assignment = now.generation < before.generation ? { ...now, generation: before.generation } : now;
      tasks = new Set(now.tasks.map(taskName));
      if (!now.leader) term++;
      else if (!before.leader) {
        term++;
        void claim();
      }
    },
    runsHere: (id) => tasks.has(taskName(id)),
    leads: () => assignment.leader && claimed === term,
    settled: () => until(() => (membership.settled() ? undefined : new ForwardError(undefined))),
    required,
    async write(work) {
      await required();
      const mine = term;
      try {
        return await work();
      } catch (error) {
        // After any write that failed the store may want a new claim.
        const outdated = mine !== term;
        if (!outdated) void claimAgain();
        if (!outdated && !isFenced(error)) throw error;
        logger.warn(`a write to the config store was refused, since another worker claimed it: ${messageOf(error)}`);
        throw new ForwardError(undefined);
      }
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
    },
  };
}

/** By name, since errors cross threads. */
function isFenced(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 10; cause = cause.cause, depth++) {
    if (cause.name === 'FencedError') return true;
  }
  return false;
}
