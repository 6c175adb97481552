/** What holds for the stores on every log. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { Logger } from '../../api/index.ts';
import { readRecords } from '../../batch/record-reader.ts';
import type { Log } from '../../ports/log.ts';
import type { RunStatus } from '../../ports/stores.ts';
import { compactedTopic } from '../compacted-topic.ts';
import { topicConfigStore } from '../topic-config-store.ts';
import { topicOffsetStore } from '../topic-offset-store.ts';
import { topicStatusStore } from '../topic-status-store.ts';

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} };

export function topicStoresSuite(openLog: () => Promise<Log>): void {
  const optionsOf = (log: Log, what: string) => ({
    log,
    topic: `${what}-${randomUUID().slice(0, 8)}`,
    replicationFactor: 1,
    clientId: 'stores-test',
    logger: quiet,
  });

  test('connectors outlive the store, and every change is told, own ones before the write resolves', async () => {
    await using log = await openLog();
    const options = optionsOf(log, 'configs');
    await using other = topicConfigStore(options);
    const told = Promise.withResolvers<void>();
    await other.start((name) => name === 'last' && told.resolve());
    {
      await using store = topicConfigStore(options);
      const changes: string[] = [];
      await store.start((name) => changes.push(name));
      await store.putConnector('my-src', { 'connector.class': 'X', name: 'my-src' }, 'PAUSED');
      assert.deepEqual(changes, ['my-src']);
      await store.putTaskConfigs('my-src', [{ a: '1' }, { a: '2' }]);
      await store.putTargetState('my-src', 'STOPPED');
      await store.putConnector('last', { name: 'last' });
      await store.putConnector('gone', { name: 'gone' });
      await store.removeConnector('gone');
    }
    await told.promise;
    await using again = topicConfigStore(options);
    await again.start(() => {});
    for (const store of [again, other]) {
      assert.deepEqual(store.get('my-src'), {
        name: 'my-src',
        properties: { 'connector.class': 'X', name: 'my-src' },
        target: 'STOPPED',
        tasks: [{ a: '1' }, { a: '2' }],
      });
    }
    assert.deepEqual(again.connectors(), ['last', 'my-src']);
    assert.equal((await log.describeTopics([options.topic]))[0]?.partitions, 1);
    assert.equal((await log.topicConfig(options.topic))['cleanup.policy'], 'compact');
    assert.deepEqual((await textOf(log, options.topic, 0)).slice(0, 3), [
      'target-state-my-src {"state":"PAUSED","state.v2":"PAUSED"}',
      'connector-my-src {"properties":{"connector.class":"X","name":"my-src"}}',
      'task-my-src-0 {"properties":{"a":"1"}}',
    ]);
  });

  test('a config topic that could lose records, or their order, is refused', async () => {
    await using log = await openLog();
    const options = optionsOf(log, 'refused');
    await log.createTopics([
      { name: `${options.topic}-2`, partitions: 2, replicationFactor: 1, config: { 'cleanup.policy': 'compact' } },
      { name: `${options.topic}-d`, partitions: 1, replicationFactor: 1, config: { 'cleanup.policy': 'delete' } },
    ]);
    await using two = topicConfigStore({ ...options, topic: `${options.topic}-2` });
    await assert.rejects(
      two.start(() => {}),
      /has 2 partitions, and this store needs exactly 1/,
    );
    await using deleting = topicConfigStore({ ...options, topic: `${options.topic}-d` });
    await assert.rejects(
      deleting.start(() => {}),
      /cleanup\.policy=delete/,
    );
  });

  test('statuses show at once, and stand in the partitions that Connect chooses', async () => {
    await using log = await openLog();
    const options = optionsOf(log, 'statuses');
    const status: RunStatus = { state: 'RUNNING', trace: null, workerId: '127.0.0.1:8083', generation: 2, version: '3.3.2.Final' };
    {
      await using store = topicStatusStore(options);
      await store.start();
      const writes = [
        store.putConnector('dbz1', { ...status, state: 'UNASSIGNED' }),
        store.putConnector('dbz1', status),
        store.putTask({ connector: 'dbz1', task: 0 }, status),
        store.addTopic('dbz1', 0, 'topic'),
        store.putTask({ connector: 'dbz1', task: 1 }, status),
        store.removeTask({ connector: 'dbz1', task: 1 }),
      ];
      assert.equal(store.connector('dbz1')?.state, 'RUNNING');
      await Promise.all(writes);
      assert.equal(store.connector('dbz1')?.state, 'RUNNING');
    }
    await using again = topicStatusStore(options);
    await again.start();
    assert.deepEqual(again.connector('dbz1'), status);
    assert.deepEqual(again.tasks('dbz1'), [0]);
    assert.deepEqual(again.topics('dbz1'), ['topic']);
    const records = await textOf(log, options.topic, 3);
    assert.ok(
      records.includes(
        'status-connector-dbz1 {"state":"RUNNING","trace":null,"worker_id":"127.0.0.1:8083","generation":2,"version":"3.3.2.Final"}',
      ),
    );
  });

  test('where workers share a status topic, a late word from an earlier generation changes nothing', async () => {
    await using log = await openLog();
    const options = { ...optionsOf(log, 'shared'), shared: true };
    await using store = topicStatusStore(options);
    await store.start();
    const status: RunStatus = { state: 'RUNNING', trace: null, workerId: 'b:1', generation: 5, version: null };
    await store.putConnector('c', status);
    await store.putConnector('c', { ...status, state: 'UNASSIGNED', workerId: 'a:1', generation: 4 });
    await store.putConnector('c', { ...status, state: 'FAILED', workerId: 'a:1', generation: 4 });
    assert.deepEqual(store.connector('c'), status);
    await store.putConnector('c', { ...status, state: 'UNASSIGNED' });
    assert.equal(store.connector('c')?.state, 'UNASSIGNED');
  });

  test('offsets come back exactly, those that others wrote included', async () => {
    await using log = await openLog();
    const options = optionsOf(log, 'offsets');
    await using store = topicOffsetStore(options);
    await store.start();
    await using other = topicOffsetStore(options);
    await other.start();
    const [first, second] = [{ server: 'dbz1' }, { server: 'two' }];
    await store.write('dbz1', [
      { partition: first, offset: { lsn: 9007199254740993n, snapshot: null } },
      { partition: second, offset: { lsn: 1 } },
    ]);
    assert.deepEqual(await other.read('dbz1', [first, { server: 'none' }]), [{ lsn: 9007199254740993n, snapshot: null }, undefined]);
    await other.write('dbz1', [{ partition: second, offset: null }]);
    assert.deepEqual(await store.all('dbz1'), [{ partition: first, offset: { lsn: 9007199254740993n, snapshot: null } }]);
    assert.deepEqual(await textOf(log, options.topic, 6), ['["dbz1",{"server":"dbz1"}] {"lsn":9007199254740993,"snapshot":null}']);
    assert.deepEqual(store.atomicTopic, log.kind === 'embedded' ? { name: options.topic, partitions: 25 } : undefined);
  });

  test('writes that come together keep their order for each key, and large ones are cut', async () => {
    await using log = await openLog();
    const options = { ...optionsOf(log, 'many'), partitions: 3 };
    const seen = new Map<string, string | undefined>();
    await using topic = compactedTopic(options);
    await topic.start((records) => {
      for (const { key, value } of records) seen.set(key.toString(), value?.toString());
    });
    const large = 'x'.repeat(200_000);
    const writes = Array.from({ length: 20 }, (_, i) =>
      topic.write([
        { key: 'same', value: String(i) },
        ...Array.from({ length: 6 }, (_item, n) => ({ key: `large-${n}`, value: large + i })),
      ]),
    );
    await Promise.all(writes);
    assert.equal(seen.get('same'), '19');
    assert.equal(seen.get('large-5'), `${large}19`);
  });

  test('a store that is closed lets go of those who wait', async () => {
    await using log = await openLog();
    const topic = compactedTopic({ ...optionsOf(log, 'closed'), partitions: 1 });
    await topic.start(() => {});
    const reading = topic.readToEnd().catch(() => {});
    await topic[Symbol.asyncDispose]();
    await reading;
    await assert.rejects(topic.readToEnd(), /the store was closed/);
  });
}

/** `key value` of each record of a partition. */
async function textOf(log: Log, topic: string, partition: number): Promise<string[]> {
  const [end] = await log.offsetsAt([{ topic, partition }], 'latest');
  await using reader = await log.openReader({ clientId: 'stores-test-reader' });
  reader.assign([{ topic, partition, offset: 0n }]);
  const found: string[] = [];
  for (let at = 0n; at < (end?.offset ?? 0n);) {
    for (const run of await reader.fetch({ maxWaitMs: 500, maxBytes: 1 << 20 })) {
      for (const { key, value } of readRecords(Buffer.from(run.buffer), run.length, run.position)) found.push(`${key} ${value}`);
      at = run.nextPosition;
    }
  }
  return found;
}
