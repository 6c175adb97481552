/** From the worker that runs a connector to the leader, which alone writes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestError } from '../ports/herder.ts';
import type { InternalSignature } from '../ports/peers.ts';
import { signatureOf } from '../ports/signature.ts';
import { eventually, reaches, sourceConfig } from './test/herder-fixture.ts';
import { openCluster } from './test/cluster-fixture.ts';
import type { Cluster } from './test/cluster-fixture.ts';

const commits = (cluster: Cluster): string[] => cluster.configs.written.filter((record) => record.startsWith('commit-'));

test("a follower's connector gets its tasks by way of the leader, signed", async () => {
  await using cluster = await openCluster();
  cluster.group.place = () => 'w1';
  await cluster.worker(0).herder.createConnector('c', sourceConfig({ 'tasks.max': '2' }));
  await reaches(cluster.worker(0).herder, 'c', 'RUNNING RUNNING RUNNING');
  assert.deepEqual(cluster.calls, ['tasks c']);
  assert.deepEqual(commits(cluster), ['commit-c {"tasks":2}']);
  assert.deepEqual([...cluster.worker(1).tasks.running.keys()], ['c-0', 'c-1']);
});

test('it is tried until it arrives, and no more once the connector is gone from here', async () => {
  await using cluster = await openCluster({ workers: 3 });
  cluster.group.place = () => 'w1';
  cluster.network = new RequestError(500, 'connection refused');
  await cluster.worker(0).herder.createConnector('c', sourceConfig());
  await eventually(() => assert.equal(cluster.calls.length, 2));
  assert.match(
    cluster.logged.join('\n'),
    /w1: connector c: its task configs did not get to the leader, next try in 250 ms: connection refused/,
  );
  cluster.network = undefined;
  await reaches(cluster.worker(0).herder, 'c', 'RUNNING RUNNING');

  cluster.network = new RequestError(500, 'connection refused');
  await cluster.worker(0).herder.putConfig('c', sourceConfig({ topic: 'u' }));
  await eventually(() => assert.ok(cluster.calls.length > 3));
  cluster.group.place = () => 'w0';
  await cluster.group.share();
  await eventually(() => assert.deepEqual(commits(cluster), ['commit-c {"tasks":1}', 'commit-c {"tasks":1}']));
  const before = cluster.calls.length;
  await reaches(cluster.worker(0).herder, 'c', 'RUNNING RUNNING');
  await cluster.worker(0).herder.deleteConnector('c');
  await eventually(() => assert.deepEqual(cluster.worker(0).statusStore.connectors(), []));
  assert.equal(cluster.calls.length, before);
});

test('another leader is asked at once', async () => {
  await using cluster = await openCluster({ workers: 3 });
  cluster.group.place = () => 'w1';
  cluster.network = new RequestError(500, 'connection refused');
  await cluster.worker(0).herder.createConnector('c', sourceConfig());
  await eventually(() => assert.ok(cluster.calls.length > 0));
  cluster.network = undefined;
  cluster.group.leader = 'w2';
  await cluster.group.share();
  await reaches(cluster.worker(2).herder, 'c', 'RUNNING RUNNING');
});

test('tasks go on with the config that they were made from until newer ones are there, then restart once', async () => {
  await using cluster = await openCluster();
  cluster.group.place = (item) => (item === 'c' ? 'w1' : 'w0');
  const [leader, owner] = [cluster.worker(0), cluster.worker(1)];
  await leader.herder.createConnector('c', sourceConfig({ 'tasks.max': '2' }));
  await reaches(leader.herder, 'c', 'RUNNING RUNNING RUNNING');
  leader.tasks.calls.length = 0;
  const release = Promise.withResolvers<void>();
  using _ended = { [Symbol.dispose]: () => release.resolve() };
  const plain = owner.plugins.taskConfigs;
  owner.plugins.taskConfigs = async (config, max) => {
    await release.promise;
    return plain(config, max);
  };
  await leader.herder.putConfig('c', sourceConfig({ 'tasks.max': '2', topic: 'u' }));
  await leader.herder.restartTask({ connector: 'c', task: 0 });
  assert.equal(leader.tasks.running.get('c-0')?.spec.connectorConfig['topic'], 't');
  release.resolve();
  await eventually(() => assert.equal(leader.tasks.running.get('c-1')?.spec.connectorConfig['topic'], 'u'));
  await eventually(() => assert.equal(leader.tasks.calls.length, 6));
  assert.equal(leader.tasks.running.get('c-0')?.spec.taskConfig['topic'], 'u');
  assert.equal(commits(cluster).length, 2);
});

test('a changed config is written for the tasks though they be equal, the same one is not', async () => {
  await using cluster = await openCluster();
  cluster.group.place = (item) => (item === 'c' ? 'w1' : 'w0');
  const [leader, owner] = [cluster.worker(0), cluster.worker(1)];
  owner.plugins.taskConfigs = async () => [{ same: 'always' }];
  await leader.herder.createConnector('c', sourceConfig());
  await reaches(leader.herder, 'c', 'RUNNING RUNNING');
  await leader.herder.putConfig('c', sourceConfig({ topic: 'u' }));
  await eventually(() => assert.equal(commits(cluster).length, 2));
  await eventually(() => assert.equal(leader.tasks.running.get('c-0')?.spec.connectorConfig['topic'], 'u'));
  await leader.herder.putConfig('c', sourceConfig({ topic: 'u' }));
  await owner.herder.restartConnector('c', { includeTasks: false, onlyFailed: false });
  await reaches(leader.herder, 'c', 'RUNNING RUNNING');
  await leader.herder.putTaskConfigs('c', [{ same: 'always' }], signed(cluster, '[{"same":"always"}]'));
  assert.equal(commits(cluster).length, 2);
});

function signed(cluster: Cluster, text: string): InternalSignature {
  const key = cluster.worker(0).configStore.sessionKey();
  const body = Buffer.from(text);
  return { signature: key && signatureOf(key.key, body, 'HmacSHA256'), algorithm: 'HmacSHA256', body };
}

test('the leader takes task configs from workers alone, and none for what is stopped or unknown', async () => {
  await using cluster = await openCluster();
  const [leader, follower] = [cluster.worker(0).herder, cluster.worker(1).herder];
  await leader.createConnector('c', sourceConfig(), 'STOPPED');
  await eventually(() => assert.ok(cluster.worker(1).configStore.sessionKey()));
  await eventually(() => assert.ok(cluster.worker(0).configStore.sessionKey()));
  const good = signed(cluster, '[{}]');
  const cases: [string, InternalSignature, number, RegExp][] = [
    ['c', { ...good, signature: undefined }, 400, /^Internal request missing required signature$/],
    ['c', { ...good, algorithm: undefined }, 400, /^Internal request missing required signature$/],
    ['c', { ...good, algorithm: 'HmacMD5' }, 400, /does not support the 'HmacMD5' key signing algorithm/],
    ['c', { ...good, body: Buffer.from('[{} ]') }, 403, /^Internal request contained invalid signature\.$/],
    ['c', good, 400, /^Cannot submit non-empty set of task configs for stopped connector c$/],
    ['X', good, 404, /^Connector X not found$/],
  ];
  for (const [name, signature, status, message] of cases) {
    await assert.rejects(leader.putTaskConfigs(name, [{}], signature), { status, message });
  }
  await assert.rejects(follower.putTaskConfigs('c', [{}], good), { name: 'ForwardError', url: 'http://w0/' });
  await assert.rejects(leader.fenceZombies('c', { ...signed(cluster, ''), signature: 'AAAA' }), { status: 403 });
  assert.deepEqual(commits(cluster), []);
});
