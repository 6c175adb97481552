/** One config topic, our store and the real Kafka Connect on it: each reads what the other writes, and at the same offsets. */
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startConnect } from '../../test/services/connect.ts';
import type { ConnectServer } from '../../test/services/connect.ts';
import { useKafka } from '../../test/services/share.ts';
import { openKafkaLog } from '../kafka/kafka-log.ts';
import type { Log } from '../ports/log.ts';
import type { ConfigListener, ConfigStore, SessionKey } from '../ports/stores.ts';
import { configRecords } from './config-records.ts';
import { quiet } from './test/topic-fixture.ts';
import { topicConfigStore } from './topic-config-store.ts';
import { batchesOf, createTopicWriter } from './topic-writer.ts';

let folder: string;
let brokers: string[];
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'config-compat-'));
  await writeFile(join(folder, 'lines.txt'), 'one\n');
  ({ brokers } = await useKafka());
});
after(() => rm(folder, { recursive: true, force: true }));

const converter = 'org.apache.kafka.connect.storage.StringConverter';
const task = 'org.apache.kafka.connect.file.FileStreamSourceTask';
const configOf = (name: string) => ({
  name,
  'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
  file: join(folder, 'lines.txt'),
  topic: `compat-${process.pid}-lines`,
  'key.converter': converter,
  'value.converter': converter,
});
const taskConfigOf = (name: string) => ({ ...configOf(name), 'task.class': task });

test(
  'Kafka Connect reads every kind of record that we write, and we what it writes, at the same offsets',
  { timeout: 300_000 },
  async () => {
    const group = `config-compat-${process.pid}`;
    await using log = await openKafkaLog({ 'bootstrap.servers': brokers.join(',') });
    const options = { log, topic: `${group}-configs`, replicationFactor: 1, clientId: group, logger: quiet };
    const sessionKey: SessionKey = { key: randomBytes(32), algorithm: 'HmacSHA256', createdMs: Date.now() };
    const told: string[] = [];
    const listener: ConfigListener = {
      connector: (name) => told.push(name),
      restart: (request) => told.push(JSON.stringify(request)),
      logger: (name, level) => told.push(`${name}=${level}`),
    };
    await using ours = topicConfigStore({ ...options, transactionalId: `connect-cluster-${group}` });
    await ours.start(listener);
    await writeAll(ours, sessionKey);
    await spoilTheEnd(log, options.topic);
    await ours.readToEnd(60_000);
    const offset = ours.offset();

    await using connect = await startConnect({ brokers, group, properties: { 'exactly.once.source.support': 'enabled' } });
    const call = callsTo(connect);
    await until(() => offsetsOf(connect).length > 0);
    assert.equal(offsetsOf(connect)[0], offset, 'what Connect joined the group with');

    assert.deepEqual((await call<string[]>('GET', '/connectors')).toSorted(), ['paused', 'running', 'stopped']);
    assert.deepEqual(await call('GET', '/connectors/running/config'), configOf('running'));
    assert.deepEqual(await call('GET', '/connectors/running/tasks'), [
      { id: { connector: 'running', task: 0 }, config: taskConfigOf('running') },
    ]);
    const states: Record<string, string> = { running: 'RUNNING', paused: 'PAUSED', stopped: 'STOPPED' };
    for (const [name, state] of Object.entries(states)) await until(async () => (await stateOf(call, name)) === state);

    // Connect takes the levels and restarts of others that come while it runs, and calls that are signed with our key.
    await using follower = topicConfigStore(options);
    await follower.start({ connector() {} });
    await follower.putLogger('org.apache.kafka.connect.storage', 'WARN');
    await until(
      async () =>
        (await call<{ level: string | null }>('GET', '/admin/loggers/org.apache.kafka.connect.storage').catch(() => undefined))?.level ===
        'WARN',
    );
    await follower.putRestart({ connector: 'running', includeTasks: true, onlyFailed: false });
    await until(() =>
      connect.logTail(5_000).includes("restart request for {connectorName='running', onlyFailed=false, includeTasks=true}"),
    );
    await follower.putTargetState('paused', 'STARTED');
    await until(async () => (await stateOf(call, 'paused')) === 'RUNNING');
    const signature = createHmac('sha256', sessionKey.key).update('').digest('base64');
    const fence = (authorization: string) =>
      fetch(`${connect.url}/connectors/running/fence`, {
        method: 'PUT',
        headers: { 'X-Connect-Authorization': authorization, 'X-Connect-Request-Signature-Algorithm': 'HmacSHA256' },
      });
    assert.equal((await fence(signature)).status, 204);
    assert.equal((await fence(createHmac('sha256', 'another key').update('').digest('base64'))).status, 403);

    // And the other way round.
    told.length = 0;
    await call('PUT', '/connectors/theirs/config', configOf('theirs'));
    await until(() => ours.get('theirs')?.tasks.length === 1);
    assert.deepEqual(ours.get('theirs'), {
      name: 'theirs',
      properties: configOf('theirs'),
      target: 'STARTED',
      tasks: [taskConfigOf('theirs')],
    });
    await until(() => ours.fencedTasks('theirs') === 1 && !ours.needsFencing('theirs'));
    await until(async () => (await stateOf(call, 'theirs')) === 'RUNNING');
    await call('PUT', '/admin/loggers/org.apache.kafka.clients?scope=cluster', { level: 'ERROR' });
    await until(() => told.includes('org.apache.kafka.clients=ERROR'));
    await call('POST', '/connectors/theirs/restart?includeTasks=true&onlyFailed=false');
    await until(() => told.includes('{"connector":"theirs","includeTasks":true,"onlyFailed":false}'));
    await call('PUT', '/connectors/theirs/pause');
    await until(() => ours.get('theirs')?.target === 'PAUSED');
    await call('PUT', '/connectors/theirs/stop');
    await until(() => ours.get('theirs')?.target === 'STOPPED' && ours.get('theirs')?.tasks.length === 0);
    await call('DELETE', '/connectors/theirs');
    await until(() => ours.get('theirs') === undefined);
    await ours.readToEnd(60_000);
    await until(() => offsetsOf(connect).at(-1) === ours.offset());
  },
);

test('Kafka Connect without exactly-once support reads uncommitted, and so do we where we are told to', { timeout: 180_000 }, async () => {
  const group = `uncommitted-compat-${process.pid}`;
  await using log = await openKafkaLog({ 'bootstrap.servers': brokers.join(',') });
  const options = { log, topic: `${group}-configs`, replicationFactor: 1, clientId: group, logger: quiet };
  await using ours = topicConfigStore({ ...options, isolation: 'read_uncommitted' });
  await ours.start({ connector() {} });
  await ours.putSessionKey({ key: randomBytes(32), algorithm: 'HmacSHA256', createdMs: Date.now() });
  await abort(log, options.topic);
  await ours.readToEnd(60_000);
  assert.equal(ours.offset(), 2);
  await using connect = await startConnect({ brokers, group });
  await until(() => offsetsOf(connect).length > 0);
  assert.equal(offsetsOf(connect)[0], 2);
});

/** Every kind of record, in transactions, as the leader of a cluster with exactly-once support. */
async function writeAll(ours: ConfigStore, sessionKey: SessionKey): Promise<void> {
  await ours.claimWriting();
  await ours.putSessionKey(sessionKey);
  for (const name of ['running', 'paused', 'deleted']) {
    await ours.putConnector(name, configOf(name), name === 'paused' ? 'PAUSED' : 'STARTED');
    await ours.putTaskConfigs(name, [taskConfigOf(name)]);
    await ours.putFencedTasks(name, 1);
  }
  await ours.putConnector('stopped', configOf('stopped'), 'STOPPED');
  await ours.removeConnector('deleted');
  await ours.putRestart({ connector: 'running', includeTasks: true, onlyFailed: false });
  await ours.putLogger('org.apache.kafka.connect', 'INFO');
}

/** Last come what moves the offset (a key that nobody knows), and what does not: no JSON, an aborted transaction. */
async function spoilTheEnd(log: Log, topic: string): Promise<void> {
  await using writer = createTopicWriter(log, topic, 'spoiling');
  await writer.append([{ key: 'nobody-knows-this', value: null }], 1);
  await writer.append([{ key: 'connector-broken', value: 'no json' }], 1);
  await abort(log, topic);
}

async function abort(log: Log, topic: string): Promise<void> {
  await using producer = await log.openTransactionalProducer({ clientId: 'aborting', transactionalId: `${topic}-aborting` });
  await producer.append(batchesOf(topic, [configRecords.logger('org.apache.kafka.connect', 'WARN')], 1));
  await producer.abortTransaction();
}

/** The offsets that the worker shared work out at, of all generations so far. */
function offsetsOf(connect: ConnectServer): number[] {
  return [...connect.logTail(5_000).matchAll(/got assignment: Assignment\{.*?offset=(-?\d+)/g)].map(([, offset]) => Number(offset));
}

type Call = <T>(method: string, path: string, body?: unknown) => Promise<T>;

function callsTo(connect: ConnectServer): Call {
  return async (method, path, body) => {
    for (;;) {
      const init =
        body === undefined ? { method } : { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
      const response = await fetch(connect.url + path, init);
      const text = await response.text();
      // While the group shares out anew.
      if (response.status !== 409 && !(response.status === 500 && text.includes('rebalance'))) {
        assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
        return text === '' ? undefined : JSON.parse(text);
      }
      await sleep(200);
    }
  };
}

async function stateOf(call: Call, name: string): Promise<string | undefined> {
  return (await call<{ connector?: { state: string } }>('GET', `/connectors/${name}/status`).catch(() => undefined))?.connector?.state;
}

async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await sleep(100);
}
