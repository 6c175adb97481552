import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { readPartition } from '../../test/contract/log-fixture.ts';
import { useKafka } from '../../test/services/share.ts';
import { openKafkaLog } from '../kafka/kafka-log.ts';
import { FencedError } from '../ports/log.ts';
import type { Log, ReaderOptions } from '../ports/log.ts';
import { connectorOffsetSuite, offsetOptions, until } from './test/connector-offset-suite.ts';
import { offsetBatches } from './offset-batches.ts';
import { topicOffsetStore } from './topic-offset-store.ts';

async function openLog(t: TestContext): Promise<Log> {
  const { brokers } = await useKafka();
  const log = await openKafkaLog({ 'bootstrap.servers': brokers.join(',') });
  t.after(() => log[Symbol.asyncDispose]());
  return log;
}

connectorOffsetSuite(openLog);

test('a connector’s overrides of its consumer are for its own topic', async (t) => {
  const log = await openLog(t);
  const readers: ReaderOptions[] = [];
  const openReader = log.openReader.bind(log);
  log.openReader = (each) => {
    readers.push(each);
    return openReader(each);
  };
  const { options, own } = offsetOptions(log);
  await using store = topicOffsetStore({ ...options, partitions: 1 });
  await store.start();
  await using committed = await store.forConnector('c', { topic: own });
  await using strict = await store.forConnector('c', {
    topic: own,
    consumer: { 'isolation.level': 'read_uncommitted' },
    exactlyOnce: true,
  });
  const consumer = { 'isolation.level': 'read_uncommitted', 'fetch.max.wait.ms': '100' };
  await using loose = await store.forConnector('c', { topic: own, consumer });
  // The worker's own topic, and each of the three.
  assert.deepEqual(
    readers.map(({ isolation, overrides }) => `${isolation} ${overrides?.['fetch.max.wait.ms']}`),
    ['read_committed undefined', 'read_committed undefined', 'read_committed undefined', 'read_uncommitted 100'],
  );
  await using producer = await log.openTransactionalProducer({ clientId: 'p', transactionalId: `${own}-open` });
  await producer.append([
    ...offsetBatches({ name: own, partitions: 1 }, [{ key: Buffer.from('["c",{"p":1}]'), value: Buffer.from('{"n":1}') }]),
  ]);
  await producer.abortTransaction();
  assert.deepEqual(await loose.read('c', [{ p: 1 }]), [{ n: 1n }]);
  for (const each of [committed, strict]) assert.deepEqual(await each.read('c', [{ p: 1 }]), [undefined]);
});

test('offsets are altered in a transaction of the task’s id, which fences the task; the worker’s topic gets a copy', async (t) => {
  const log = await openLog(t);
  const { options, own } = offsetOptions(log);
  const transactionalId = `${own}-c-0`;
  await using store = topicOffsetStore({ ...options, partitions: 1 });
  await store.start();
  await using mine = await store.forConnector('c', { topic: own });
  await mine.write('c', [{ partition: { p: 'old' }, offset: { n: 0 } }]);
  await using zombie = await log.openTransactionalProducer({ clientId: 'zombie', transactionalId });
  const ofZombie = { key: Buffer.from('["c",{"p":"zombie"}]'), value: Buffer.from('{"n":1}') };
  await zombie.append(offsetBatches({ name: own, partitions: 1 }, [ofZombie]));
  await mine.write(
    'c',
    [
      { partition: { p: 'new' }, offset: { n: 2 } },
      { partition: { p: 'old' }, offset: null },
    ],
    { transactionalId },
  );
  assert.deepEqual(await mine.all('c'), [{ partition: { p: 'new' }, offset: { n: 2n } }]);
  await assert.rejects(zombie.commitTransaction(), FencedError);
  const text = (values: Awaited<ReturnType<typeof readPartition>>): string[] => values.map(({ key, value }) => `${key} ${value}`);
  const kept = '["c",{"p":"new"}] {"n":2}';
  assert.deepEqual(text(await readPartition(log, own, 0, 'read_committed')).slice(1), [kept, '["c",{"p":"old"}] null']);
  await until(async () => text(await readPartition(log, options.topic, 0, 'read_committed')).includes(kept));

  await store.write('d', [{ partition: { p: 1 }, offset: { n: 1 } }], { transactionalId: `${own}-d-0` });
  assert.deepEqual(await store.read('d', [{ p: 1 }]), [{ n: 1n }]);
});

test('a worker starts beside a transaction that somebody who was killed left open, and reads to its end once it is fenced', async (t) => {
  const log = await openLog(t);
  const { options, own } = offsetOptions(log);
  {
    await using store = topicOffsetStore({ ...options, partitions: 1 });
    await store.start();
    await store.write('c', [{ partition: { p: 1 }, offset: { n: 1 } }]);
  }
  const transactionalId = `${own}-c-0`;
  await using killed = await log.openTransactionalProducer({ clientId: 'killed', transactionalId });
  const open = { key: Buffer.from('["c",{"p":1}]'), value: Buffer.from('{"n":2}') };
  await killed.append(offsetBatches({ name: options.topic, partitions: 1 }, [open]));
  // Less than the minute after which the transaction expires by itself.
  await using store = topicOffsetStore({ ...options, partitions: 1, readTimeoutMs: 40_000 });
  await store.start();
  const read = store.read('c', [{ p: 1 }]);
  await using _successor = await log.openTransactionalProducer({ clientId: 'successor', transactionalId });
  assert.deepEqual(await read, [{ n: 1n }]);
});
