import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { committedByKafkajs } from '../../test/contract/committed-values.ts';
import { batchOf, createTopic, readPartition, uniqueName } from '../../test/contract/log-fixture.ts';
import { startKafka } from '../../test/services/kafka.ts';
import { SASL_USER } from '../../test/services/kafka-config.ts';
import { useKafka } from '../../test/services/share.ts';
import { ConfigError, RetriableError } from '../api/index.ts';
import { FencedError } from '../ports/log.ts';
import { openKafkaLog } from './kafka-log.ts';

const partitions = 5;

describe('transactions on Kafka', () => {
  test('kafkajs and our own reader see the same: each committed record once, in order, and no other', async () => {
    const { brokers } = await useKafka();
    await using log = await openKafkaLog({ 'bootstrap.servers': brokers.join(',') });
    const topic = await createTopic(log, partitions);
    await using producer = await log.openTransactionalProducer({ clientId: 'p', transactionalId: uniqueName('tx') });
    const wanted: string[][] = Array.from({ length: partitions }, () => []);
    let sent = 0;
    for (let round = 0; round < 40; round++) {
      const commits = (round * 7) % 3 !== 0;
      for (let call = 0; call < round % 6; call++) {
        const partition = (round + call * 3) % partitions;
        const values = Array.from({ length: 1 + (round % 50) }, () => `${sent++}`.padEnd((round * 97) % 2000));
        void producer.append([batchOf(topic, partition, values)]);
        if (commits) wanted[partition]?.push(...values);
      }
      await (commits ? producer.commitTransaction() : producer.abortTransaction());
    }
    await producer.append(wanted.map((_, partition) => batchOf(topic, partition, ['end'])));
    await producer.commitTransaction();
    assert.deepEqual(await committedByKafkajs(brokers, topic, partitions, 'end'), wanted);
    for (const [partition, values] of wanted.entries()) {
      const records = await readPartition(log, topic, partition, 'read_committed');
      assert.deepEqual(
        records.map(({ value }) => value),
        [...values, 'end'],
      );
    }
  });

  test('one that takes longer than transaction.timeout.ms is aborted, and its producer fenced, with words for both', async () => {
    await using server = await startKafka({ properties: { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': '100' } });
    await using log = await openKafkaLog({ 'bootstrap.servers': server.brokers.join(','), 'producer.transaction.timeout.ms': '60000' });
    const topic = await createTopic(log);
    const overrides = { 'transaction.timeout.ms': '500' };
    for (const act of ['append', 'commit'] as const) {
      await using producer = await log.openTransactionalProducer({ clientId: 'slow', transactionalId: uniqueName('slow'), overrides });
      await producer.append([batchOf(topic, 0, ['lost'])]);
      // The coordinator aborts it: then readers see its end.
      assert.deepEqual(await readPartition(log, topic, 0, 'read_committed'), []);
      await sleep(100);
      const acted = act === 'append' ? producer.append([batchOf(topic, 0, ['late'])]) : producer.commitTransaction();
      await assert.rejects(acted, (error) => {
        assert.ok(error instanceof FencedError, String(error));
        assert.match(error.message, /another producer with this id.*or the coordinator aborted.*transaction\.timeout\.ms=500/);
        return true;
      });
      await assert.rejects(producer.commitTransaction(), FencedError);
    }
    assert.deepEqual(await readPartition(log, topic, 0, 'read_committed'), []);
  });

  test('a transaction.timeout.ms that the brokers do not allow is a ConfigError that names it', async () => {
    const { brokers } = await useKafka();
    await using log = await openKafkaLog({ 'bootstrap.servers': brokers.join(',') });
    const overrides = { 'transaction.timeout.ms': '99999999' };
    await assert.rejects(
      log.openTransactionalProducer({ clientId: 'p', transactionalId: 'tx', overrides }),
      (error) => error instanceof ConfigError && /^transaction\.timeout\.ms: .*99999999.*transaction\.max\.timeout\.ms/.test(error.message),
    );
  });

  test('a transactional id of the settings is refused: it is not for them to say', async () => {
    const { brokers } = await useKafka();
    await using log = await openKafkaLog({ 'bootstrap.servers': brokers.join(',') });
    const options = { clientId: 'p', transactionalId: 'tx', overrides: { 'transactional.id': 'mine' } };
    await assert.rejects(log.openTransactionalProducer(options), ConfigError);
  });

  test('no WRITE on the transactional id: a ConfigError that says so, and so does fencing', async () => {
    await using server = await startKafka({
      sasl: true,
      properties: {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:ANONYMOUS',
      },
    });
    const login = `org.apache.kafka.common.security.plain.PlainLoginModule required username="${SASL_USER.username}" password="${SASL_USER.password}";`;
    await using log = await openKafkaLog({
      'bootstrap.servers': server.saslBrokers.join(','),
      'security.protocol': 'SASL_PLAINTEXT',
      'sasl.mechanism': 'PLAIN',
      'sasl.jaas.config': login,
    });
    const denied = (error: unknown): boolean => error instanceof ConfigError && /WRITE on the transactional id/.test(error.message);
    await assert.rejects(log.openTransactionalProducer({ clientId: 'p', transactionalId: 'denied' }), denied);
    await assert.rejects(log.fenceProducers(['denied']), denied);
  });

  test('a topic that never comes spoils the transaction, after max.block.ms, and the next one is well', async () => {
    await using server = await startKafka({ properties: { 'auto.create.topics.enable': 'false' } });
    await using log = await openKafkaLog({ 'bootstrap.servers': server.brokers.join(',') });
    const topic = await createTopic(log);
    // The first to ask waits until the brokers have made their own topic.
    await log.fenceProducers(['nobody']);
    const overrides = { 'max.block.ms': '1000' };
    await using producer = await log.openTransactionalProducer({ clientId: 'p', transactionalId: 'tx', overrides });
    await producer.append([batchOf(topic, 0, ['a'])]);
    await assert.rejects(producer.append([batchOf('nobody-made-this', 0, ['x'])]), /"nobody-made-this": it does not exist/);
    await assert.rejects(producer.commitTransaction(), RetriableError);
    await producer.abortTransaction();
    await producer.append([batchOf(topic, 0, ['b'])]);
    await producer.commitTransaction();
    assert.deepEqual(
      (await readPartition(log, topic, 0, 'read_committed')).map(({ value }) => value),
      ['b'],
    );
  });
});
