import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Kafka, logLevel } from 'kafkajs';
import { batchOf, createTopic, readPartition } from '../../test/contract/log-fixture.ts';
import { kcat } from '../../test/services/kcat.ts';
import { useKafka } from '../../test/services/share.ts';
import { compressBatch } from '../batch/compression.ts';
import { openKafkaLog } from './kafka-log.ts';

const values = Array.from({ length: 300 }, (_, i) => `${'the same words again '.repeat(20)}${i}`);

describe('compressed batches', () => {
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    test(`${codec}: kcat reads ours, and we read kcat's`, async () => {
      const { brokers } = await useKafka();
      await using log = await openKafkaLog({ 'bootstrap.servers': brokers.join(',') });
      await using producer = await log.openProducer({ clientId: 'codecs' });
      const topic = await createTopic(log);
      const plain = batchOf(topic, 0, values);
      const packed = compressBatch(codec, plain.buffer, plain.length);
      assert.equal(packed.length < plain.length, codec !== 'none');
      await producer.append([{ ...plain, ...packed }]);
      const read = await kcat(['-b', brokers[0] as string, '-C', '-t', topic, '-e', '-q']);
      assert.deepEqual(read.trimEnd().split('\n'), values);

      const theirs = await createTopic(log);
      await kcat(['-b', brokers[0] as string, '-P', '-t', theirs, '-z', codec], `${values.join('\n')}\n`);
      assert.deepEqual(
        (await readPartition(log, theirs, 0)).map(({ value }) => value),
        values,
      );
    });
  }

  test('the broker itself recompresses to each codec, and we read it (snappy in xerial frames)', async () => {
    const { brokers } = await useKafka();
    await using log = await openKafkaLog({ 'bootstrap.servers': brokers.join(',') });
    await using producer = await log.openProducer({ clientId: 'codecs' });
    for (const codec of ['gzip', 'snappy', 'lz4', 'zstd']) {
      const topic = await createTopic(log, 1, { 'compression.type': codec });
      await producer.append([batchOf(topic, 0, values)]);
      assert.deepEqual(
        (await readPartition(log, topic, 0)).map(({ value }) => value),
        values,
        codec,
      );
    }
  });

  test('kafkajs reads our gzip', async () => {
    const { brokers } = await useKafka();
    await using log = await openKafkaLog({ 'bootstrap.servers': brokers.join(',') });
    await using producer = await log.openProducer({ clientId: 'codecs' });
    const topic = await createTopic(log);
    const plain = batchOf(topic, 0, values);
    await producer.append([{ ...plain, ...compressBatch('gzip', plain.buffer, plain.length) }]);
    const consumer = new Kafka({ brokers, logLevel: logLevel.NOTHING }).consumer({ groupId: topic });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const read: (string | undefined)[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    await consumer.run({
      eachMessage: async ({ message }) => {
        read.push(message.value?.toString());
        if (read.length === values.length) resolve();
      },
    });
    await promise;
    await consumer.disconnect();
    assert.deepEqual(read, values);
  });
});
