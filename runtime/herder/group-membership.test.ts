import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';
import type { Work } from '../ports/membership.ts';
import { createTestGroup, urlOf } from './test/group-fixture.ts';

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `gave up waiting: ${what}`);
    await sleep(5);
  }
}

describe('a worker in a group', () => {
  test('joins with nothing, is told its share, and joins with that', async () => {
    const group = createTestGroup();
    group.configure({ a: 2 });
    const one = await group.join('one');
    assert.equal(one.membership.settled(), false);
    await group.round();
    assert.deepEqual([one.joinedWith().url, one.joinedWith().configOffset, one.joinedWith().work], [urlOf('one'), 1, null]);
    assert.equal(one.runs(), 'a a-0 a-1');
    const { generation, leader, leaderUrl, unassigned } = one.assignments.at(-1) as (typeof one.assignments)[0];
    assert.deepEqual([generation, leader, leaderUrl, unassigned], [1, true, urlOf('one'), { connectors: [], tasks: [] }]);
    assert.equal(one.membership.settled(), true);
    assert.equal(one.membership.ownerUrl('a'), urlOf('one'));

    await group.round();
    const { work } = one.joinedWith();
    assert.deepEqual(work?.connectors, ['a']);
    assert.deepEqual(work?.tasks.length, 2);
    assert.equal(one.runs(), 'a a-0 a-1');
  });

  test('a move takes two rounds: the one stops before the other is told to start', async () => {
    const group = createTestGroup();
    group.configure({ a: 1, b: 1 });
    const one = await group.join('one');
    await group.settle();
    assert.equal(one.runs(), 'a a-0 b b-0');
    const stopped = Promise.withResolvers<void>();
    one.working = () => stopped.promise;
    const two = await group.join('two');
    const rounds = group.settle();
    await until('one is told to stop', () => one.assignments.length === 2);
    assert.equal(one.membership.settled(), false);
    assert.equal(one.membership.ownerUrl('a'), undefined, 'nobody knows while the group shares out');
    const left = one.runs();
    assert.equal(left.split(' ').length, 2);
    one.working = async () => {};
    stopped.resolve();
    await rounds;
    assert.deepEqual([...one.runs().split(' '), ...two.runs().split(' ')].toSorted(), ['a', 'a-0', 'b', 'b-0']);
    assert.equal(one.runs(), left);
    const firstStart = group.events.findIndex((event) => event.startsWith('two runs ') && event.length > 9);
    assert.ok(group.events.indexOf(`one runs ${left}`) < firstStart, group.events.join('; '));
    assert.equal(two.assignments.at(-1)?.leader, false);
    assert.equal(two.assignments.at(-1)?.leaderUrl, urlOf('one'));
    assert.equal(two.assignments.at(-1)?.unassigned, undefined);
    assert.equal(one.membership.ownerUrl({ connector: 'a', task: 0 }), urlOf(two.runs().includes('a-0') ? 'two' : 'one'));
    assert.equal(two.membership.ownerUrl('a'), undefined, 'only the leader knows');
  });

  test('who is out of the group stops everything first, and joins with nothing', async () => {
    const group = createTestGroup();
    group.configure({ a: 1 });
    const one = await group.join('one');
    await group.settle();
    const stopped = Promise.withResolvers<void>();
    one.working = () => stopped.promise;
    let lost = false;
    const losing = group.lose(one).then(() => void (lost = true));
    await until('one is told', () => one.assignments.length === 2);
    const { connectors, tasks, leader, leaderUrl } = one.assignments.at(-1) as (typeof one.assignments)[0];
    assert.deepEqual([connectors, tasks, leader, leaderUrl], [[], [], false, undefined]);
    assert.equal(one.membership.settled(), false);
    await immediate();
    assert.equal(lost, false, 'it waits for what it stops');
    one.working = async () => {};
    stopped.resolve();
    await losing;
    await group.settle();
    assert.equal(one.joinedWith().work, null);
    assert.equal(one.runs(), 'a a-0', 'and gets back what nobody else runs, without a delay');
  });

  test('eager: everything stops before each round', async () => {
    const group = createTestGroup();
    group.configure({ a: 1, b: 1 });
    const one = await group.join('one');
    await group.settle();
    const two = await group.join('two', { protocol: 'eager' });
    await group.settle();
    assert.equal(one.membership.figures()['connect-protocol'], 'EAGER');
    assert.deepEqual([one.runs(), two.runs()], ['a a-0', 'b b-0']);
    const before = group.events.length;
    await group.round();
    const events = group.events.slice(before);
    assert.deepEqual(events.slice(0, 2).toSorted(), ['one runs', 'two runs']);
    assert.deepEqual(events.slice(2).toSorted(), ['one runs a a-0', 'two runs b b-0']);
  });

  test('joins again when connectors or tasks come or go, and not when they only change', async () => {
    const group = createTestGroup();
    group.configure({ a: 1 });
    const one = await group.join('one');
    await group.settle();
    group.configure({ a: 1 });
    assert.equal(group.asked(one), false);
    group.configure({ a: 2 });
    assert.equal(group.asked(one), true);
    assert.equal(one.membership.settled(), false);
    await group.settle();
    assert.equal(one.runs(), 'a a-0 a-1');
    group.configure({});
    assert.equal(group.asked(one), true);
    await group.settle();
    assert.equal(one.runs(), '');
  });

  test('what changes while a share is taken in is shared out next', async () => {
    const group = createTestGroup();
    const one = await group.join('one');
    one.working = async () => {
      one.working = async () => {};
      group.configure({ a: 1 });
    };
    await group.round();
    assert.equal(group.asked(one), true);
    await group.settle();
    assert.equal(one.runs(), 'a a-0');
  });

  test('joins again when the delay is over', async () => {
    const group = createTestGroup();
    group.configure({ a: 1, b: 1 });
    const one = await group.join('one', { maxDelayMs: 200 });
    const two = await group.join('two', { maxDelayMs: 200 });
    await group.settle();
    const [first, second] = [one.runs(), two.runs()];
    group.crash(two);
    await group.settle();
    assert.equal(one.runs(), first, 'nothing moves for now');
    const { unassigned } = one.assignments.at(-1) as { unassigned?: Work };
    assert.deepEqual(
      [...(unassigned?.connectors ?? []), ...(unassigned?.tasks ?? []).map(({ connector }) => `${connector}-0`)].join(' '),
      second,
    );
    assert.equal(one.membership.settled(), true);
    assert.equal(one.membership.ownerUrl(second.split(' ')[0] as string), undefined);
    await until('the delay is over', () => group.asked(one));
    await group.settle();
    assert.equal(one.runs(), 'a a-0 b b-0');
  });

  test('tells how its rebalances went', async () => {
    const group = createTestGroup();
    const one = await group.join('one');
    assert.deepEqual(
      { ...one.membership.figures() },
      {
        ...{ 'connect-protocol': 'SESSIONED', 'leader-name': '', epoch: 0, rebalancing: 0, 'completed-rebalances-total': 0 },
        ...{ 'rebalance-max-time-ms': 0, 'rebalance-avg-time-ms': 0, 'last-rebalance-seconds-ago': -1 },
        ...{ 'assigned-connectors': 0, 'assigned-tasks': 0 },
      },
    );
    group.configure({ a: 2 });
    await group.settle();
    const figures = one.membership.figures();
    assert.deepEqual(
      ['leader-name', 'epoch', 'rebalancing', 'completed-rebalances-total', 'assigned-connectors', 'assigned-tasks'].map(
        (key) => figures[key],
      ),
      [urlOf('one'), 1, 0, 1, 1, 2],
    );
    assert.equal(typeof figures['time-since-last-rebalance-ms'], 'number');
  });
});
