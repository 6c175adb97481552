import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Work } from '../../ports/membership.ts';
import { keysOf, workOfSizes } from '../test/simulated-group.ts';
import { createIncrementalAssignor } from './incremental-assignor.ts';
import type { Shares, ShareRound } from './incremental-assignor.ts';
import { noWork, workAfter } from './work.ts';

const maxDelayMs = 300_000;

/** A leader, and members that do what they are told, each round the next generation. */
function createScene(options: { maxDelayMs?: number } = {}) {
  const scene = { nowMs: 1_000, generation: 0, completed: -1, configured: noWork as Work, members: new Map<string, Work>() };
  const log: string[] = [];
  const assignor = createIncrementalAssignor({ maxDelayMs, ...options, now: () => scene.nowMs, log: (line) => log.push(line) });
  return Object.assign(scene, {
    ...{ assignor, log },
    with(...ids: string[]): void {
      scene.members = new Map(ids.map((id) => [id, scene.members.get(id) ?? noWork]));
    },
    /** The leader decides; members hear of it only by `round`. */
    share: (released: ShareRound['released'] = () => false): Shares => {
      const { configured, members } = scene;
      return assignor.share({ generation: ++scene.generation, lastCompletedGeneration: scene.completed, members, configured, released });
    },
    round(released?: ShareRound['released']): Shares {
      const shares = this.share(released);
      scene.completed = scene.generation;
      scene.members = new Map([...scene.members].map(([id, work]) => [id, workAfter(work, shares.told.get(id)!)]));
      return shares;
    },
    runs: (id: string): string[] => keysOf(scene.members.get(id)!).toSorted(),
    counts: (): string => [...scene.members.values()].map(({ connectors, tasks }) => `${connectors.length}+${tasks.length}`).join(' '),
  });
}

const told = (shares: Shares, id: string) => ({
  assigned: keysOf(shares.told.get(id)!.assigned).toSorted(),
  revoked: keysOf(shares.told.get(id)!.revoked).toSorted(),
});

/** Workers a, b and c, with one connector and two tasks each, at rest. */
function threeWorkers(options: { maxDelayMs?: number } = {}) {
  const scene = createScene(options);
  scene.with('a', 'b', 'c');
  scene.configured = workOfSizes([2, 2, 2]);
  scene.round();
  assert.equal(scene.counts(), '1+2 1+2 1+2');
  return scene;
}

test('what is new goes to whoever has the least of its kind', () => {
  const scene = threeWorkers();
  scene.configured = workOfSizes([2, 2, 2, 4]);
  const shares = scene.round();
  assert.deepEqual(told(shares, 'a'), { assigned: ['c3', 'c3-0', 'c3-3'], revoked: [] });
  assert.deepEqual(told(shares, 'b'), { assigned: ['c3-1'], revoked: [] });
  assert.equal(shares.runs.get('b')!.tasks.length, 3);
  assert.equal(shares.delayMs, 0);
});

test('what is deleted is revoked, and what is left is balanced in the same round', () => {
  const scene = createScene();
  scene.with('a', 'b');
  scene.configured = workOfSizes([2, 2]);
  scene.round();
  assert.deepEqual(scene.runs('a'), ['c0', 'c0-0', 'c1-0']);
  scene.members.set('a', workOfSizes([2, 1]));
  scene.members.set('b', { connectors: [], tasks: [{ connector: 'c1', task: 1 }] });
  scene.configured = workOfSizes([2]);
  const shares = scene.round();
  assert.deepEqual(told(shares, 'a'), { assigned: [], revoked: ['c0-0', 'c1', 'c1-0'] });
  assert.deepEqual(told(shares, 'b'), { assigned: [], revoked: ['c1-1'] });
  assert.deepEqual(told(scene.round(), 'b').assigned, ['c0-0']);
});

test('a leader without memory stops what was deleted before it led', () => {
  const scene = createScene();
  scene.members.set('b', workOfSizes([1, 1]));
  scene.configured = workOfSizes([1]);
  assert.deepEqual(told(scene.round(), 'b').revoked, ['c1', 'c1-0']);
});

test('work of a worker that is gone waits for the delay, and is then spread', () => {
  const scene = threeWorkers();
  const lost = scene.runs('c');
  scene.with('a', 'b');
  const shares = scene.round();
  assert.equal(shares.delayMs, maxDelayMs);
  assert.deepEqual(keysOf(shares.unassigned).toSorted(), lost);
  assert.deepEqual(told(shares, 'a'), { assigned: [], revoked: [] });

  scene.nowMs += 100_000;
  assert.equal(scene.round().delayMs, 200_000);
  scene.nowMs += 200_000;
  const last = scene.round();
  assert.equal(last.delayMs, 0);
  assert.deepEqual(last.unassigned, noWork);
  assert.equal(scene.counts(), '2+3 1+3');
});

test('new work is given out while lost work waits', () => {
  const scene = threeWorkers();
  scene.with('a', 'b');
  scene.configured = workOfSizes([2, 2, 2, 1]);
  const shares = scene.round();
  assert.equal(shares.unassigned.tasks.length, 2);
  assert.deepEqual([...told(shares, 'a').assigned, ...told(shares, 'b').assigned], ['c3', 'c3-0']);
});

test('a worker that comes back in time is given the lost work when the delay is over, and nobody else moves', () => {
  const scene = threeWorkers();
  const lost = scene.runs('c');
  scene.with('a', 'b');
  scene.round();
  scene.nowMs += 1_000;
  scene.with('a', 'b', 'c2');
  assert.equal(scene.round().delayMs, maxDelayMs - 1_000);
  assert.deepEqual(scene.runs('c2'), []);
  scene.nowMs += maxDelayMs;
  const shares = scene.round();
  assert.deepEqual(told(shares, 'c2'), { assigned: lost, revoked: [] });
  assert.deepEqual(told(shares, 'a'), { assigned: [], revoked: [] });
});

test('a worker that comes back with its work goes on with it', () => {
  const scene = threeWorkers();
  const work = scene.members.get('c')!;
  scene.with('a', 'b');
  scene.round();
  scene.members.set('c again', work);
  const shares = scene.round();
  assert.equal(shares.delayMs, 0);
  assert.deepEqual(told(shares, 'c again'), { assigned: [], revoked: [] });
});

test('a worker that was idle during the delay is given no more than its share', () => {
  const scene = threeWorkers();
  scene.with('a');
  scene.round();
  scene.with('a', 'new');
  scene.round();
  scene.nowMs += maxDelayMs;
  const shares = scene.round();
  assert.equal(scene.counts(), '1+3 2+3');
  assert.deepEqual(told(shares, 'a').revoked.concat(told(shares, 'new').revoked), []);
});

test('work that a worker gave up before it left is given out at once', () => {
  const scene = threeWorkers();
  const lost = scene.runs('c');
  scene.with('a', 'b');
  const shares = scene.round(() => true);
  assert.equal(shares.delayMs, 0);
  assert.deepEqual([...told(shares, 'a').assigned, ...told(shares, 'b').assigned].toSorted(), lost);
});

test('of two workers that are gone, only the work of the one that crashed waits', () => {
  const scene = createScene();
  scene.with('a', 'b', 'c', 'd');
  scene.configured = workOfSizes([3, 3, 3, 3]);
  scene.round();
  const [left, crashed] = [scene.runs('c'), scene.runs('d')];
  scene.with('a', 'b');
  const shares = scene.round((item) => left.includes(typeof item === 'string' ? item : `${item.connector}-${item.task}`));
  assert.equal(shares.delayMs, maxDelayMs);
  assert.deepEqual(keysOf(shares.unassigned).toSorted(), crashed);
  assert.deepEqual([...told(shares, 'a').assigned, ...told(shares, 'b').assigned].toSorted(), left);
});

test('with a delay of 0 lost work is given out at once', () => {
  const scene = threeWorkers({ maxDelayMs: 0 });
  scene.with('a', 'b');
  assert.equal(scene.round().delayMs, 0);
  assert.equal(scene.counts(), '2+3 1+3');
});

test('where nobody left, work that is missing was never started, and is given out at once', () => {
  const scene = threeWorkers();
  scene.members.set('c', noWork);
  assert.equal(scene.round().delayMs, 0);
  assert.equal(scene.counts(), '1+2 1+2 1+2');
});

test('what two workers run is taken from both, and given to one in the next round', () => {
  const scene = threeWorkers();
  const [item] = scene.members.get('a')!.tasks;
  const key = `${item!.connector}-${item!.task}`;
  scene.members.set('b', { ...scene.members.get('b')!, tasks: [...scene.members.get('b')!.tasks, item!] });
  const first = scene.round();
  for (const id of ['a', 'b']) assert.deepEqual(told(first, id), { assigned: [], revoked: [key] });
  const second = scene.round();
  assert.deepEqual(told(second, 'a'), { assigned: [key], revoked: [] });
});

test('work moves to a worker that joins in two rounds, no more than balance asks for', () => {
  const scene = threeWorkers();
  scene.with('a', 'b', 'c', 'd');
  const first = scene.round();
  const revoked = ['a', 'b', 'c'].flatMap((id) => told(first, id).revoked);
  assert.equal(revoked.length, 1);
  assert.deepEqual(told(first, 'd').assigned, []);
  assert.deepEqual(first.unassigned, noWork);
  assert.deepEqual(told(scene.round(), 'd').assigned, revoked);
});

test('a second round in a row that would revoke waits, longer each time', () => {
  const scene = threeWorkers();
  const delays: number[] = [];
  for (let workers = 4; workers < 10; workers++) {
    scene.configured = workOfSizes(Array.from({ length: workers * 3 }, () => 2));
    // Others run it all: each round wants to revoke, and nobody obeys.
    scene.members = new Map([
      ['a', scene.configured],
      ['b', noWork],
    ]);
    const shares = scene.round();
    scene.nowMs += shares.delayMs;
    delays.push(shares.delayMs);
  }
  assert.deepEqual(delays, [0, 40, 0, 1_600, 0, 64_000]);
});

test('the wait between revocations is never longer than the greatest delay', () => {
  for (const [most, expected] of [
    [0, [0, 0, 0, 0]],
    [1, [0, 1, 0, 1]],
    [30, [0, 30, 0, 30]],
    // Not 1,000: Java rounds the logarithm down in the same way.
    [1_000, [0, 40, 0, 999]],
  ] as const) {
    const scene = createScene({ maxDelayMs: most });
    const delays = expected.map(() => {
      scene.configured = workOfSizes([4]);
      scene.members = new Map([
        ['a', scene.configured],
        ['b', noWork],
      ]);
      const { delayMs } = scene.round();
      scene.nowMs += delayMs;
      return delayMs;
    });
    assert.deepEqual(delays, expected, `at most ${most} ms`);
  }
});

test('a worker that leaves with nothing to lose holds up nothing', () => {
  const scene = threeWorkers();
  scene.with('a', 'b', 'c', 'd', 'e');
  scene.round();
  scene.with('a', 'b', 'c', 'd');
  assert.equal(scene.round().delayMs, 0);
});

test('a revocation that did not arrive is made again', () => {
  const scene = threeWorkers();
  scene.with('a', 'b', 'c', 'd');
  const before = scene.members;
  const first = scene.round();
  scene.members = before;
  const again = scene.round();
  assert.equal(again.delayMs, 40);
  scene.nowMs += 40;
  for (const id of ['a', 'b', 'c', 'd']) assert.deepEqual(told(scene.round(), id).assigned, []);
  assert.deepEqual(told(first, 'd').assigned, []);
});

test('where a revocation did not arrive, work that is missing as well is given out at once', () => {
  const scene = threeWorkers();
  scene.with('a', 'b', 'c', 'd');
  const before = scene.members;
  assert.equal(told(scene.round(), 'c').revoked.length, 1);
  scene.members = before;
  scene.with('a', 'c', 'd');
  assert.deepEqual(scene.round().unassigned, noWork);
});

test('a leader whose last round was not completed forgets what it shared out', () => {
  const scene = threeWorkers();
  scene.with('a', 'b');
  scene.share();
  const shares = scene.round();
  assert.equal(shares.delayMs, 0);
  assert.equal(scene.counts(), '2+3 1+3');
});

test('a leader that is reset forgets what it waits for', () => {
  const scene = threeWorkers();
  scene.with('a', 'b');
  scene.round();
  scene.assignor.reset();
  assert.deepEqual(scene.round().unassigned, noWork);
});

test('each round leaves a line for debugging', () => {
  const scene = threeWorkers();
  scene.with('a', 'b');
  scene.round();
  assert.match(scene.log.at(-1)!, /^generation 2: 2 workers, 9 connectors and tasks: 0 deleted, 0 new, 3 lost \(3 wait for 300000 ms\)/);
});
