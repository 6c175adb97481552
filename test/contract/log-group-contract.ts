import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { RetriableError } from '../../runtime/api/index.ts';
import type { Log } from '../../runtime/ports/log.ts';
import { appendValues, at, createTopic, uniqueName, until } from './log-fixture.ts';
import type { OpenLog } from './log-fixture.ts';
import { joinGroup } from './log-member.ts';
import type { Member } from './log-member.ts';

const valuesSeen = (member: Member): (string | null)[] => member.records.map((record) => record.value);

/** Reads a topic's five records in a group and commits after the third. */
async function commitThree(log: Log, groupId: string): Promise<string> {
  const topic = await createTopic(log);
  await appendValues(log, topic, 0, ['a', 'b', 'c', 'd', 'e']);
  await using member = await joinGroup(log, groupId, { names: [topic] });
  await until('five records', () => member.records.length === 5);
  await member.group.commit([at(topic, 0, 3)]);
  return topic;
}

export function registerGroupContract(open: OpenLog): void {
  describe('groups: positions', () => {
    test('a new group starts at the earliest record, or where auto.offset.reset says', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log);
      await appendValues(opened.log, topic, 0, ['a', 'b']);
      await using early = await joinGroup(opened.log, uniqueName('group'), { names: [topic] });
      await until('records from the beginning', () => early.records.length === 2);
      assert.equal(early.events[0], `assigned ${topic}/0=0`);
      await using late = await joinGroup(
        opened.log,
        uniqueName('group'),
        { names: [topic] },
        { overrides: { 'auto.offset.reset': 'latest' } },
      );
      await until('an assignment', () => late.assignment().length === 1);
      assert.equal(late.events[0], `assigned ${topic}/0=2`);
      await appendValues(opened.log, topic, 0, ['c']);
      await until('the new record', () => late.records.length === 1 && early.records.length === 3);
      assert.deepEqual(valuesSeen(late), ['c']);
    });

    test('what was committed is where the next member starts', async () => {
      await using opened = await open();
      const groupId = uniqueName('group');
      const topic = await commitThree(opened.log, groupId);
      assert.deepEqual(await opened.log.groupOffsets(groupId), [at(topic, 0, 3)]);
      await using member = await joinGroup(opened.log, groupId, { names: [topic] });
      await until('the rest', () => member.records.length === 2);
      assert.equal(member.events[0], `assigned ${topic}/0=3`);
      assert.deepEqual(valuesSeen(member), ['d', 'e']);
    });

    test('seek goes back and forth', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log);
      await appendValues(opened.log, topic, 0, ['a', 'b', 'c']);
      const group = await opened.log.openGroup({ clientId: 'm', groupId: uniqueName('group'), topics: { names: [topic] } });
      await using member = group;
      const nextRecords = async () => {
        const signal = AbortSignal.timeout(30_000);
        for (;;) {
          const event = await member.poll({ maxWaitMs: 1000, maxBytes: 1 << 20 }, signal);
          if (event.kind === 'records' && event.runs.some((run) => run.length > 0)) return event.runs[0]?.position;
        }
      };
      assert.equal(await nextRecords(), 0n);
      member.seek([at(topic, 0, 1)]);
      assert.equal(await nextRecords(), 1n);
      member.seek([at(topic, 0, 0)]);
      assert.equal(await nextRecords(), 0n);
    });

    test('a paused partition waits, the others flow', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log, 2);
      await using member = await joinGroup(opened.log, uniqueName('group'), { names: [topic] });
      await until('an assignment', () => member.assignment().length === 2);
      member.group.pause([{ topic, partition: 0 }]);
      await appendValues(opened.log, topic, 0, ['held']);
      await appendValues(opened.log, topic, 1, ['flows']);
      await until('the other partition', () => valuesSeen(member).includes('flows'));
      await appendValues(opened.log, topic, 1, ['flows on']);
      await until('the other partition', () => valuesSeen(member).includes('flows on'));
      assert.ok(!valuesSeen(member).includes('held'));
      member.group.resume([{ topic, partition: 0 }]);
      await until('the paused one', () => valuesSeen(member).includes('held'));
      assert.equal(member.records.length, 3);
    });

    test('polling answers idle when nothing comes, ends with the signal, and rejects after close', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log);
      const group = await opened.log.openGroup({ clientId: 'm', groupId: uniqueName('group'), topics: { names: [topic] } });
      const limits = { maxWaitMs: 200, maxBytes: 1000 };
      const signal = AbortSignal.timeout(30_000);
      while ((await group.poll(limits, signal)).kind !== 'assigned');
      while ((await group.poll(limits, signal)).kind !== 'idle');
      const controller = new AbortController();
      const waiting = group.poll({ maxWaitMs: 60_000, maxBytes: 1000 }, controller.signal);
      controller.abort();
      await assert.rejects(waiting);
      await group[Symbol.asyncDispose]();
      await assert.rejects(group.poll(limits));
      await assert.rejects(group.commit([at(topic, 0, 0)]));
    });

    test('offsets of a group without members are altered, cleared and forgotten', async () => {
      await using opened = await open();
      const { log } = opened;
      const groupId = uniqueName('group');
      const topic = await createTopic(log, 3);
      assert.deepEqual(await log.groupOffsets(groupId), []);
      const big = 2n ** 60n + 1n;
      await log.alterGroupOffsets(groupId, [at(topic, 0, 5), at(topic, 1, big), at(topic, 2, 7)]);
      const sorted = async () => (await log.groupOffsets(groupId)).toSorted((a, b) => a.partition - b.partition);
      assert.deepEqual(await sorted(), [at(topic, 0, 5), at(topic, 1, big), at(topic, 2, 7)]);
      await log.alterGroupOffsets(groupId, [
        { topic, partition: 0, offset: null },
        { topic, partition: 2, offset: 8n },
      ]);
      assert.deepEqual(await sorted(), [at(topic, 1, big), at(topic, 2, 8)]);
      await log.deleteGroup(groupId);
      assert.deepEqual(await log.groupOffsets(groupId), []);
      await log.deleteGroup(groupId);
      await log.deleteGroup(uniqueName('never-was'));
    });

    test('offsets of a group with members stay as they are', async () => {
      await using opened = await open();
      const { log } = opened;
      const groupId = uniqueName('group');
      const topic = await createTopic(log);
      {
        await using member = await joinGroup(log, groupId, { names: [topic] });
        await until('an assignment', () => member.assignment().length === 1);
        await member.commit();
        await assert.rejects(log.alterGroupOffsets(groupId, [at(topic, 0, 5)]), RetriableError);
        await assert.rejects(log.alterGroupOffsets(groupId, [{ topic, partition: 0, offset: null }]), RetriableError);
        await assert.rejects(log.deleteGroup(groupId), RetriableError);
      }
      await log.alterGroupOffsets(groupId, [at(topic, 0, 5)]);
      assert.deepEqual(await log.groupOffsets(groupId), [at(topic, 0, 5)]);
    });

    test('two groups do not see each other', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log);
      await appendValues(opened.log, topic, 0, ['a', 'b']);
      await using one = await joinGroup(opened.log, uniqueName('one'), { names: [topic] });
      await using two = await joinGroup(opened.log, uniqueName('two'), { names: [topic] });
      await until('both have read', () => one.records.length === 2 && two.records.length === 2);
    });
  });
}
