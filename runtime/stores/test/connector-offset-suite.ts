/** What holds for the offsets of connectors with a topic of their own, on every log. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../api/index.ts';
import type { Log } from '../../ports/log.ts';
import { topicOffsetStore } from '../topic-offset-store.ts';

export const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} };

export function offsetOptions(log: Log) {
  const group = randomUUID().slice(0, 8);
  const options = { log, topic: `${group}-global`, partitions: 5, replicationFactor: 1, clientId: 'test', logger: quiet };
  return { options, own: `${group}-own` };
}

export function connectorOffsetSuite(openLog: (t: TestContext) => Promise<Log>): void {
  test('a connector’s own topic is created as the worker’s, read first, and copied to the worker’s', async (t) => {
    const log = await openLog(t);
    const { options, own } = offsetOptions(log);
    await using store = topicOffsetStore({ ...options, topicConfig: { 'segment.ms': '86400000' } });
    await store.start();
    const [a, b] = [{ p: 'a' }, { p: 'b' }];
    await store.write('c', [
      { partition: a, offset: { n: 1 } },
      { partition: b, offset: { n: 1 } },
    ]);
    {
      await using mine = await store.forConnector('c', { topic: own });
      assert.deepEqual(mine.topic, { name: own, partitions: 5 });
      assert.equal((await log.topicConfig(own))['cleanup.policy'], 'compact');
      assert.equal((await log.topicConfig(own))['segment.ms'], '86400000');
      assert.deepEqual(await mine.read('c', [a, b, { p: 'none' }]), [{ n: 1n }, { n: 1n }, undefined]);
      await mine.write('c', [{ partition: a, offset: { n: 2 } }]);
      assert.deepEqual(await mine.read('c', [a, b]), [{ n: 2n }, { n: 1n }]);
      assert.deepEqual((await mine.all('c')).map(({ partition, offset }) => [partition['p'], offset['n']]).sort(), [
        ['a', 2n],
        ['b', 1n],
      ]);
      await until(async () => (await store.read('c', [a]))[0]?.['n'] === 2n);
      // What someone else writes to the worker's topic does not count where the connector's own says otherwise.
      await store.write('c', [{ partition: a, offset: { n: 9 } }]);
      assert.deepEqual(await mine.read('c', [a]), [{ n: 2n }]);
      await mine.write('c', [
        { partition: a, offset: null },
        { partition: b, offset: { n: 3 } },
      ]);
      assert.deepEqual(await mine.read('c', [a, b]), [undefined, { n: 3n }]);
      assert.deepEqual(await store.read('c', [a]), [undefined]);
    }
    await using again = await store.forConnector('c', { topic: own });
    assert.deepEqual(await again.all('c'), [{ partition: b, offset: { n: 3n } }]);
  });

  test('those who use a topic at the same time share it; without one of its own a connector has the worker’s', async (t) => {
    const log = await openLog(t);
    const { options, own } = offsetOptions(log);
    await using store = topicOffsetStore(options);
    await store.start();
    const first = await store.forConnector('c', { topic: own });
    await using second = await store.forConnector('d', { topic: own });
    await first[Symbol.asyncDispose]();
    await second.write('d', [{ partition: { p: 1 }, offset: { n: 1 } }]);
    assert.deepEqual(await second.read('d', [{ p: 1 }]), [{ n: 1n }]);
    for (const topic of [undefined, '', options.topic]) {
      await using same = await store.forConnector('c', { topic });
      assert.equal(same.topic?.name, options.topic);
      assert.equal(same.copy, undefined);
    }
    await store.write('c', [{ partition: { p: 1 }, offset: { n: 5 } }]);
  });

  test('a partition keeps the bytes of its key, in the own topic too', async (t) => {
    const log = await openLog(t);
    const { options, own } = offsetOptions(log);
    await using store = topicOffsetStore(options);
    await store.start();
    await store.write('c', [{ partition: { server: 's', database: 'd' }, offset: { n: 1 } }]);
    await using mine = await store.forConnector('c', { topic: own });
    const key = '["c",{"server":"s","database":"d"}]';
    const otherOrder = { database: 'd', server: 's' };
    const [found, none] = await mine.keys('c', [otherOrder, { server: 'new' }]);
    assert.equal(Buffer.from(found!).toString(), key);
    assert.equal(none, undefined);
    await mine.write('c', [{ partition: otherOrder, offset: { n: 2 } }]);
    const [after] = await mine.keys('c', [otherOrder]);
    assert.equal(Buffer.from(after!).toString(), key);
    await until(async () => (await store.read('c', [otherOrder]))[0]?.['n'] === 2n);
    assert.equal((await store.all('c')).length, 1);
  });
}

export async function until(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await sleep(20);
}
