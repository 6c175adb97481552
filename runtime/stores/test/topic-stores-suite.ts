/** What holds for the stores on every log. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compactedTopic } from '../compacted-topic.ts';
import { topicOffsetStore } from '../topic-offset-store.ts';
import { topicConfigSuite } from './topic-config-suite.ts';
import { optionsOf, textOf } from './topic-fixture.ts';
import type { OpenLog } from './topic-fixture.ts';
import { topicStatusSuite } from './topic-status-suite.ts';

export function topicStoresSuite(openLog: OpenLog): void {
  topicConfigSuite(openLog);
  topicStatusSuite(openLog);

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
