/**
 * How the leader shares work out in protocol versions 1 and 2: what runs stays where it is, unless balance asks for
 * a move, and a move takes two rounds, so that nothing runs twice. The rule is Connect's, so that a group of both
 * kinds of worker behaves alike whoever leads; where ours is better, a comment says so.
 * Sources: org.apache.kafka.connect.runtime.distributed.IncrementalCooperativeAssignor; KIP-415.
 */
import type { Work } from '../../ports/membership.ts';
import type { TaskId } from '../../ports/tasks.ts';
import { compareText } from './work.ts';
import type { Told } from './work.ts';
import { both, dealOut, dealTo, itemsOf, itemsOfLoad, loadOf, sorted, surplus, together, without, workOf } from './worker-loads.ts';
import type { Items, WorkerLoad } from './worker-loads.ts';

export interface IncrementalAssignorOptions {
  /** `scheduled.rebalance.max.delay.ms`: how long the work of a worker that is gone waits for its return. */
  readonly maxDelayMs: number;
  /** Milliseconds, on whatever clock; only differences count. */
  readonly now: () => number;
  /** For debugging: one line for each round, what was found and decided. */
  readonly log: (message: string) => void;
}

export interface ShareRound {
  /** The group's, of this round. */
  readonly generation: number;
  /** The last generation in which this worker was told its share (the round was completed); -1 before the first. */
  readonly lastCompletedGeneration: number;
  /** By member id, what each says that it runs. At least one member. */
  readonly members: ReadonlyMap<string, Work>;
  /** What the config store holds. */
  readonly configured: Work;
  /**
   * Whether it certainly runs nowhere, because its worker said so before it went: work that is lost in this way is
   * given out at once. Asked only for what is lost.
   */
  readonly released: (item: string | TaskId) => boolean;
}

export interface Shares {
  /** For each member of the round. */
  readonly told: ReadonlyMap<string, Told>;
  /** By member id, everything that it runs once it has done what it was told. */
  readonly runs: ReadonlyMap<string, Work>;
  /** Configured, and kept back since its worker is gone and may return. What only moves is not in it. */
  readonly unassigned: Work;
  /** When everybody is to join again; 0 for no need. Whoever had anything revoked joins again anyway. */
  readonly delayMs: number;
}

/** The leader's memory and its rule. */
export interface IncrementalAssignor {
  /** Remembers what it shares out: a call for each round that this worker leads, and no other. */
  share(round: ShareRound): Shares;
  /** Forgets everything: another worker leads, or this one was thrown out. */
  reset(): void;
}

interface Memory {
  /** What was shared out last, and what was lost then. Cleared where the last round was not completed. */
  given: Items;
  /** What the last round took away. */
  revoked: Items;
  generation: number;
  members: ReadonlySet<string>;
  delayMs: number;
  /** When that delay is over. */
  dueMs: number | undefined;
  /** Members that were idle during the delay, one that returned among them, likely: they get what was lost. */
  candidates: Set<string>;
  /** The last round took something away for balance alone. */
  balancing: boolean;
  /** Rounds in a row that wanted to. */
  balancingRounds: number;
}

const blank = (): Memory => ({
  ...{ given: new Map(), revoked: new Map(), generation: -1, members: new Set() },
  ...{ delayMs: 0, dueMs: undefined, candidates: new Set(), balancing: false, balancingRounds: 0 },
});

export function createIncrementalAssignor({ maxDelayMs, now, log }: IncrementalAssignorOptions): IncrementalAssignor {
  let memory = blank();

  function share({ generation, lastCompletedGeneration, members, configured: work, released }: ShareRound): Shares {
    if (memory.generation !== lastCompletedGeneration) memory.given = new Map();
    const configured = itemsOf(work);
    const before = [...members].map(([id, runs]) => loadOf(id, runs)).toSorted((a, b) => compareText(a.id, b.id));
    const active = together(...before.map(itemsOfLoad));
    // Somebody was not told, and runs on what was taken away: what was thought to be shared out is not.
    if (both(memory.revoked, active).size > 0) memory.given = active;

    // Connect forgets the active ones here: a leader without memory lets a deleted connector's tasks run on.
    const deleted = without(together(memory.given, active), configured);
    const twice = duplicates(before);
    const lost = sorted(without(memory.given, active, deleted));
    const created = sorted(without(configured, memory.given, active));

    const after = before.map(({ id, connectors, tasks }) => ({ id, connectors: new Map(connectors), tasks: new Map(tasks) }));
    const revoked = new Map<string, Items>(before.map((load) => [load.id, both(itemsOfLoad(load), together(deleted, twice))]));
    takeAway(after, revoked);
    const found = recover(lost, after, configured, released);
    for (const [id, items] of balance(after, configured)) revoked.set(id, together(revoked.get(id) ?? new Map(), items));
    dealOut(after, together(created, found));

    const given = together(...after.map(itemsOfLoad));
    const waiting = without(lost, given);
    memory = {
      ...memory,
      generation,
      given: together(given, waiting),
      revoked: together(...revoked.values()),
      members: new Set(members.keys()),
    };
    log(
      `generation ${generation}: ${members.size} workers, ${configured.size} connectors and tasks: ${deleted.size} deleted, ${created.size} new, ` +
        `${lost.size} lost (${waiting.size} wait for ${memory.delayMs} ms), ${twice.size} on two workers, ${memory.revoked.size} taken away`,
    );
    return {
      told: new Map(
        after.map((load, index) => {
          const assigned = without(itemsOfLoad(load), itemsOfLoad(before[index]!));
          return [load.id, { assigned: workOf(assigned), revoked: workOf(revoked.get(load.id)!) }];
        }),
      ),
      runs: new Map(after.map((load) => [load.id, workOf(itemsOfLoad(load))])),
      unassigned: workOf(waiting),
      delayMs: memory.delayMs,
    };
  }

  /** Decides on what was lost: what is found here is to be given out now; candidates may get theirs at once. */
  function recover(lost: Items, loads: readonly WorkerLoad[], configured: Items, released: ShareRound['released']): Items {
    const free = new Map([...lost].filter(([, item]) => released(item)));
    const missed = without(lost, free);
    // Connect waits for the full delay when a worker that had nothing left after a round that took something away.
    if (missed.size === 0 && (!memory.balancing || memory.dueMs === undefined)) {
      endDelay();
      return lost;
    }
    const here = new Set(loads.map(({ id }) => id));
    // Nobody left: somebody was not told what it should start.
    const allHere = memory.members.isSubsetOf(here);
    if ((memory.dueMs === undefined && allHere) || maxDelayMs === 0) return lost;

    const time = now();
    if (memory.dueMs !== undefined && time >= memory.dueMs) {
      const candidates = [...memory.candidates].flatMap((id) => loads.find((load) => load.id === id) ?? []);
      endDelay();
      memory.balancing = false;
      // Connect gives candidates everything, and then takes the surplus away, from what runs.
      return candidates.length === 0 ? lost : together(free, dealTo(candidates, loads, missed, configured));
    }
    for (const load of loads) if (itemsOfLoad(load).size === 0) memory.candidates.add(load.id);
    memory.delayMs = memory.dueMs === undefined ? maxDelayMs : Math.min(Math.ceil(memory.dueMs - time), maxDelayMs);
    memory.dueMs = time + memory.delayMs;
    return free;
  }

  function endDelay(): void {
    memory.candidates.clear();
    memory.dueMs = undefined;
    memory.delayMs = 0;
  }

  /** Takes away what workers run beyond their fair share, and gives what it took; a second time in a row only after a while. */
  function balance(loads: readonly WorkerLoad[], configured: Items): ReadonlyMap<string, Items> {
    const nothing = new Map<string, Items>();
    if (memory.delayMs > 0) {
      memory.balancing = false;
      return nothing;
    }
    const tooMuch = surplus(loads, configured);
    if (tooMuch.size === 0) {
      if (memory.balancing) memory.balancingRounds = 0;
      memory.balancing = false;
      return nothing;
    }
    if (memory.balancing) {
      memory.balancingRounds++;
      memory.delayMs = backoffMs(memory.balancingRounds, maxDelayMs);
      if (memory.delayMs > 0) {
        memory.dueMs = now() + memory.delayMs;
        return nothing;
      }
    }
    memory.balancing = true;
    takeAway(loads, tooMuch);
    return tooMuch;
  }

  return {
    share,
    reset() {
      memory = blank();
    },
  };
}

function takeAway(loads: readonly WorkerLoad[], revoked: ReadonlyMap<string, Items>): void {
  for (const load of loads) {
    for (const key of revoked.get(load.id)?.keys() ?? []) {
      load.connectors.delete(key);
      load.tasks.delete(key);
    }
  }
}

/** What more than one worker says that it runs. */
function duplicates(loads: readonly WorkerLoad[]): Items {
  const seen = new Set<string>();
  return new Map(loads.flatMap((load) => [...itemsOfLoad(load)].filter(([key]) => seen.has(key) || !seen.add(key))));
}

/** 1 · 40^rounds, at most `mostMs`. Source: org.apache.kafka.common.utils.ExponentialBackoff. */
function backoffMs(rounds: number, mostMs: number): number {
  if (mostMs <= 1) return mostMs;
  return Math.floor(Math.min(40 ** Math.min(rounds, Math.log(mostMs) / Math.log(40)), mostMs));
}
