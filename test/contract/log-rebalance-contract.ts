import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { appendValues, at, createTopic, uniqueName, until } from './log-fixture.ts';
import type { OpenLog } from './log-fixture.ts';
import { joinGroup } from './log-member.ts';
import type { Member } from './log-member.ts';

/** Sizes of the shares that members have, biggest first. */
const shares = (...members: Member[]): number[] => members.map((member) => member.assignment().length).toSorted((a, b) => b - a);

function assertDisjoint(partitions: number, ...members: Member[]): void {
  const all = members.flatMap((member) => member.assignment());
  assert.equal(new Set(all).size, all.length, 'no partition has two members');
  assert.equal(all.length, partitions);
}

export function registerGroupRebalanceContract(open: OpenLog): void {
  describe('groups: rebalancing', () => {
    test('range: each topic is cut into runs, in member order', async () => {
      await using opened = await open();
      const [first, second] = [await createTopic(opened.log, 3), await createTopic(opened.log, 2)];
      const groupId = uniqueName('group');
      await using one = await joinGroup(opened.log, groupId, { names: [first, second] });
      await until('all for the first member', () => shares(one)[0] === 5);
      await using two = await joinGroup(opened.log, groupId, { names: [first, second] });
      await until('shares of 3 and 2', () => shares(one, two).join() === '3,2');
      assertDisjoint(5, one, two);
      const bigger = one.assignment().length === 3 ? one : two;
      assert.deepEqual(bigger.assignment(), [`${first}/0`, `${first}/1`, `${second}/0`].toSorted());
      assert.equal(one.failure() ?? two.failure(), undefined);
    });

    test('a rebalance: revoked, commit, assigned where the other stopped; nothing lost, nothing doubled', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log, 4);
      const groupId = uniqueName('group');
      const append = async (round: string) => {
        for (let partition = 0; partition < 4; partition++) await appendValues(opened.log, topic, partition, [`${round}${partition}`]);
      };
      await append('a');
      await using one = await joinGroup(opened.log, groupId, { names: [topic] });
      await until('the first round', () => one.records.length === 4);
      const two = await joinGroup(opened.log, groupId, { names: [topic] });
      await until('shares of 2 and 2', () => shares(one, two).join() === '2,2');
      assert.ok(one.events.some((event) => event.startsWith('revoked')));
      assert.ok(two.events[0]?.startsWith('assigned') && two.events[0].includes('=1'), `${two.events[0]} goes on at 1`);
      await append('b');
      await until('the second round', () => one.records.length + two.records.length === 8);
      await two.commit();
      await two[Symbol.asyncDispose]();
      await until('the first member has all', () => shares(one)[0] === 4);
      await append('c');
      await until('the third round', () => one.records.length + two.records.length === 12);
      const values = [...one.records, ...two.records].map((record) => record.value);
      assert.equal(new Set(values).size, 12);
      assert.equal(one.failure() ?? two.failure(), undefined);
    });

    test('with more members than partitions one has nothing, until another leaves', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log);
      const groupId = uniqueName('group');
      const one = await joinGroup(opened.log, groupId, { names: [topic] });
      await using two = await joinGroup(opened.log, groupId, { names: [topic] });
      await until('shares of 1 and 0', () => shares(one, two).join() === '1,0');
      await one[Symbol.asyncDispose]();
      await until('the other has it', () => shares(two)[0] === 1);
      await appendValues(opened.log, topic, 0, ['goes on']);
      await until('a record', () => two.records.length === 1);
    });

    test('a pattern sees topics that come later; names that do not exist yet too', async () => {
      await using opened = await open();
      const prefix = uniqueName('pattern');
      const overrides = { 'metadata.max.age.ms': '500' };
      await opened.log.createTopics([
        { name: `${prefix}.one`, partitions: 1 },
        { name: `not-${prefix}.one`, partitions: 1 },
      ]);
      await using matching = await joinGroup(opened.log, uniqueName('group'), { pattern: `${prefix}\\..*` }, { overrides });
      await using named = await joinGroup(opened.log, uniqueName('group'), { names: [`${prefix}.one`, `${prefix}.two`] }, { overrides });
      await until('the first topic', () => shares(matching, named).join() === '1,1');
      await opened.log.createTopics([{ name: `${prefix}.two`, partitions: 2 }]);
      await until('the second topic', () => shares(matching, named).join() === '3,3');
      await appendValues(opened.log, `${prefix}.two`, 1, ['new']);
      await until('its record', () => matching.records.length === 1 && named.records.length === 1);
      assert.deepEqual(matching.assignment(), [`${prefix}.one/0`, `${prefix}.two/0`, `${prefix}.two/1`]);
    });

    test('a member that is told revoked may commit until it polls again', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log, 2);
      await appendValues(opened.log, topic, 0, ['a', 'b']);
      const groupId = uniqueName('group');
      const limits = { maxWaitMs: 1000, maxBytes: 1 << 20 };
      const signal = AbortSignal.timeout(60_000);
      await using slow = await opened.log.openGroup({ clientId: 'slow', groupId, topics: { names: [topic] } });
      while ((await slow.poll(limits, signal)).kind !== 'assigned');
      await using quick = await joinGroup(opened.log, groupId, { names: [topic] });
      let event = await slow.poll(limits, signal);
      while (event.kind !== 'revoked') event = await slow.poll(limits, signal);
      assert.deepEqual(
        event.partitions.toSorted((a, b) => a.partition - b.partition).map((each) => each.partition),
        [0, 1],
      );
      assert.deepEqual(quick.assignment(), [], 'nobody else has them yet');
      await slow.commit([at(topic, 0, 1), at(topic, 1, 0)]);
      event = await slow.poll(limits, signal);
      while (event.kind !== 'assigned') event = await slow.poll(limits, signal);
      await until('a share each', () => quick.assignment().length === 1);
      const starts = [...event.partitions, ...quick.positions()].toSorted((a, b) => a.partition - b.partition);
      assert.equal(starts.length, 2);
      const committed = (await opened.log.groupOffsets(groupId)).find((each) => each.partition === 0);
      assert.ok(committed !== undefined && committed.offset >= 1n);
    });

    test('a member that does not come back is lost, and the others go on', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log, 2);
      const groupId = uniqueName('group');
      const limits = { maxWaitMs: 1000, maxBytes: 1 << 20 };
      const signal = AbortSignal.timeout(60_000);
      const overrides = { 'max.poll.interval.ms': '3000', 'session.timeout.ms': '6000', 'heartbeat.interval.ms': '500' };
      await using stuck = await opened.log.openGroup({ clientId: 'stuck', groupId, topics: { names: [topic] }, overrides });
      while ((await stuck.poll(limits, signal)).kind !== 'assigned');
      await using other = await joinGroup(opened.log, groupId, { names: [topic] }, { overrides });
      await until('the other has both', () => other.assignment().length === 2);
      await assert.rejects(stuck.commit([at(topic, 0, 0)]), /./);
      let event = await stuck.poll(limits, signal);
      while (event.kind !== 'lost') event = await stuck.poll(limits, signal);
      assert.equal(event.partitions.length, 2);
      while (event.kind !== 'assigned') event = await stuck.poll(limits, signal);
      await until('it has a share again', () => other.assignment().length === 1);
    });
  });
}
