import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { batchOf, createTopic, readPartition, uniqueName, until } from '../../test/contract/log-fixture.ts';
import { joinGroup } from '../../test/contract/log-member.ts';
import { startKafka } from '../../test/services/kafka.ts';
import { RetriableError } from '../api/index.ts';
import type { Log } from '../ports/log.ts';
import { openKafkaLog } from './kafka-log.ts';

const partitions = 3;
const perBatch = 20;

/** Appends numbered records without a pause until told to stop; resolves with how many went into each partition. */
function load(log: Log, topic: string): { stop(): Promise<number[]>; sent(): number } {
  const counts = new Array<number>(partitions).fill(0);
  let stopped = false;
  const run = async (): Promise<number[]> => {
    await using producer = await log.openProducer({ clientId: 'load', overrides: { 'request.timeout.ms': '5000' } });
    const pending = new Set<Promise<unknown>>();
    for (let partition = 0; !stopped; partition = (partition + 1) % partitions) {
      const first = counts[partition] as number;
      const call = producer.append([
        batchOf(
          topic,
          partition,
          Array.from({ length: perBatch }, (_, i) => `${first + i}`),
        ),
      ]);
      counts[partition] = first + perBatch;
      pending.add(call);
      call.then(
        () => pending.delete(call),
        () => {},
      );
      if (pending.size >= 64) await Promise.race(pending);
    }
    await Promise.all(pending);
    return counts;
  };
  const running = run();
  running.catch(() => {});
  return {
    sent: () => counts.reduce((sum, count) => sum + count, 0),
    stop: () => {
      stopped = true;
      return running;
    },
  };
}

async function assertOnceInOrder(log: Log, topic: string, counts: readonly number[]): Promise<void> {
  for (const [partition, count] of counts.entries()) {
    const values = (await readPartition(log, topic, partition)).map(({ value }) => Number(value));
    assert.equal(values.length, count, `partition ${partition}`);
    assert.ok(
      values.every((value, index) => value === index),
      `partition ${partition} is in order`,
    );
  }
}

describe('outages', () => {
  test('kill -9 of the broker under load, twice: each record is there once, in order', async () => {
    await using server = await startKafka({ private: true });
    await using log = await openKafkaLog({ 'bootstrap.servers': server.brokers.join(',') });
    const topic = uniqueName('killed');
    await log.createTopics([{ name: topic, partitions }]);
    const running = load(log, topic);
    for (let round = 0; round < 2; round++) {
      const before = running.sent();
      await until('records flow', () => running.sent() > before + 3000);
      await server.kill('SIGKILL');
      await server.restart();
    }
    const before = running.sent();
    await until('records flow again', () => running.sent() > before + 3000);
    await assertOnceInOrder(log, topic, await running.stop());
  });

  test('a broker that is stopped (SIGSTOP) for 12 s under load: nothing is lost or doubled, readers and groups go on', async () => {
    await using server = await startKafka({ private: true });
    await using log = await openKafkaLog({ 'bootstrap.servers': server.brokers.join(','), 'consumer.request.timeout.ms': '5000' });
    const topic = await createTopic(log, partitions);
    await using member = await joinGroup(log, uniqueName('group'), { names: [topic] });
    await until('an assignment', () => member.assignment().length === partitions);
    const running = load(log, topic);
    await until('records flow', () => member.records.length > 3000);
    await server.pause();
    await sleep(12_000);
    server.resume();
    const before = running.sent();
    await until('records flow again', () => running.sent() > before + 3000);
    const counts = await running.stop();
    await assertOnceInOrder(log, topic, counts);
    const total = counts.reduce((sum, count) => sum + count, 0);
    await until('the member has read all', () => member.records.length >= total);
    assert.equal(member.records.length, total);
    assert.equal(member.failure(), undefined);
  });

  test('delivery.timeout.ms ends a producer that gets no answer, with a RetriableError, for good', async () => {
    await using server = await startKafka({ private: true });
    await using log = await openKafkaLog({ 'bootstrap.servers': server.brokers.join(',') });
    const topic = await createTopic(log);
    await using producer = await log.openProducer({
      clientId: 'p',
      overrides: { 'delivery.timeout.ms': '1500', 'request.timeout.ms': '500' },
    });
    await producer.append([batchOf(topic, 0, ['a'])]);
    await server.pause();
    await assert.rejects(
      producer.append([batchOf(topic, 0, ['b'])]),
      (error) => error instanceof RetriableError && /delivery\.timeout\.ms=1500/.test(error.message),
    );
    await assert.rejects(producer.append([batchOf(topic, 0, ['c'])]), RetriableError);
    server.resume();
  });

  test('a topic that nothing creates is told, after max.block.ms', async () => {
    await using server = await startKafka({ private: true, properties: { 'auto.create.topics.enable': 'false' } });
    await using log = await openKafkaLog({ 'bootstrap.servers': server.brokers.join(',') });
    await using producer = await log.openProducer({ clientId: 'p', overrides: { 'max.block.ms': '1000' } });
    await assert.rejects(
      producer.append([batchOf('nobody-made-this', 0, ['a'])]),
      /"nobody-made-this": it does not exist.*topic\.creation/s,
    );
  });
});
