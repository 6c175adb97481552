import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { ConnectError, DataError, RetriableError } from '../../runtime/api/index.ts';
import type { PartitionOffset } from '../../runtime/api/index.ts';
import type { Log, LogGroup } from '../../runtime/ports/log.ts';
import { appendValues, at, batchOf, createTopic, readPartition, uniqueName, until } from './log-fixture.ts';
import type { OpenLog } from './log-fixture.ts';

interface Reader extends AsyncDisposable {
  readonly group: LogGroup;
  readonly groupId: string;
  /** The topic that it reads: one partition of three records. */
  readonly topic: string;
  /** Where its batches go. */
  readonly letters: string;
}

/** A member that has its partition. */
async function openReader(
  log: Log,
  options: { readonly groupId?: string; readonly topic?: string; readonly letters?: string } = {},
): Promise<Reader> {
  const topic = options.topic ?? (await createTopic(log));
  if (options.topic === undefined) await appendValues(log, topic, 0, ['a', 'b', 'c']);
  const letters = options.letters ?? (await createTopic(log));
  const groupId = options.groupId ?? uniqueName('group');
  const group = await log.openGroup({
    clientId: 'contract-member',
    groupId,
    topics: { names: [topic] },
    appends: { transactionalId: `${groupId}-letters`, clientId: 'contract-letters', overrides: { 'max.request.size': '5000' } },
  });
  const signal = AbortSignal.timeout(60_000);
  while ((await group.poll({ maxWaitMs: 500, maxBytes: 1 << 20 }, signal)).kind !== 'assigned');
  return { group, groupId, topic, letters, [Symbol.asyncDispose]: () => group[Symbol.asyncDispose]() };
}

async function lettersIn(log: Log, { letters }: Pick<Reader, 'letters'>): Promise<(string | null)[]> {
  return (await readPartition(log, letters, 0, 'read_committed')).map(({ value }) => value);
}

/** A broker that is asked for all of a group's offsets leaves out the first one until its transaction's marker is written. */
async function groupStands(log: Log, groupId: string, expected: readonly PartitionOffset[]): Promise<void> {
  await until('offsets of the group', async () => (await log.groupOffsets(groupId)).length > 0);
  assert.deepEqual(await log.groupOffsets(groupId), expected);
}

export function registerCommitContract(open: OpenLog): void {
  describe('groups: offsets and batches in one', () => {
    test('both are there, time and again, and with an empty list of either', async () => {
      await using opened = await open();
      const { log } = opened;
      await using reader = await openReader(log);
      const { group, groupId, topic, letters } = reader;
      const stands = (offset: number): readonly PartitionOffset[] => [at(topic, 0, offset)];
      await group.commit(stands(1), [batchOf(letters, 0, ['A1', 'A2'])]);
      await groupStands(log, groupId, stands(1));
      await group.commit(stands(2), [batchOf(letters, 0, ['B']), batchOf(letters, 0, ['C'])]);
      await group.commit(stands(3));
      await groupStands(log, groupId, stands(3));
      await group.commit([], [batchOf(letters, 0, ['D'])]);
      await groupStands(log, groupId, stands(3));
      assert.deepEqual(await lettersIn(log, reader), ['A1', 'A2', 'B', 'C', 'D']);
    });

    test('a batch that is refused leaves neither; the next commit works', async () => {
      await using opened = await open();
      const { log } = opened;
      await using reader = await openReader(log);
      const { group, groupId, topic } = reader;
      const small = await createTopic(log, 1, { 'max.message.bytes': '500' });
      const refused = group.commit([at(topic, 0, 1)], [batchOf(reader.letters, 0, ['fits']), batchOf(small, 0, ['x'.repeat(1000)])]);
      await assert.rejects(refused, DataError);
      assert.deepEqual(await log.groupOffsets(groupId), []);
      assert.deepEqual(await lettersIn(log, reader), []);
      await group.commit([at(topic, 0, 2)], [batchOf(reader.letters, 0, ['later'])]);
      await groupStands(log, groupId, [at(topic, 0, 2)]);
      assert.deepEqual(await lettersIn(log, reader), ['later']);
    });

    test('a member whose partitions are gone leaves neither', async () => {
      await using opened = await open();
      const { log } = opened;
      await using old = await openReader(log);
      const { groupId, topic, letters } = old;
      // The group shares out anew for the second member: the first must come back for that, and does not.
      const next = log.openGroup({ clientId: 'contract-second', groupId, topics: { names: [topic] } });
      await old.group[Symbol.asyncDispose]();
      await using second = await next;
      const late = old.group.commit([at(topic, 0, 1)], [batchOf(letters, 0, ['late'])]);
      await assert.rejects(late, ConnectError);
      assert.deepEqual(await lettersIn(log, old), []);
      assert.ok(second);
    });

    test('one that follows goes on where the one before stopped, with the same name', async () => {
      await using opened = await open();
      const { log } = opened;
      const first = await openReader(log);
      const { groupId, topic, letters } = first;
      await first.group.commit([at(topic, 0, 1)], [batchOf(letters, 0, ['one'])]);
      await first[Symbol.asyncDispose]();
      await using next = await openReader(log, { groupId, topic, letters });
      await next.group.commit([at(topic, 0, 2)], [batchOf(letters, 0, ['two'])]);
      await groupStands(log, groupId, [at(topic, 0, 2)]);
      assert.deepEqual(await lettersIn(log, next), ['one', 'two']);
    });

    test('offsets for partitions that are not assigned are refused, and their batches with them', async () => {
      await using opened = await open();
      const { log } = opened;
      if (log.kind === 'kafka') return; // Kafka's coordinator does not look at which partitions a member has.
      await using reader = await openReader(log);
      const foreign = await createTopic(log);
      await assert.rejects(reader.group.commit([at(foreign, 0, 1)], [batchOf(reader.letters, 0, ['x'])]), RetriableError);
      assert.deepEqual(await lettersIn(log, reader), []);
    });
  });
}
