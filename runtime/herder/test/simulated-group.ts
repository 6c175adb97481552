/**
 * A group of workers without Kafka: the leader's rule is the real one, the members' side is as Connect's workers do
 * it (what I ran, less what is revoked, and what is new; join again after a revocation, or when the delay is over).
 * Checks in every round what must hold in every round.
 */
import assert from 'node:assert/strict';
import { createIncrementalAssignor } from '../assignment/incremental-assignor.ts';
import type { IncrementalAssignor, Shares, ShareRound } from '../assignment/incremental-assignor.ts';
import { isIdle, noWork, taskKey, workAfter } from '../assignment/work.ts';
import type { Told } from '../assignment/work.ts';
import type { Work } from '../../ports/membership.ts';

interface Member {
  readonly assignor: IncrementalAssignor;
  work: Work;
  /** The last generation that it was told its share in. */
  completed: number;
}

/** What came over the wire in a round, and did not: an answer that a member missed, or all of them. */
export type Missing = 'nothing' | 'everything' | { readonly member: string };

export interface Decision {
  readonly leader: string;
  readonly round: ShareRound;
  readonly shares: Shares;
  /** On the group's clock. */
  readonly nowMs: number;
  /** CPU that the decision cost this thread, so that what else runs on the machine does not count. */
  readonly cpuMs: number;
}

export interface GroupOptions {
  readonly maxDelayMs: number;
  /** Called after each round with what the leader was given, what it decided, and how long that took it. */
  readonly onRound?: (decision: Decision) => void;
}

export interface SimulatedGroup {
  readonly members: ReadonlyMap<string, Work>;
  readonly configured: Work;
  /** Items that changed hands though their owner was there. */
  moves(): number;
  rounds(): number;
  /** How many members there were, all in all. */
  joined(): number;
  join(): string;
  /** Gone without a word. */
  crash(id: string): void;
  /** Gone after it stopped its work and said so. */
  leave(id: string): void;
  /** Thrown out while it goes on working; what is returned brings it back as a new member, with what it thinks is its own. */
  freeze(id: string): () => void;
  configure(work: Work): void;
  passTime(ms: number): void;
  /** One rebalance. Nothing happens without members. */
  round(missing?: Missing): void;
  /** Rebalances for as long as anything asks for it. */
  settle(): void;
}

export function createSimulatedGroup({ maxDelayMs, onRound }: GroupOptions): SimulatedGroup {
  const members = new Map<string, Member>();
  const free = new Set<string>();
  const owners = new Map<string, string>();
  let [nowMs, generation, count, moved, rounds, pending] = [1_000, 0, 0, 0, 0, false];
  let dueMs: number | undefined;
  let configured: Work = noWork;

  function round(missing: Missing = 'nothing'): void {
    const [leaderId, leader] = [...members][0] ?? [];
    if (leaderId === undefined || leader === undefined) return;
    const input: ShareRound = {
      generation: ++generation,
      lastCompletedGeneration: leader.completed,
      members: new Map([...members].map(([id, { work }]) => [id, work])),
      configured,
      released: (item) => free.has(typeof item === 'string' ? item : taskKey(item)),
    };
    rounds++;
    const begin = threadCpuMs();
    const shares = leader.assignor.share(input);
    const cpuMs = threadCpuMs() - begin;
    checkRound(input, shares);
    onRound?.({ leader: leaderId, round: input, shares, nowMs, cpuMs });
    if (missing === 'everything') {
      pending = true;
      return;
    }
    pending = false;
    dueMs = shares.delayMs > 0 ? nowMs + shares.delayMs : undefined;
    for (const [id, member] of members) {
      if (typeof missing === 'object' && missing.member === id) pending = true;
      else tell(id, member, shares.told.get(id)!);
    }
  }

  function tell(id: string, member: Member, told: Told): void {
    member.work = workAfter(member.work, told);
    member.completed = generation;
    if (!isIdle(told.revoked)) pending = true;
    for (const key of keysOf(told.assigned)) {
      free.delete(key);
      const owner = owners.get(key);
      if (owner !== undefined && owner !== id && members.has(owner)) moved++;
      owners.set(key, id);
    }
  }

  function newMember(): Member {
    return { assignor: createIncrementalAssignor({ maxDelayMs, now: () => nowMs, log: () => {} }), work: noWork, completed: -1 };
  }

  function add(work: Work): string {
    // One letter first, so that hash maps of Java's keep these in order (see the tests against the real one).
    const id = String.fromCharCode(97 + count++);
    members.set(id, { ...newMember(), work });
    pending = true;
    return id;
  }

  const gone = (id: string): Work => {
    const { work } = members.get(id)!;
    members.delete(id);
    pending = true;
    return work;
  };

  return {
    get members() {
      return new Map([...members].map(([id, { work }]) => [id, work]));
    },
    get configured() {
      return configured;
    },
    moves: () => moved,
    rounds: () => rounds,
    joined: () => count,
    join: () => add(noWork),
    crash: (id) => void gone(id),
    leave(id) {
      for (const key of keysOf(gone(id))) free.add(key);
    },
    freeze(id) {
      const work = gone(id);
      return () => void add(work);
    },
    configure(work) {
      configured = work;
      pending = true;
    },
    passTime(ms) {
      nowMs += ms;
    },
    round,
    settle() {
      for (let count = 0; members.size > 0; count++) {
        if (pending) round();
        else if (dueMs !== undefined) {
          nowMs = Math.max(nowMs, dueMs);
          round();
        } else return;
        assert.ok(count < 30, 'the group does not come to rest');
      }
    },
  };
}

export function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** Names of connectors, and keys of tasks; in the simulation no connector's name looks like a task's key. */
export const keysOf = (work: Work): string[] => [...work.connectors, ...work.tasks.map(taskKey)];

function checkRound({ members, configured }: ShareRound, { told, runs, unassigned, delayMs }: Shares): void {
  assert.deepEqual([...told.keys()].toSorted(), [...members.keys()].toSorted());
  const before = new Map<string, string>();
  const twice = new Set<string>();
  for (const [id, work] of members) {
    for (const key of keysOf(work)) {
      if (before.has(key)) twice.add(key);
      before.set(key, id);
    }
  }
  const wanted = new Set(keysOf(configured));
  const placed = new Set(keysOf(unassigned));
  const revoked = new Set<string>();
  for (const [id, { assigned, revoked: taken }] of told) {
    const had = new Set(keysOf(members.get(id)!));
    for (const key of keysOf(assigned)) {
      assert.ok(!before.has(key), `${key} is given to ${id} while ${before.get(key)} runs it`);
      assert.ok(!placed.has(key), `${key} is given out twice, or waits`);
      assert.ok(wanted.has(key), `${key} is given to ${id} though it is not configured`);
      placed.add(key);
    }
    for (const key of keysOf(taken)) {
      assert.ok(had.has(key), `${key} is taken from ${id}, which does not run it`);
      revoked.add(key);
    }
    const then = workAfter(members.get(id)!, told.get(id)!);
    assert.deepEqual(keysOf(runs.get(id)!).toSorted(), keysOf(then).toSorted());
    for (const key of keysOf(then)) assert.ok(wanted.has(key), `${id} goes on running ${key}, which is not configured`);
  }
  for (const key of wanted) {
    const places = Number(placed.has(key)) + Number(revoked.has(key)) + Number(before.has(key) && !revoked.has(key));
    assert.equal(places, 1, `${key} is in ${places} places`);
  }
  assert.ok(delayMs > 0 || isIdle(unassigned), 'work waits, and nobody will come back for it');
  for (const kind of ['connectors', 'tasks'] as const) {
    const takenForBalance = [...told.values()].flatMap((each) => keysOf({ ...noWork, [kind]: each.revoked[kind] }));
    const needless = takenForBalance.filter((key) => wanted.has(key) && !twice.has(key)).length;
    const kept = [...members.values()].map((work) => {
      return keysOf({ ...noWork, [kind]: work[kind] }).filter((key) => wanted.has(key) && !twice.has(key)).length;
    });
    const fewest = fewestMoves(kept, configured[kind].length);
    assert.equal(needless, delayMs > 0 ? 0 : fewest, `${needless} ${kind} move, where ${fewest} would do`);
  }
}

/** How many items must leave their workers, at least, so that counts can differ by one at most. */
export function fewestMoves(counts: readonly number[], total: number): number {
  const floor = Math.floor(total / counts.length);
  const above = counts.filter((count) => count > floor);
  return above.reduce((sum, count) => sum + count - floor, 0) - Math.min(total % counts.length, above.length);
}

/** At rest every item is on one worker, and no worker has two more of a kind than another. */
export function checkRest({ members, configured }: SimulatedGroup): void {
  if (members.size === 0) return;
  const all = [...members.values()].flatMap(keysOf);
  assert.deepEqual(all.toSorted(), keysOf(configured).toSorted());
  for (const kind of ['connectors', 'tasks'] as const) {
    const counts = [...members.values()].map((work) => work[kind].length);
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, `${kind} on each worker: ${counts.join(', ')}`);
  }
}

/** Connectors c0, c1, …, each with so many tasks. */
export function workOfSizes(sizes: readonly number[], name = (index: number): string => `c${index}`): Work {
  return {
    connectors: sizes.map((_, index) => name(index)),
    tasks: sizes.flatMap((size, index) => Array.from({ length: size }, (_, task) => ({ connector: name(index), task }))),
  };
}
