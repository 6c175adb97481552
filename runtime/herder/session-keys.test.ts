import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestError } from '../ports/herder.ts';
import { signatureOf } from '../ports/signature.ts';
import { eventually, reaches, sourceConfig } from './test/herder-fixture.ts';
import { openCluster } from './test/cluster-fixture.ts';
import type { Cluster, ClusterOptions } from './test/cluster-fixture.ts';

const keys = (cluster: Cluster): string[] => cluster.configs.written.filter((record) => record.startsWith('session-key'));
const unsigned = { signature: undefined, algorithm: undefined, body: Buffer.alloc(0) };

test('the leader makes a key of the size asked for, and replaces it in time', async () => {
  await using cluster = await openCluster({ interWorker: { keyTtlMs: 1_500, keySize: 384, keyGenerationAlgorithm: 'HmacSHA384' } });
  await eventually(() => assert.equal(cluster.worker(1).configStore.sessionKey()?.key.length, 48));
  assert.equal(cluster.worker(1).configStore.sessionKey()?.algorithm, 'HmacSHA384');
  const first = cluster.worker(1).configStore.sessionKey()?.key;
  await eventually(() => assert.equal(keys(cluster).length, 2));
  await eventually(() => assert.notDeepEqual(cluster.worker(1).configStore.sessionKey()?.key, first));
});

test('the next leader goes on with the key, unless it asks for another kind', async () => {
  const interWorker: ClusterOptions['interWorker'] = {};
  await using cluster = await openCluster({ interWorker });
  await eventually(() => assert.ok(cluster.worker(1).configStore.sessionKey()));
  cluster.group.leader = 'w1';
  await cluster.group.share();
  await cluster.worker(1).herder.createConnector('c', sourceConfig());
  assert.equal(keys(cluster).length, 1);
  assert.equal(cluster.worker(1).configStore.sessionKey()?.key.length, 32);
});

test('a worker that cannot verify says so with the status that Connect has for it', async () => {
  await using cluster = await openCluster({ workers: 1 });
  const { herder, configStore } = cluster.worker(0);
  await eventually(() => assert.ok(configStore.sessionKey()));
  const body = Buffer.from('x');
  const signature = signatureOf(Buffer.from('another key'), body, 'HmacSHA256');
  await assert.rejects(herder.fenceZombies('c', { signature, algorithm: 'HmacSHA256', body }), { status: 403 });
});

test('before a key is read there is none to verify with', async () => {
  await using cluster = await openCluster({ workers: 1 });
  cluster.group.leader = 'nobody';
  const late = await cluster.add();
  Object.assign(late.configStore, { sessionKey: () => undefined });
  const answer = late.herder.fenceZombies('c', { signature: 'AAAA', algorithm: 'HmacSHA256', body: Buffer.alloc(0) });
  await assert.rejects(answer, (error: unknown) => error instanceof RequestError && error.status === 503);
});

test('signatures are asked for in sessioned alone, or always where that is set', async () => {
  await using cluster = await openCluster({ workers: 1 });
  cluster.group.protocol = 'COMPATIBLE';
  const { herder } = cluster.worker(0);
  await herder.createConnector('c', sourceConfig());
  await reaches(herder, 'c', 'RUNNING RUNNING');
  await herder.fenceZombies('c', unsigned);
  await using strict = await openCluster({ workers: 0, interWorker: { verifyAlways: true } });
  strict.group.protocol = 'EAGER';
  for (let count = 0; count < 2; count++) await strict.add();
  await strict.group.share();
  await assert.rejects(strict.worker(0).herder.fenceZombies('c', unsigned), { status: 400 });
  // So there is a key to sign with, whatever the protocol.
  strict.group.place = () => 'w1';
  await strict.worker(0).herder.createConnector('c', sourceConfig());
  await reaches(strict.worker(0).herder, 'c', 'RUNNING RUNNING');
});
