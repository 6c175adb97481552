/** What holds for the config store on every log. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { ConfigListener, ConfigStore, SessionKey } from '../../ports/stores.ts';
import { configRecords } from '../config-records.ts';
import { topicConfigStore } from '../topic-config-store.ts';
import { createTopicWriter } from '../topic-writer.ts';
import { collecting, optionsOf, textOf } from './topic-fixture.ts';
import type { OpenLog } from './topic-fixture.ts';

const nobody: ConfigListener = { connector() {} };
const sessionKey: SessionKey = { key: Buffer.from('0123456789abcdef'), algorithm: 'HmacSHA256', createdMs: 1795302923808 };

/** What a listener was told, one line each. */
function listening(): { listener: ConfigListener; told: string[]; until(line: string): Promise<void> } {
  const told: string[] = [];
  const heard = new EventTarget();
  const tell = (line: string): void => {
    told.push(line);
    heard.dispatchEvent(new Event('line'));
  };
  const listener: ConfigListener = {
    connector: (name) => tell(name),
    restart: ({ connector, includeTasks, onlyFailed }) => tell(`restart ${connector} ${includeTasks} ${onlyFailed}`),
    logger: (name, level) => tell(`logger ${name} ${level}`),
  };
  return {
    listener,
    told,
    async until(line) {
      while (!told.includes(line)) await once(heard, 'line');
    },
  };
}

export function topicConfigSuite(openLog: OpenLog): void {
  test('connectors outlive the store, and every change is told, own ones before the write resolves', async () => {
    await using log = await openLog();
    const options = optionsOf(log, 'configs');
    await using other = topicConfigStore(options);
    const { listener, until } = listening();
    await other.start(listener);
    {
      await using store = topicConfigStore(options);
      const own = listening();
      await store.start(own.listener);
      await store.putConnector('my-src', { 'connector.class': 'X', name: 'my-src' }, 'PAUSED');
      assert.deepEqual(own.told, ['my-src']);
      await store.putTaskConfigs('my-src', [{ a: '1' }, { a: '2' }]);
      await store.putTargetState('my-src', 'STOPPED');
      await store.putConnector('gone', { name: 'gone' });
      await store.removeConnector('gone');
      await store.putConnector('last', { name: 'last' });
    }
    await until('last');
    await using again = topicConfigStore(options);
    await again.start(nobody);
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

  test('what workers tell each other arrives: restarts as they come alone, the last level of each logger at the start too', async () => {
    await using log = await openLog();
    const options = optionsOf(log, 'told');
    await using first = topicConfigStore(options);
    const early = listening();
    await first.start(early.listener);
    await first.putSessionKey(sessionKey);
    await first.putConnector('c', {});
    await first.putLogger('a.b', 'DEBUG');
    await first.putLogger('a.b', 'WARN');
    await first.putRestart({ connector: 'c', includeTasks: true, onlyFailed: false });
    await first.putTaskConfigs('c', [{}]);
    await first.putFencedTasks('c', 1);
    assert.deepEqual(early.told, ['c', 'logger a.b DEBUG', 'logger a.b WARN', 'restart c true false', 'c']);
    await using second = topicConfigStore(options);
    const late = listening();
    await second.start(late.listener);
    assert.deepEqual(late.told, ['logger a.b WARN']);
    for (const store of [first, second]) {
      assert.deepEqual(store.sessionKey(), sessionKey);
      assert.deepEqual([store.fencedTasks('c'), store.needsFencing('c'), store.taskGeneration('c')], [1, false, 1]);
      assert.equal(store.offset(), 8);
    }
    await second.putRestart({ connector: 'c', includeTasks: false, onlyFailed: true });
    await early.until('restart c false true');
  });

  test('reading to the end is reading what others wrote before; it does not wait for ever', async () => {
    await using log = await openLog();
    const options = optionsOf(log, 'end');
    await using store = topicConfigStore(options);
    await store.start(nobody);
    assert.equal(store.offset(), -1);
    await using writer = createTopicWriter(log, options.topic, 'other');
    for (let i = 1; i <= 5; i++) {
      await writer.append([configRecords.connector(`c${i}`, {}), { key: 'what is this', value: null }], 1);
      await store.readToEnd(60_000);
      assert.deepEqual([store.connectors().length, store.offset()], [i, i * 2]);
    }
    const [late] = await Promise.allSettled([store.readToEnd(0)]);
    assert.ok(late.status === 'fulfilled' || /could not be read to its end within 0 ms/.test(String(late.reason)));
  });

  test('a config topic that could lose records, or their order, is refused', async () => {
    await using log = await openLog();
    const options = optionsOf(log, 'refused');
    const topics: [string, number, string, RegExp][] = [
      ['partitions', 2, 'compact', /\(config\.storage\.topic\) has 2 partitions, and needs exactly 1/],
      ['delete', 1, 'delete', /\(config\.storage\.topic\) has cleanup\.policy=delete.*must be compact alone/],
      ['both', 1, 'compact,delete', /cleanup\.policy=compact,delete/],
    ];
    for (const [what, partitions, policy, expected] of topics) {
      const topic = `${options.topic}-${what}`;
      await log.createTopics([{ name: topic, partitions, replicationFactor: 1, config: { 'cleanup.policy': policy } }]);
      await using store = topicConfigStore({ ...options, topic });
      await assert.rejects(store.start(nobody), (error: Error) => error.name === 'ConfigError' && expected.test(error.message), what);
    }
  });

  test('a topic that is made anew while it is followed is read again, with a warning, and does not restart anything', async () => {
    await using log = await openLog();
    const { logger, lines } = collecting();
    const options = { ...optionsOf(log, 'anew'), logger };
    await using store = topicConfigStore(options);
    const { listener, told } = listening();
    await store.start(listener);
    for (let i = 0; i < 20; i++) await store.putConnector('old', { i: String(i) });
    await log.deleteTopics([options.topic]);
    await log.createTopics([{ name: options.topic, partitions: 1, replicationFactor: 1, config: { 'cleanup.policy': 'compact' } }]);
    {
      await using writer = createTopicWriter(log, options.topic, 'restored');
      const request = { connector: 'restored', includeTasks: true, onlyFailed: false };
      await writer.append([configRecords.connector('restored', {}), configRecords.restart(request)], 1);
    }
    await store.readToEnd(60_000);
    assert.deepEqual(store.connectors(), ['old', 'restored']);
    assert.equal(store.offset(), 2);
    assert.match(lines.join('\n'), /made anew or cut off.* counts until this worker is started again/);
    assert.ok(!told.some((line) => line.startsWith('restart')), told.join());
    await store.putConnector('new', {});
    await store.putRestart({ connector: 'new', includeTasks: true, onlyFailed: false });
    assert.deepEqual([store.offset(), told.at(-1)], [4, 'restart new true false']);
  });

  test('task configs that are half written are no tasks, and said to be missing', async () => {
    await using log = await openLog();
    const { logger, lines } = collecting();
    const options = { ...optionsOf(log, 'half'), logger };
    {
      await using store = topicConfigStore(options);
      await store.start(nobody);
      await store.putConnector('c', {});
      await using writer = createTopicWriter(log, options.topic, 'other');
      await writer.append(configRecords.tasks('c', [{}, {}]).slice(1), 1);
      await store.readToEnd(60_000);
      assert.deepEqual([store.get('c')?.tasks, store.needsFencing('c')], [[], true]);
    }
    assert.equal(lines.splice(0).filter((line) => line.includes('connector "c": its set of task configs')).length, 1);
    await using again = topicConfigStore(options);
    await again.start(nobody);
    assert.deepEqual(again.get('c')?.tasks, []);
    assert.equal(lines.splice(0).filter((line) => line.includes('connector "c": its set of task configs')).length, 1);
    await again.putTaskConfigs('c', [{}, {}]);
    assert.equal(again.get('c')?.tasks.length, 2);
  });

  test('without a transactional id, whoever asks may write', async () => {
    await using log = await openLog();
    const options = optionsOf(log, 'free');
    const stores: ConfigStore[] = [topicConfigStore(options), topicConfigStore(options)];
    await using first = stores[0] as ConfigStore;
    await using second = stores[1] as ConfigStore;
    for (const store of stores) {
      await store.start(nobody);
      await store.claimWriting();
    }
    await first.putConnector('a', {});
    await second.putConnector('b', {});
    await first.readToEnd(60_000);
    assert.deepEqual(first.connectors(), ['a', 'b']);
  });
}
