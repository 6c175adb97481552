import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { committedByKafkajs } from '../../test/contract/committed-values.ts';
import { batchOf, createTopic, readPartition, uniqueName, until } from '../../test/contract/log-fixture.ts';
import { startKafka } from '../../test/services/kafka.ts';
import { RetriableError } from '../api/index.ts';
import { FencedError } from '../ports/log.ts';
import { openKafkaLog } from './kafka-log.ts';

describe('transactions in outages', () => {
  test('kill -9 of the broker in mid-transaction, and before a commit: it goes through when the broker is back', async () => {
    await using server = await startKafka({ private: true });
    await using log = await openKafkaLog({ 'bootstrap.servers': server.brokers.join(',') });
    const topic = await createTopic(log, 2);
    await using producer = await log.openTransactionalProducer({ clientId: 'p', transactionalId: uniqueName('tx') });
    await producer.append([batchOf(topic, 0, ['before'])]);
    await server.kill('SIGKILL');
    const appended = producer.append([batchOf(topic, 1, ['meanwhile'])]);
    await server.restart();
    await appended;
    await server.kill('SIGKILL');
    const committed = producer.commitTransaction();
    await server.restart();
    await committed;
    await producer.append([batchOf(topic, 0, ['end']), batchOf(topic, 1, ['end'])]);
    await producer.commitTransaction();
    assert.deepEqual(await committedByKafkajs(server.brokers, topic, 2, 'end'), [['before'], ['meanwhile']]);
  });

  test('kill -9 under a load of transactions: each that was committed is there once, whole, and no other', async () => {
    await using server = await startKafka({ private: true });
    await using log = await openKafkaLog({ 'bootstrap.servers': server.brokers.join(',') });
    const topic = await createTopic(log, 2);
    await using producer = await log.openTransactionalProducer({ clientId: 'p', transactionalId: uniqueName('tx') });
    const kept: string[] = [];
    let stopped = false;
    let rounds = 0;
    const load = async (): Promise<void> => {
      for (; !stopped; rounds++) {
        const values = [`${rounds}a`, `${rounds}b`];
        const commits = rounds % 3 !== 0;
        // Not waited for: the commit is.
        for (const value of values) producer.append([batchOf(topic, 0, [value]), batchOf(topic, 1, [value])]).catch(() => {});
        await (commits ? producer.commitTransaction() : producer.abortTransaction());
        if (commits) kept.push(...values);
      }
    };
    const running = load();
    running.catch(() => {});
    for (let kill = 0; kill < 2; kill++) {
      const before = rounds;
      await until('transactions go on', () => rounds > before + 30);
      await server.kill('SIGKILL');
      await server.restart();
    }
    const before = rounds;
    await until('transactions go on', () => rounds > before + 30);
    stopped = true;
    await running;
    await producer.append([batchOf(topic, 0, ['end']), batchOf(topic, 1, ['end'])]);
    await producer.commitTransaction();
    assert.deepEqual(await committedByKafkajs(server.brokers, topic, 2, 'end'), [kept, kept]);
  });

  test('a commit whose answer does not come in time (SIGSTOP) is asked for again; the next transaction is none the worse', async () => {
    await using server = await startKafka({ private: true });
    const settings = { 'bootstrap.servers': server.brokers.join(','), 'producer.request.timeout.ms': '700' };
    await using log = await openKafkaLog(settings);
    const topic = await createTopic(log);
    await using producer = await log.openTransactionalProducer({ clientId: 'p', transactionalId: uniqueName('tx') });
    for (let round = 0; round < 3; round++) {
      await producer.append([batchOf(topic, 0, [`${round}`])]);
      await server.pause();
      const committed = producer.commitTransaction();
      await sleep(2500);
      server.resume();
      await committed;
    }
    await producer.append([batchOf(topic, 0, ['end'])]);
    await producer.commitTransaction();
    assert.deepEqual(await committedByKafkajs(server.brokers, topic, 1, 'end'), [['0', '1', '2']]);
  });

  test('a commit that nobody answers is undecided: no append and no abort, but the commit again', async () => {
    await using server = await startKafka({ private: true });
    await using log = await openKafkaLog({ 'bootstrap.servers': server.brokers.join(',') });
    const topic = await createTopic(log);
    // The first to ask waits until the brokers have made their own topic.
    await log.fenceProducers(['nobody']);
    const overrides = { 'max.block.ms': '500', 'request.timeout.ms': '300' };
    await using producer = await log.openTransactionalProducer({ clientId: 'p', transactionalId: uniqueName('tx'), overrides });
    await producer.append([batchOf(topic, 0, ['a'])]);
    await server.pause();
    const undecided = (error: unknown): boolean => error instanceof RetriableError && /not known whether/.test(error.message);
    await assert.rejects(producer.commitTransaction(), undecided);
    await assert.rejects(producer.append([batchOf(topic, 0, ['b'])]), undecided);
    await assert.rejects(producer.abortTransaction(), undecided);
    server.resume();
    await until('the commit', () =>
      producer.commitTransaction().then(
        () => true,
        () => false,
      ),
    );
    await until('a new epoch', () =>
      producer.append([batchOf(topic, 0, ['c'])]).then(
        () => true,
        () => producer.abortTransaction().then(() => false),
      ),
    );
    await producer.commitTransaction();
    assert.deepEqual(
      (await readPartition(log, topic, 0, 'read_committed')).map(({ value }) => value),
      ['a', 'c'],
    );
  });

  test('batches that were given up (delivery.timeout.ms) and arrive late are in no later transaction', async () => {
    await using server = await startKafka({ private: true });
    await using log = await openKafkaLog({ 'bootstrap.servers': server.brokers.join(',') });
    const topic = await createTopic(log);
    const overrides = { 'delivery.timeout.ms': '5000', 'request.timeout.ms': '2500' };
    await using producer = await log.openTransactionalProducer({ clientId: 'p', transactionalId: uniqueName('tx'), overrides });
    await producer.append([batchOf(topic, 0, ['a'])]);
    await server.pause();
    await assert.rejects(producer.append([batchOf(topic, 0, ['given up'])]), /delivery\.timeout\.ms=5000/);
    await assert.rejects(producer.commitTransaction(), /delivery\.timeout\.ms=5000/);
    const aborted = producer.abortTransaction();
    const appended = producer.append([batchOf(topic, 0, ['b'])]);
    server.resume();
    await aborted;
    await appended;
    await producer.commitTransaction();
    await producer.append([batchOf(topic, 0, ['end'])]);
    await producer.commitTransaction();
    assert.deepEqual(await committedByKafkajs(server.brokers, topic, 1, 'end'), [['b']]);
  });

  test('one that was frozen while another took over writes nothing that is seen', async () => {
    await using server = await startKafka({ private: true });
    await using log = await openKafkaLog({ 'bootstrap.servers': server.brokers.join(',') });
    const [topic, transactionalId] = [await createTopic(log), uniqueName('tx')];
    await using zombie = await log.openTransactionalProducer({ clientId: 'zombie', transactionalId });
    await zombie.append([batchOf(topic, 0, ['zombie'])]);
    await server.kill('SIGKILL');
    // Both ask at once for what the coordinator is still loading.
    const [late, opening] = [
      zombie.append([batchOf(topic, 0, ['zombie'])]),
      log.openTransactionalProducer({ clientId: 'heir', transactionalId }),
    ];
    late.catch(() => {});
    await server.restart();
    await using heir = await opening;
    await assert.rejects(zombie.commitTransaction(), FencedError);
    await heir.append([batchOf(topic, 0, ['heir'])]);
    await heir.commitTransaction();
    await assert.rejects(zombie.append([batchOf(topic, 0, ['zombie'])]), FencedError);
    await heir.append([batchOf(topic, 0, ['end'])]);
    await heir.commitTransaction();
    assert.deepEqual(await committedByKafkajs(server.brokers, topic, 1, 'end'), [['heir']]);
  });
});
