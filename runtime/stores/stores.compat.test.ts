/** There and back: the real Kafka Connect goes on from what our stores wrote, and they from what it wrote. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startConnect } from '../../test/services/connect.ts';
import { useKafka } from '../../test/services/share.ts';
import type { Logger } from '../api/index.ts';
import { openKafkaLog } from '../kafka/kafka-log.ts';
import type { Log } from '../ports/log.ts';
import { fileOffsetStore } from './file-offset-store.ts';
import { topicConfigStore } from './topic-config-store.ts';
import { topicOffsetStore } from './topic-offset-store.ts';
import { topicStatusStore } from './topic-status-store.ts';

const name = 'there-and-back';
const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const first = 'read before\n';
const all = `${first}one\ntwo\n`;
const converters = {
  'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
  'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
};
let folder: string;
let file: string;
let brokers: string[];
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stores-compat-'));
  file = join(folder, 'lines.txt');
  await writeFile(file, all);
  ({ brokers } = await useKafka());
});
after(() => rm(folder, { recursive: true, force: true }));

const configOf = (topic: string) => ({
  name,
  'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
  file,
  topic,
  ...converters,
});

test('a distributed Connect takes over our topics, and gives them back', { timeout: 180_000 }, async () => {
  const group = `compat-${process.pid}`;
  const topic = `${group}-lines`;
  await using log = await openKafkaLog({ 'bootstrap.servers': brokers.join(',') });
  const optionsOf = (what: string) => ({ log, topic: `${group}-${what}`, replicationFactor: 1, clientId: group, logger: quiet });
  const partition = { filename: file };
  {
    await using configs = topicConfigStore(optionsOf('configs'));
    await using offsets = topicOffsetStore(optionsOf('offsets'));
    await using statuses = topicStatusStore(optionsOf('status'));
    await Promise.all([configs.start({ connector() {} }), offsets.start(), statuses.start()]);
    await configs.putConnector(name, configOf(topic), 'STARTED');
    await configs.putTaskConfigs(name, [configOf(topic)]);
    await offsets.write(name, [{ partition, offset: { position: BigInt(first.length) } }]);
    await statuses.putConnector(name, { state: 'UNASSIGNED', trace: null, workerId: 'ours:1', generation: 1, version: null });
    await configs.putConnector('stopped', { ...configOf(topic), name: 'stopped' }, 'STOPPED');
  }
  {
    await using connect = await startConnect({ brokers, group, properties: { 'offset.flush.interval.ms': '500' } });
    const get = async <T>(path: string): Promise<T> => (await (await fetch(connect.url + path)).json()) as T;
    assert.deepEqual((await get<string[]>('/connectors')).sort(), ['stopped', name]);
    assert.deepEqual(await get(`/connectors/${name}/config`), configOf(topic));
    await until(async () => (await recordsIn(log, topic)) === 2n);
    await until(async () => (await get<{ connector?: { state: string } }>('/connectors/stopped/status')).connector?.state === 'STOPPED');
    await until(async () => JSON.stringify(await get(`/connectors/${name}/offsets`)).includes(`{"position":${all.length}}`));
    await fetch(`${connect.url}/connectors/stopped`, { method: 'DELETE' });
    await fetch(`${connect.url}/connectors/${name}/pause`, { method: 'PUT' });
    await until(async () => (await get<{ tasks: { state: string }[] }>(`/connectors/${name}/status`)).tasks[0]?.state === 'PAUSED');
  }
  await using configs = topicConfigStore(optionsOf('configs'));
  await using offsets = topicOffsetStore(optionsOf('offsets'));
  await using statuses = topicStatusStore(optionsOf('status'));
  await Promise.all([configs.start({ connector() {} }), offsets.start(), statuses.start()]);
  assert.deepEqual(configs.connectors(), [name]);
  assert.deepEqual(configs.get(name)?.properties, configOf(topic));
  assert.equal(configs.get(name)?.target, 'PAUSED');
  assert.equal(configs.get(name)?.tasks[0]?.['file'], file);
  assert.deepEqual(await offsets.read(name, [partition]), [{ position: BigInt(all.length) }]);
  assert.deepEqual(statuses.tasks(name), [0]);
  assert.deepEqual(statuses.topics(name), [topic]);
  // One key, not two: theirs and ours are the same bytes.
  assert.equal((await offsets.all(name)).length, 1);
});

test('a standalone Connect takes over our offset file, and gives it back', { timeout: 180_000 }, async () => {
  const topic = `compat-standalone-${process.pid}`;
  const path = join(folder, 'standalone.offsets');
  const partition = { filename: file };
  await using log = await openKafkaLog({ 'bootstrap.servers': brokers.join(',') });
  {
    await using ours = fileOffsetStore(path);
    await ours.start();
    await ours.write(name, [{ partition, offset: { position: BigInt(first.length) } }]);
  }
  {
    await using _connect = await startConnect({
      brokers,
      mode: 'standalone',
      properties: { 'offset.storage.file.filename': path, 'offset.flush.interval.ms': '500' },
      connectors: [configOf(topic)],
    });
    await until(async () => (await recordsIn(log, topic)) === 2n);
    await until(async () => {
      await using reading = fileOffsetStore(path);
      // Connect writes its file in place: it may be half there at this moment.
      try {
        await reading.start();
      } catch {
        return false;
      }
      return (await reading.read(name, [partition]))[0]?.['position'] === BigInt(all.length);
    });
  }
  await using ours = fileOffsetStore(path);
  await ours.start();
  assert.deepEqual(await ours.all(name), [{ partition, offset: { position: BigInt(all.length) } }]);
});

async function recordsIn(log: Log, topic: string): Promise<bigint> {
  if ((await log.describeTopics([topic])).length === 0) return 0n;
  return (await log.offsetsAt([{ topic, partition: 0 }], 'latest'))[0]?.offset ?? 0n;
}

async function until(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await sleep(100);
}
