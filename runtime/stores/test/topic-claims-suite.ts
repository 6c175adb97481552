/** What holds for the config store on a log that has transactions, and more than one broker to wish for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FencedError } from '../../ports/log.ts';
import type { ConfigListener, ConfigStore } from '../../ports/stores.ts';
import { configRecords } from '../config-records.ts';
import { topicConfigStore } from '../topic-config-store.ts';
import { batchesOf, createTopicWriter } from '../topic-writer.ts';
import { collecting, optionsOf } from './topic-fixture.ts';
import type { OpenLog } from './topic-fixture.ts';

const nobody: ConfigListener = { connector() {} };

export function topicClaimsSuite(openLog: OpenLog): void {
  test('who claimed the leader’s writes last can make them, and nobody else', async () => {
    await using log = await openLog();
    const options = optionsOf(log, 'claimed');
    const transactionalId = `connect-cluster-${options.topic}`;
    await using former = topicConfigStore({ ...options, transactionalId });
    await using next = topicConfigStore({ ...options, transactionalId });
    await Promise.all([former.start(nobody), next.start(nobody)]);
    const retriable = (text: RegExp) => (error: Error) => error.name === 'RetriableError' && text.test(error.message);

    await assert.rejects(former.putConnector('c', {}), retriable(/has not claimed the transactional id/));
    await former.claimWriting();
    await former.putConnector('c', { by: 'former' });
    await former.putTaskConfigs('c', [{ n: '1' }, { n: '2' }]);
    await next.claimWriting();
    await next.readToEnd(60_000);
    assert.equal(next.get('c')?.tasks.length, 2);
    await next.putConnector('c', { by: 'next' });

    const refused = await former.putTaskConfigs('c', [{ n: 'late' }]).catch((error: unknown) => error as Error);
    assert.ok(refused instanceof Error && retriable(/another worker leads now/)(refused), String(refused));
    assert.ok(refused.cause instanceof FencedError);
    await assert.rejects(former.putFencedTasks('c', 1), retriable(/has not claimed/));
    // What any worker may write needs no claim.
    await former.putTargetState('c', 'PAUSED');
    await former.putLogger('a', 'DEBUG');
    await former.claimWriting();
    await former.putRestart({ connector: 'c', includeTasks: false, onlyFailed: false });
    await assert.rejects(next.removeConnector('c'), retriable(/another worker leads now/));

    await Promise.all([former, next].map((store) => store.readToEnd(60_000)));
    for (const store of [former, next]) {
      assert.deepEqual(store.get('c'), { name: 'c', properties: { by: 'next' }, target: 'PAUSED', tasks: [{ n: '1' }, { n: '2' }] });
    }
    assert.equal(former.offset(), next.offset());
  });

  test('the offset is after the last record: markers do not move it, nor does what was aborted', async () => {
    await using log = await openLog();
    const options = optionsOf(log, 'markers');
    await using store = topicConfigStore({ ...options, transactionalId: `${options.topic}-leader` });
    await using uncommitted = topicConfigStore({ ...options, isolation: 'read_uncommitted' });
    await Promise.all([store.start(nobody), uncommitted.start(nobody)]);
    await store.claimWriting();
    const both = async (): Promise<number[]> => {
      await Promise.all([store, uncommitted].map((each: ConfigStore) => each.readToEnd(60_000)));
      return [store.offset(), uncommitted.offset()];
    };
    await store.putConnector('a', {});
    assert.deepEqual(await both(), [1, 1]);
    await store.putConnector('b', {});
    // The marker of the first transaction is at offset 1.
    assert.deepEqual(await both(), [3, 3]);
    {
      await using aborting = await log.openTransactionalProducer({ clientId: 'aborting', transactionalId: `${options.topic}-aborting` });
      await aborting.append(batchesOf(options.topic, [configRecords.connector('aborted', {})], 1));
      await aborting.abortTransaction();
    }
    assert.deepEqual(await both(), [3, 5]);
    assert.deepEqual(
      [store.connectors(), uncommitted.connectors()],
      [
        ['a', 'b'],
        ['a', 'aborted', 'b'],
      ],
    );
    await using writer = createTopicWriter(log, options.topic, 'other');
    await writer.append([{ key: 'none of ours', value: null }], 1);
    assert.deepEqual(await both(), [7, 7]);
  });

  test('more replicas than brokers: what to set is said', async () => {
    await using log = await openLog();
    const { logger, lines } = collecting();
    const { replicationFactor: _, ...options } = { ...optionsOf(log, 'replicas'), logger };
    await using store = topicConfigStore({ ...options, readTimeoutMs: 100 });
    const expected = /cannot be created with 3 replicas.*Set config\.storage\.replication\.factor in the worker config to at most/;
    await assert.rejects(store.start(nobody), (error: Error) => error.name === 'ConfigError' && expected.test(error.message));
    assert.match(lines.join(), expected);
  });

  test('the worker’s own settings for the topic are taken, but for the cleanup policy', async () => {
    await using log = await openLog();
    const { logger, lines } = collecting();
    const options = { ...optionsOf(log, 'settings'), logger, topicConfig: { 'segment.ms': '3600000', 'cleanup.policy': 'delete' } };
    await using store = topicConfigStore(options);
    await store.start(nobody);
    const config = await log.topicConfig(options.topic);
    assert.deepEqual([config['segment.ms'], config['cleanup.policy'], lines], ['3600000', 'compact', []]);
  });
}
