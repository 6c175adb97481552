import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createTestGroup } from './test/group-fixture.ts';

describe('workers that have read the config topic to different places', () => {
  test('who is behind reads on before it starts anything', async () => {
    const group = createTestGroup();
    const one = await group.join('one');
    const two = await group.join('two');
    group.configure({ a: 1, b: 1 }, (worker) => worker === one);
    await group.round();
    assert.deepEqual([one.seen, two.seen], [1, 1]);
    assert.deepEqual([one.runs(), two.runs()], ['a a-0', 'b b-0']);
  });

  test('a leader that is behind reads on before it shares out', async () => {
    const group = createTestGroup();
    const one = await group.join('one');
    const two = await group.join('two');
    group.configure({ a: 1, b: 1 }, (worker) => worker === two);
    await group.round();
    assert.deepEqual([one.runs(), two.runs()], ['a a-0', 'b b-0']);
  });

  test('a leader that cannot read on lets all join again, and leaves', async () => {
    const group = createTestGroup();
    group.configure({ a: 1, b: 1 });
    const one = await group.join('one');
    const two = await group.join('two');
    await group.settle();
    const kept = two.runs();
    one.unreadable = true;
    group.configure({ a: 1, b: 1, c: 1 }, (worker) => worker === two);
    await group.round();
    assert.deepEqual([one.runs(), two.runs()], ['', kept], 'one stops, two runs on');
    // A tenth of the delay, by five attempts.
    assert.equal(one.awayMs(), 1200);
    assert.equal(one.membership.settled(), false);
    await assert.rejects(group.round(), /the end was not reached/, 'it does not join before it can read');
    one.unreadable = false;
    await group.round();
    assert.equal(one.joinedWith().work, null);
    await group.settle();
    assert.equal([one.runs(), two.runs()].join(' ').split(' ').length, 6);
  });

  test('a member that cannot read on stops and leaves, each time for longer', async () => {
    const group = createTestGroup();
    const one = await group.join('one');
    const two = await group.join('two');
    group.configure({ a: 2 }, (worker) => worker === one);
    const away: unknown[] = [];
    for (let attempt = 0; attempt < 7; attempt++) {
      two.unreadable = true;
      await group.round();
      away.push(two.awayMs());
      two.unreadable = false;
      const seen = two.seen;
      await group.round();
      assert.ok(two.seen > seen);
      // Reading once does not make it a reader that can be relied on before it has kept up with a round.
      group.configure({ a: 2 + attempt }, (worker) => worker === one);
      two.seen = seen;
    }
    assert.deepEqual(away, [1200, 1500, 2000, 3000, 6000, 300_000, 1200]);
  });

  test('who is ahead starts nothing, keeps what it was given, and joins again', async () => {
    const group = createTestGroup();
    group.configure({ a: 1, b: 1 });
    const one = await group.join('one');
    const two = await group.join('two');
    group.onShared = () => group.configure({ a: 1, b: 1, c: 1 }, (worker) => worker === two);
    await group.round();
    group.onShared = () => {};
    assert.deepEqual([one.runs(), two.runs()], ['a a-0', '']);
    assert.deepEqual([group.asked(two), two.membership.settled()], [true, false]);
    await group.round();
    assert.deepEqual(two.joinedWith().work?.connectors, ['b'], 'nobody else may be given it');
    assert.deepEqual([one.runs(), two.runs()], ['a a-0 c c-0', 'b b-0']);
  });

  test('what is taken away stops all the same', async () => {
    const group = createTestGroup();
    group.configure({ a: 1, b: 1 });
    const one = await group.join('one');
    const two = await group.join('two');
    await group.settle();
    assert.equal(two.runs(), 'b b-0');
    group.configure({ a: 1 });
    group.onShared = () => group.configure({ a: 1, c: 1 }, (worker) => worker === two);
    await group.round();
    assert.deepEqual([one.runs(), two.runs()], ['a a-0', '']);
  });
});
