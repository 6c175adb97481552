import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { openEmbeddedLog } from '../embedded/embedded-log.ts';
import type { Log } from '../ports/log.ts';
import { fileOffsetStore } from './file-offset-store.ts';
import { connectorOffsetSuite } from './test/connector-offset-suite.ts';
import { topicOffsetStore } from './topic-offset-store.ts';

async function openLog(t: TestContext): Promise<Log> {
  const folder = await mkdtemp(join(tmpdir(), 'connector-offsets-'));
  const log = await openEmbeddedLog(folder);
  t.after(async () => {
    await log[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });
  return log;
}

connectorOffsetSuite(openLog);

test('a topic that would delete offsets is refused, and asked for again another time', async (t) => {
  const log = await openLog(t);
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  await using store = topicOffsetStore({ log, topic: 'global', replicationFactor: 1, clientId: 'c', logger });
  await store.start();
  await log.createTopics([{ name: 'own', partitions: 1, replicationFactor: 1, config: { 'cleanup.policy': 'delete' } }]);
  await assert.rejects(
    store.forConnector('c', { topic: 'own' }),
    /^ConfigError: connector c: offsets.storage.topic=own cannot be used: .*cleanup\.policy/,
  );
  await log.deleteTopics(['own']);
  await using own = await store.forConnector('c', { topic: 'own' });
  assert.equal(own.topic?.name, 'own');
});

test('standalone on Kafka, a connector has no topic of its own', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'connector-offsets-'));
  await using store = fileOffsetStore(join(folder, 'offsets'));
  await store.start();
  const own = await store.forConnector('c', { topic: 'own' });
  assert.equal(own.topic, undefined);
  await own.write('c', [{ partition: { p: 1 }, offset: { n: 1 } }]);
  assert.deepEqual(await store.read('c', [{ p: 1 }]), [{ n: 1n }]);
  await rm(folder, { recursive: true });
});
