/** Random histories of a group. MILLRACE_CHAOS=full runs many more, MILLRACE_SEED repeats them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom, isFull, seedNote } from '../../../test/chaos/seed.ts';
import type { Random } from '../../../test/chaos/seed.ts';
import { checkRest, createSimulatedGroup, fewestMoves, workOfSizes } from '../test/simulated-group.ts';
import type { SimulatedGroup } from '../test/simulated-group.ts';

const histories = isFull ? 20_000 : 300;

const some = <T>(random: Random, items: readonly T[]): T | undefined => items[random.between(0, items.length - 1)];

/** Some connectors are there always, so that a change keeps part of what was. */
function randomSizes(random: Random): number[] {
  return Array.from({ length: random.between(0, 8) }, () => random.between(0, 7));
}

/** Anything that may happen to a group between two rounds, or in one. */
function disturb(group: SimulatedGroup, random: Random, maxDelayMs: number): void {
  const id = some(random, [...group.members.keys()]);
  const what = random.between(0, 9);
  if (what <= 2 && group.members.size < 9) group.join();
  else if (what === 3 && id !== undefined) group.crash(id);
  else if (what === 4 && id !== undefined) group.leave(id);
  else if (what <= 6) group.configure(workOfSizes(randomSizes(random)));
  else if (what === 7) group.passTime(random.between(1, maxDelayMs + 100));
  else if (what === 8) group.round('everything');
  else if (id !== undefined) group.round({ member: id });
}

function play(name: string, history: (random: Random, group: SimulatedGroup, maxDelayMs: number) => void): void {
  for (let index = 0; index < histories; index++) {
    const random = createRandom(`${name} ${index}`);
    const maxDelayMs = some(random, [0, 1, 30, 1_000, 300_000])!;
    const group = createSimulatedGroup({ maxDelayMs });
    try {
      history(random, group, maxDelayMs);
    } catch (error) {
      throw new Error(`history ${index}, ${seedNote}: ${(error as Error).message}`, { cause: error });
    }
  }
}

test('whatever happens, everything comes to run once, balanced, and moves only where balance asks for it', () => {
  play('all', (random, group, maxDelayMs) => {
    for (let event = 0; event < 30; event++) {
      disturb(group, random, maxDelayMs);
      if (random.next() < 0.5) group.round();
      if (random.next() < 0.2) {
        group.settle();
        checkRest(group);
      }
    }
    group.settle();
    checkRest(group);
  });
});

test('a worker that was thought dead comes back with what others run: it all comes to run once', () => {
  play('zombies', (random, group, maxDelayMs) => {
    const asleep: (() => void)[] = [];
    for (let event = 0; event < 30; event++) {
      const id = some(random, [...group.members.keys()]);
      const what = random.next();
      if (what < 0.2 && id !== undefined) asleep.push(group.freeze(id));
      else if (what < 0.4) asleep.splice(random.between(0, asleep.length), 1).forEach((wake) => wake());
      else disturb(group, random, maxDelayMs);
      if (random.next() < 0.5) group.round();
    }
    group.settle();
    checkRest(group);
  });
});

test('from rest to rest, one event moves no more than balance asks for', () => {
  play('single', (random, group, maxDelayMs) => {
    for (let workers = random.between(1, 6); workers > 0; workers--) group.join();
    group.configure(workOfSizes(randomSizes(random)));
    group.settle();
    for (let event = 0; event < 10; event++) {
      const id = some(random, [...group.members.keys()])!;
      const before = group.moves();
      const counts = (kind: 'connectors' | 'tasks') => [...group.members.values()].map((work) => work[kind].length);
      const [connectors, tasks] = [counts('connectors'), counts('tasks')];
      const what = random.between(0, 3);
      if (what === 0 && group.members.size < 12) {
        group.join();
        const fewest = fewestMoves([...connectors, 0], group.configured.connectors.length);
        group.settle();
        assert.equal(group.moves() - before, fewest + fewestMoves([...tasks, 0], group.configured.tasks.length));
      } else if (what === 1 && group.members.size > 1) {
        if (random.next() < 0.5) group.crash(id);
        else group.leave(id);
        group.settle();
        assert.equal(group.moves(), before, 'a worker left, and others had to give up work');
      } else if (what === 2 && group.members.size > 1) {
        // A leader that crashes takes with it what it remembered: its work is given out at once.
        const isFollower = id !== [...group.members.keys()][0];
        group.crash(id);
        group.round();
        group.join();
        group.settle();
        if (isFollower && maxDelayMs > 0) assert.equal(group.moves(), before, 'a worker came back in time, and others had to give up work');
      } else {
        group.configure(workOfSizes(randomSizes(random)));
        group.settle();
      }
      checkRest(group);
    }
  });
});
