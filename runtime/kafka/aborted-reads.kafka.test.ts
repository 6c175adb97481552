import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Kafka, logLevel } from 'kafkajs';
import type { Producer } from 'kafkajs';
import { createTopic, recordsOf, uniqueName } from '../../test/contract/log-fixture.ts';
import { useKafka } from '../../test/services/share.ts';
import type { Log } from '../ports/log.ts';
import { openKafkaLog } from './kafka-log.ts';

/** Record i of transaction t has the key `t-i`. Big values spread an abort over many small fetches. */
interface Transaction {
  readonly records: number;
  readonly valueBytes: number;
  readonly commit: boolean;
}

async function run(producer: Producer, topic: string, name: string, { records, valueBytes, commit }: Transaction): Promise<void> {
  const transaction = await producer.transaction();
  const value = 'x'.repeat(valueBytes);
  for (let start = 0; start < records; start += 50) {
    const messages = Array.from({ length: Math.min(50, records - start) }, (_, i) => ({
      key: `${name}-${start + i}`,
      value,
      partition: 0,
    }));
    await transaction.send({ topic, messages });
  }
  await (commit ? transaction.commit() : transaction.abort());
}

async function readKeys(
  log: Log,
  topic: string,
  maxBytes: number,
  isolation: 'read_committed' | 'read_uncommitted',
): Promise<{ keys: (string | null)[]; end: bigint }> {
  const [latest] = await log.offsetsAt([{ topic, partition: 0 }], 'latest');
  await using reader = await log.openReader({ clientId: 'aborted-reads', isolation });
  reader.assign([{ topic, partition: 0, offset: 0n }]);
  const keys: (string | null)[] = [];
  const signal = AbortSignal.timeout(30_000);
  let end = 0n;
  while (end < (latest?.offset as bigint)) {
    for (const each of await reader.fetch({ maxWaitMs: 500, maxBytes }, signal)) {
      keys.push(...recordsOf([each]).map(({ key }) => key));
      end = each.nextPosition;
    }
  }
  return { keys, end };
}

async function keysOfKafkajs(kafka: Kafka, topic: string, count: number): Promise<(string | undefined)[]> {
  const consumer = kafka.consumer({ groupId: uniqueName('kafkajs'), readUncommitted: false });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const keys: (string | undefined)[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  await consumer.run({
    eachMessage: async ({ message }) => {
      keys.push(message.key?.toString());
      if (keys.length === count) resolve();
    },
  });
  await promise;
  await consumer.disconnect();
  return keys;
}

describe('aborted transactions', () => {
  const cases: Readonly<Record<string, readonly Transaction[]>> = {
    'repeated aborts by one producer': [false, false, true, false, true, false].map((commit) => ({ records: 5, valueBytes: 10, commit })),
    'an abort over many small fetches': [
      { records: 3, valueBytes: 10, commit: true },
      { records: 400, valueBytes: 3000, commit: false },
      { records: 200, valueBytes: 3000, commit: true },
      { records: 400, valueBytes: 3000, commit: false },
    ],
    'everything aborted before the end': [
      { records: 100, valueBytes: 1000, commit: false },
      { records: 100, valueBytes: 1000, commit: false },
    ],
  };
  for (const [name, transactions] of Object.entries(cases)) {
    test(`${name}: none is read, and reading goes on`, async () => {
      const { brokers } = await useKafka();
      await using log = await openKafkaLog({ 'bootstrap.servers': brokers.join(',') });
      const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
      const topic = await createTopic(log);
      const producer = kafka.producer({ transactionalId: uniqueName('tx'), maxInFlightRequests: 1, idempotent: true });
      await producer.connect();
      const all = [...transactions, { records: 1, valueBytes: 1, commit: true }];
      for (const [index, transaction] of all.entries()) await run(producer, topic, `${index}`, transaction);
      await producer.disconnect();

      const keysOf = (wanted: (transaction: Transaction) => boolean): string[] =>
        all.flatMap((transaction, index) =>
          wanted(transaction) ? Array.from({ length: transaction.records }, (_, i) => `${index}-${i}`) : [],
        );
      const committed = keysOf(({ commit }) => commit);
      for (const maxBytes of [1, 20_000, 300_000, 8 << 20]) {
        assert.deepEqual((await readKeys(log, topic, maxBytes, 'read_committed')).keys, committed, `with fetches of ${maxBytes} bytes`);
      }
      assert.deepEqual(
        (await readKeys(log, topic, 100_000, 'read_uncommitted')).keys,
        keysOf(() => true),
      );
      assert.deepEqual(await keysOfKafkajs(kafka, topic, committed.length), committed);
    });
  }

  test('two producers at once, one aborting', async () => {
    const { brokers } = await useKafka();
    await using log = await openKafkaLog({ 'bootstrap.servers': brokers.join(',') });
    const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
    const topic = await createTopic(log);
    const [good, bad] = ['good', 'bad'].map((name) =>
      kafka.producer({ transactionalId: uniqueName(name), maxInFlightRequests: 1, idempotent: true }),
    );
    assert.ok(good && bad);
    await Promise.all([good.connect(), bad.connect()]);
    for (let round = 0; round < 5; round++) {
      const [kept, dropped] = [await good.transaction(), await bad.transaction()];
      for (let i = 0; i < 3; i++) {
        await dropped.send({ topic, messages: [{ key: `bad-${round}-${i}`, value: 'x', partition: 0 }] });
        await kept.send({ topic, messages: [{ key: `good-${round}-${i}`, value: 'x', partition: 0 }] });
      }
      await (round % 2 === 0 ? dropped.abort() : kept.commit());
      await (round % 2 === 0 ? kept.commit() : dropped.abort());
    }
    await Promise.all([good.disconnect(), bad.disconnect()]);
    const wanted = Array.from({ length: 15 }, (_, i) => `good-${Math.floor(i / 3)}-${i % 3}`);
    for (const maxBytes of [1, 400, 1 << 20]) assert.deepEqual((await readKeys(log, topic, maxBytes, 'read_committed')).keys, wanted);
  });

  test('markers without data: an empty topic of markers is passed over, to its end', async () => {
    const { brokers } = await useKafka();
    await using log = await openKafkaLog({ 'bootstrap.servers': brokers.join(',') });
    const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
    const topic = await createTopic(log);
    const producer = kafka.producer({ transactionalId: uniqueName('tx'), maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    for (const commit of [false, true]) await run(producer, topic, 'gone', { records: 3, valueBytes: 1, commit });
    await producer.disconnect();
    const admin = kafka.admin();
    await admin.connect();
    try {
      // kafkajs deletes only in topics that it has met.
      await admin.fetchTopicOffsets(topic);
      // The commit marker, at offset 7, is all that is left.
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '7' }] });
    } finally {
      await admin.disconnect();
    }
    await using reader = await log.openReader({ clientId: 'markers', isolation: 'read_committed' });
    reader.assign([{ topic, partition: 0, offset: 7n }]);
    const runs = await reader.fetch({ maxWaitMs: 20_000, maxBytes: 1000 });
    assert.deepEqual(
      runs.map(({ length, nextPosition }) => [length, nextPosition]),
      [[0, 8n]],
    );
  });
});
