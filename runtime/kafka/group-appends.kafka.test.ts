import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { appendValues, at, batchOf, createTopic, readPartition, uniqueName } from '../../test/contract/log-fixture.ts';
import { useKafka } from '../../test/services/share.ts';
import { RetriableError } from '../api/index.ts';
import type { Log, LogGroup } from '../ports/log.ts';
import { openKafkaLog } from './kafka-log.ts';

let log: Log;
before(async () => {
  const { brokers } = await useKafka();
  log = await openKafkaLog({ 'bootstrap.servers': brokers.join(',') });
});
after(() => log[Symbol.asyncDispose]());

async function assigned(group: LogGroup): Promise<void> {
  const signal = AbortSignal.timeout(60_000);
  while ((await group.poll({ maxWaitMs: 200, maxBytes: 1 << 20 }, signal)).kind !== 'assigned');
}

test('a member that the group went on without writes neither offsets nor batches', async () => {
  const topic = await createTopic(log, 2);
  const letters = await createTopic(log);
  await appendValues(log, topic, 0, ['a', 'b']);
  const groupId = uniqueName('group');
  const open = (member: string): Promise<LogGroup> =>
    log.openGroup({
      clientId: member,
      groupId,
      topics: { names: [topic] },
      overrides: { 'max.poll.interval.ms': '3000', 'heartbeat.interval.ms': '500' },
      appends: { transactionalId: `${groupId}-${member}`, clientId: `${member}-letters` },
    });
  await using slow = await open('slow');
  await assigned(slow);
  await slow.commit([at(topic, 0, 1)], [batchOf(letters, 0, ['one'])]);
  // It does not poll any more: the other gets everything after max.poll.interval.ms.
  await using next = await open('next');
  await assigned(next);
  await next.commit([at(topic, 0, 2)], [batchOf(letters, 0, ['two'])]);
  await assert.rejects(slow.commit([at(topic, 0, 1)], [batchOf(letters, 0, ['zombie'])]), RetriableError);
  assert.deepEqual(await log.groupOffsets(groupId), [at(topic, 0, 2)]);
  assert.deepEqual(
    (await readPartition(log, letters, 0, 'read_committed')).map(({ value }) => value),
    ['one', 'two'],
  );
});

test('one whose place another producer has taken is told so, and goes on once it may', async () => {
  const topic = await createTopic(log);
  const letters = await createTopic(log);
  await appendValues(log, topic, 0, ['a', 'b']);
  const groupId = uniqueName('group');
  const transactionalId = `${groupId}-letters`;
  await using group = await log.openGroup({
    clientId: 'member',
    groupId,
    topics: { names: [topic] },
    appends: { transactionalId, clientId: 'letters' },
  });
  await assigned(group);
  await log.fenceProducers([transactionalId]);
  await assert.rejects(group.commit([at(topic, 0, 1)], [batchOf(letters, 0, ['fenced'])]), RetriableError);
  assert.deepEqual(await log.groupOffsets(groupId), []);
  await group.commit([at(topic, 0, 2)], [batchOf(letters, 0, ['again'])]);
  assert.deepEqual(await log.groupOffsets(groupId), [at(topic, 0, 2)]);
  assert.deepEqual(
    (await readPartition(log, letters, 0, 'read_committed')).map(({ value }) => value),
    ['again'],
  );
});
