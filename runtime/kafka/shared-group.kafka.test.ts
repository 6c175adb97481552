import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AssignerProtocol, Kafka, logLevel } from 'kafkajs';
import type { PartitionAssigner } from 'kafkajs';
import { appendValues, createTopic, uniqueName, until } from '../../test/contract/log-fixture.ts';
import { joinGroup } from '../../test/contract/log-member.ts';
import { useKafka } from '../../test/services/share.ts';
import { openKafkaLog } from './kafka-log.ts';

/** kafkajs has no range of its own: this one deals out partitions by turns, under that name, when it leads. */
const rangeByName: PartitionAssigner = ({ cluster }) => ({
  name: 'range',
  version: 1,
  assign: async ({ members, topics }) => {
    const shares = members.map(({ memberId }) => ({ memberId, assignment: {} as Record<string, number[]> }));
    for (const topic of topics) {
      for (const [index, { partitionId }] of cluster.findTopicPartitionMetadata(topic).entries()) {
        const share = shares[index % shares.length];
        (share!.assignment[topic] ??= []).push(partitionId);
      }
    }
    return shares.map(({ memberId, assignment }) => ({
      memberId,
      memberAssignment: AssignerProtocol.MemberAssignment.encode({ version: 1, assignment, userData: Buffer.alloc(0) }),
    }));
  },
  protocol: ({ topics }) => ({
    name: 'range',
    metadata: AssignerProtocol.MemberMetadata.encode({ version: 1, topics, userData: Buffer.alloc(0) }),
  }),
});

describe('a group with a member that is not ours', () => {
  for (const leader of ['ours', 'kafkajs'] as const) {
    test(`led by ${leader}: both have a share, and every record comes once`, async () => {
      const { brokers } = await useKafka();
      await using log = await openKafkaLog({ 'bootstrap.servers': brokers.join(',') });
      const [topic, groupId] = [await createTopic(log, 4), uniqueName('mixed')];
      const consumer = new Kafka({ brokers, logLevel: logLevel.NOTHING }).consumer({
        groupId,
        partitionAssigners: [rangeByName],
        heartbeatInterval: 500,
      });
      const theirs: string[] = [];
      let theirShare = 0;
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
        theirShare = Object.values(payload.memberAssignment).flat().length;
      });
      const joinTheirs = async (): Promise<void> => {
        await consumer.connect();
        await consumer.subscribe({ topic, fromBeginning: true });
        await consumer.run({ eachMessage: async ({ message }) => void theirs.push(String(message.value)) });
      };
      try {
        if (leader === 'kafkajs') {
          await joinTheirs();
          await until('kafkajs has all', () => theirShare === 4);
        }
        await using ours = await joinGroup(log, groupId, { names: [topic] }, { overrides: { 'heartbeat.interval.ms': '500' } });
        if (leader === 'ours') {
          await until('we have all', () => ours.assignment().length === 4);
          await joinTheirs();
        }
        await until('two each', () => ours.assignment().length === 2 && theirShare === 2);
        for (let partition = 0; partition < 4; partition++) await appendValues(log, topic, partition, [`${partition}a`, `${partition}b`]);
        await until('eight records', () => ours.records.length + theirs.length === 8);
        const all = [...ours.records.map(({ value }) => value), ...theirs];
        assert.deepEqual(all.toSorted(), ['0a', '0b', '1a', '1b', '2a', '2b', '3a', '3b']);
        assert.equal(ours.records.length, 4);
        assert.equal(ours.failure(), undefined);
      } finally {
        await consumer.disconnect();
      }
    });
  }

  test('a member with another kind of protocol is named', async () => {
    const { brokers } = await useKafka();
    await using log = await openKafkaLog({ 'bootstrap.servers': brokers.join(',') });
    const [topic, groupId] = [await createTopic(log), uniqueName('other')];
    const consumer = new Kafka({ brokers, logLevel: logLevel.NOTHING }).consumer({ groupId });
    const joined = Promise.withResolvers<void>();
    consumer.on(consumer.events.GROUP_JOIN, () => joined.resolve());
    try {
      await consumer.connect();
      await consumer.subscribe({ topic });
      await consumer.run({ eachMessage: async () => {} });
      await joined.promise;
      await using group = await log.openGroup({ clientId: 'm', groupId, topics: { names: [topic] } });
      const poll = async (): Promise<void> => {
        for (;;) await group.poll({ maxWaitMs: 500, maxBytes: 1000 }, AbortSignal.timeout(20_000));
      };
      await assert.rejects(poll(), /INCONSISTENT_GROUP_PROTOCOL.*range/s);
    } finally {
      await consumer.disconnect();
    }
  });
});
