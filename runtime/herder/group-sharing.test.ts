import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createTestGroup, workerIdOf } from './test/group-fixture.ts';
import type { TestGroup, TestWorker } from './test/group-fixture.ts';

/** Two workers with a connector and a task each; the delay is a minute. */
async function pair(): Promise<{ group: TestGroup; one: TestWorker; two: TestWorker }> {
  const group = createTestGroup();
  group.configure({ a: 1, b: 1 });
  const one = await group.join('one');
  const two = await group.join('two');
  await group.settle();
  assert.deepEqual([one.runs(), two.runs()], ['a a-0', 'b b-0']);
  for (const item of ['a', 'a-0']) group.status(item, 'RUNNING', workerIdOf('one'), group.generation());
  for (const item of ['b', 'b-0']) group.status(item, 'RUNNING', workerIdOf('two'), group.generation());
  return { group, one, two };
}

const waiting = (worker: TestWorker): number => {
  const { unassigned } = worker.assignments.at(-1) ?? {};
  return (unassigned?.connectors.length ?? 0) + (unassigned?.tasks.length ?? 0);
};

describe('the work of a worker that is gone', () => {
  test('stopped in good order: it moves at once', async () => {
    const { group, one, two } = await pair();
    await group.leave(two);
    await group.settle();
    assert.equal(one.runs(), 'a a-0 b b-0');
    assert.equal(waiting(one), 0);
  });

  test('crashed: it waits for its return, though the leader says UNASSIGNED in its name', async () => {
    const { group, one, two } = await pair();
    group.crash(two);
    await group.settle();
    assert.equal(waiting(one), 2);
    for (const item of ['b', 'b-0']) group.status(item, 'UNASSIGNED', workerIdOf('two'), group.generation());
    await group.round();
    await group.round();
    assert.equal(one.runs(), 'a a-0');
    assert.equal(waiting(one), 2);
  });

  test('stopped by a worker that had been out of the group a while, before it could say so: it moves when that is read', async () => {
    const { group, one, two } = await pair();
    const at = group.generation();
    group.crash(two);
    await group.settle();
    assert.equal(waiting(one), 2);
    for (const item of ['b', 'b-0']) group.status(item, 'UNASSIGNED', workerIdOf('two'), at);
    await group.round();
    assert.equal(one.runs(), 'a a-0 b b-0');
  });

  test('partly stopped: the rest waits', async () => {
    const { group, one, two } = await pair();
    group.status('b-0', 'UNASSIGNED', workerIdOf('two'), group.generation());
    group.crash(two);
    await group.settle();
    assert.equal(one.runs(), 'a a-0 b-0');
    assert.equal(waiting(one), 1);
  });

  test('what it said of an earlier time that it ran it does not count', async () => {
    const { group, one, two } = await pair();
    const [a, b] = [workerIdOf('one'), workerIdOf('two')];
    // Given to `two` anew in a later generation; it crashes before it can say that it runs it.
    group.status('b-0', 'UNASSIGNED', b, group.generation());
    group.configure({ a: 1 });
    await group.settle();
    group.configure({ a: 1, b: 1 });
    await group.settle();
    assert.equal(two.runs(), 'b b-0');
    // Nor does what another worker says.
    group.status('b', 'UNASSIGNED', a, group.generation());
    group.crash(two);
    await group.settle();
    assert.equal(one.runs(), 'a a-0');
    assert.equal(waiting(one), 2);
  });

  test('back within the delay: it gets its work at once', async () => {
    const { group, one, two } = await pair();
    group.crash(two);
    await group.settle();
    const again = await group.join('two');
    await group.settle();
    assert.deepEqual([one.runs(), again.runs()], ['a a-0', 'b b-0']);
  });

  test('put out and back as a new member: it gets its work at once', async () => {
    const { group, one, two } = await pair();
    await group.lose(two);
    await group.settle();
    assert.deepEqual([one.runs(), two.runs()], ['a a-0', 'b b-0']);
  });

  test('the leader is gone: the next one knows of nobody to wait for', async () => {
    const { group, one, two } = await pair();
    group.crash(one);
    await group.settle();
    assert.equal(two.runs(), 'a a-0 b b-0');
    assert.equal(two.assignments.at(-1)?.leader, true);
  });
});
