/** Source tasks that write exactly-once, in real threads, on a real Kafka. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../test/contract/log-fixture.ts';
import { committedNumbers, committedOffsets, id, offsetOf, openCluster, upTo } from './test/exactly-once-fixture.ts';
import type { Worker } from './test/exactly-once-fixture.ts';

const says = (worker: Worker, text: string): Promise<void> => until(text, () => worker.said.some((each) => each.includes(text)));

test('poll: each poll is a transaction with its offset; the next start goes on after it', async () => {
  const { worker, topic, globalTopic } = await openCluster();
  await using a = await worker();
  await a.start({ until: '10' });
  await says(a, 'counting: committed 10');
  assert.deepEqual(a.said.slice(0, 2), ['ready', 'counting: starts after 0']);
  assert.deepEqual(await committedNumbers(a.log, topic), upTo(10));
  assert.deepEqual(await committedOffsets(a.log, globalTopic), [3, 6, 9, 10].map(offsetOf));
  const sizes = (): readonly (number | undefined)[] =>
    ['min', 'max', 'avg'].map((which) => a.host.metrics()[0]?.attributes[`transaction-size-${which}`]);
  await until('figures', () => sizes().join() === '1,3,2.5');
  assert.deepEqual(await a.host.stop(id), { graceful: true });
  await a.start({ until: '14' });
  await says(a, 'counting: starts after 10');
  await says(a, 'counting: committed 14');
  assert.deepEqual(await committedNumbers(a.log, topic), upTo(14));
});

test('interval: a pause commits the open transaction, and so does a stop; an interval commits by itself', async () => {
  const { worker, topic, globalTopic } = await openCluster();
  await using a = await worker();
  const long = { 'transaction.boundary': 'interval', 'transaction.boundary.interval.ms': '600000' };
  await a.start({ ...long, until: '10' });
  await says(a, 'counting: polls');
  await until('records', () => (a.host.metrics()[0]?.attributes['source-record-poll-total'] ?? 0) === 10);
  assert.deepEqual(await committedNumbers(a.log, topic), []);
  a.host.setPaused(id, true);
  await says(a, 'counting: committed 10');
  assert.deepEqual(await committedOffsets(a.log, globalTopic), [offsetOf(10)]);
  await a.host.stop(id);
  await a.start({ ...long, until: '20' });
  await until('records', () => (a.host.metrics()[0]?.attributes['source-record-poll-total'] ?? 0) === 10);
  await a.host.stop(id);
  assert.deepEqual(await committedNumbers(a.log, topic), upTo(20));
  assert.deepEqual(await committedOffsets(a.log, globalTopic), [10, 20].map(offsetOf));
  await a.start({ 'transaction.boundary': 'Interval', 'transaction.boundary.interval.ms': '50', until: '21' });
  await says(a, 'counting: committed 21');
  assert.deepEqual(await committedNumbers(a.log, topic), upTo(21));
});

test('connector: commits and aborts where it says; what it left open at the stop comes again', async () => {
  const { worker, topic, globalTopic } = await openCluster();
  await using a = await worker();
  await a.start({ 'transaction.boundary': 'connector', boundaries: 'commit@4,abort@8,commit@9', until: '12' });
  await says(a, 'counting: committed 9');
  await until('records', () => (a.host.metrics()[0]?.attributes['source-record-poll-total'] ?? 0) === 12);
  await a.host.stop(id);
  assert.deepEqual(await committedNumbers(a.log, topic), [...upTo(4), 9]);
  assert.deepEqual(await committedOffsets(a.log, globalTopic), [4, 8, 9].map(offsetOf));
  await a.start({ 'transaction.boundary': 'connector', boundaries: 'commit@12', until: '12' });
  await says(a, 'counting: starts after 9');
  await says(a, 'counting: committed 12');
  assert.deepEqual(await committedNumbers(a.log, topic), [...upTo(4), ...upTo(12).slice(8)]);
});

test('a task that another worker takes over in the midst of a transaction fails, and nothing of it is seen', async () => {
  const { worker, topic, globalTopic } = await openCluster();
  await using a = await worker();
  await using b = await worker();
  // Larger than what is held back until the end: the open transaction is in the log.
  const large = { 'poll.records': '100', 'pad.bytes': '10000' };
  await a.start({ ...large, 'poll.wait.ms': '20', 'transaction.boundary': 'connector', boundaries: 'commit@100' });
  await says(a, 'counting: committed 100');
  await until('an open transaction', () => (a.host.metrics()[0]?.attributes['source-record-write-total'] ?? 0) > 100);
  await b.start({ ...large, until: '300' });
  await says(b, 'counting: starts after 100');
  await says(a, 'failed: FencedError: task count-0: another instance of it has taken over');
  await says(b, 'counting: committed 300');
  assert.deepEqual(await committedNumbers(b.log, topic), upTo(300));
  assert.deepEqual(await committedOffsets(b.log, globalTopic), [100, 200, 300].map(offsetOf));
  const polls = a.said.filter((each) => each === 'counting: polls').length;
  await a.host.stop(id);
  assert.equal(a.said.filter((each) => each === 'counting: polls').length, polls);
});

test('a fenced task goes on where it was when it is started again', async () => {
  const { worker, topic, transactionalId } = await openCluster();
  await using a = await worker();
  await a.start({ 'poll.wait.ms': '5' });
  await says(a, 'counting: committed 9');
  await a.log.fenceProducers([transactionalId]);
  await says(a, 'failed: FencedError');
  await a.host.stop(id);
  await a.start({ 'poll.wait.ms': '5' });
  await until('a second start', () => a.said.filter((each) => each.includes('starts after')).length === 2);
  const again = Number(
    a.said
      .findLast((each) => each.includes('starts after'))
      ?.split(' ')
      .at(-1),
  );
  await says(a, `counting: committed ${again + 9}`);
  await a.host.stop(id);
  const numbers = await committedNumbers(a.log, topic);
  assert.ok(numbers.length >= again + 9);
  assert.deepEqual(numbers, upTo(numbers.length));
});

test('where the worker says no, the task fails before it reads anything', async () => {
  const { worker, topic } = await openCluster();
  await using a = await worker(() => Promise.reject(new Error('the task was given to another worker')));
  await a.start();
  await says(a, 'failed: Error: the task was given to another worker');
  await a.host.stop(id);
  assert.equal(
    a.said.some((each) => each.startsWith('counting')),
    false,
  );
  assert.deepEqual(await a.log.describeTopics([topic]), []);
});

test('a stop while the worker has not said yes yet is a clean one', async () => {
  const { worker } = await openCluster();
  const asked = Promise.withResolvers<void>();
  await using a = await worker(() => {
    asked.resolve();
    return new Promise(() => {});
  });
  await a.start();
  await asked.promise;
  assert.deepEqual(await a.host.stop(id), { graceful: true });
  assert.deepEqual(a.said, []);
});

test('a topic of its own holds the offsets, the worker’s gets a copy, and an alteration fences the task', async () => {
  const { worker, topic, globalTopic, ownTopic, transactionalId } = await openCluster();
  await using a = await worker();
  const config = { 'offsets.storage.topic': ownTopic };
  const partition = { of: 'numbers', stream: 'only' };
  await a.start({ ...config, until: '6' });
  await says(a, 'counting: committed 6');
  await a.host.stop(id);
  assert.deepEqual(await committedOffsets(a.log, ownTopic), [3, 6].map(offsetOf));
  assert.equal((await committedOffsets(a.log, globalTopic)).at(-1), offsetOf(6));

  await a.start({ ...config, 'poll.wait.ms': '20' });
  await says(a, 'counting: committed 9');
  {
    await using own = await a.offsets.forConnector(id.connector, { topic: ownTopic });
    await own.write(id.connector, [{ partition, offset: { count: 1000 } }], { transactionalId });
    await says(a, 'failed: FencedError');
    assert.deepEqual(await own.read(id.connector, [partition]), [{ count: 1000n }]);
  }
  // Under the key that was there, although the partition was spelt in another order.
  assert.equal((await committedOffsets(a.log, ownTopic)).at(-1), offsetOf(1000));
  await a.host.stop(id);
  await a.start({ ...config, until: '1003' });
  await says(a, 'counting: starts after 1000');
  await says(a, 'counting: committed 1003');
  assert.deepEqual((await committedNumbers(a.log, topic)).slice(-3), [1001, 1002, 1003]);
});

test('a task may not write to the topic of its offsets', async () => {
  const { worker, globalTopic, ownTopic } = await openCluster();
  await using a = await worker();
  for (const config of [{ topic: globalTopic }, { topic: ownTopic, 'offsets.storage.topic': ownTopic }]) {
    a.said.length = 0;
    await a.start(config);
    await says(a, 'Source tasks may not produce to their own offsets topics when exactly-once support is enabled');
    await a.host.stop(id);
  }
});
