/** Who answers which request. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ForwardError } from '../ports/herder.ts';
import type { Herder } from '../ports/herder.ts';
import { eventually, reaches, sourceConfig, statesOf } from './test/herder-fixture.ts';
import { openCluster } from './test/cluster-fixture.ts';

const task = { connector: 'c', task: 0 };

/** All that changes what the leader alone may write. */
const writes: Record<string, (herder: Herder) => Promise<unknown>> = {
  create: (herder) => herder.createConnector('d', sourceConfig()),
  put: (herder) => herder.putConfig('c', sourceConfig({ topic: 'u' })),
  patch: (herder) => herder.patchConfig('c', { topic: 'v' }),
  stop: (herder) => herder.setTargetState('c', 'STOPPED'),
  alter: (herder) => herder.alterOffsets('c', [{ partition: { p: 1 }, offset: null }]),
  reset: (herder) => herder.resetOffsets('c'),
  restart: (herder) => herder.restartConnector('c', { includeTasks: true, onlyFailed: false }),
  delete: (herder) => herder.deleteConnector('c'),
};

const forwardedTo = (url: string | undefined) => (error: unknown) => error instanceof ForwardError && error.url === url;

test('a follower sends to the leader what only that may write, and answers everything else itself', async () => {
  await using cluster = await openCluster();
  const [leader, follower] = [cluster.worker(0).herder, cluster.worker(1).herder];
  await leader.createConnector('c', sourceConfig());
  await reaches(follower, 'c', 'RUNNING RUNNING');
  for (const [what, write] of Object.entries(writes)) await assert.rejects(write(follower), forwardedTo('http://w0/'), what);
  assert.deepEqual(await follower.connectors(), ['c']);
  assert.equal((await follower.connectorConfig('c'))['topic'], 't');
  await follower.setTargetState('c', 'PAUSED');
  await reaches(leader, 'c', 'PAUSED PAUSED');
  await follower.setTargetState('c', 'STARTED');
  await reaches(follower, 'c', 'RUNNING RUNNING');
  assert.equal((await follower.validate('ScriptSource', sourceConfig())).error_count, 0);
  await follower.resetTopics('c');
  for (const write of Object.values(writes).filter((each) => each !== writes['alter'])) await write(leader).catch(() => {});
  assert.deepEqual(await leader.connectors(), ['d']);
});

test('a follower knows a connector as soon as the leader has answered', async () => {
  await using cluster = await openCluster();
  await cluster.worker(0).herder.createConnector('c', sourceConfig());
  assert.equal((await cluster.worker(1).herder.connectorInfo('c')).name, 'c');
});

test('while the group shares out anew, or nobody is known to lead, writes are refused, and reads answered', async () => {
  await using cluster = await openCluster();
  const [leader, follower] = [cluster.worker(0).herder, cluster.worker(1).herder];
  await leader.createConnector('c', sourceConfig());
  await reaches(leader, 'c', 'RUNNING RUNNING');
  cluster.group.settled = false;
  const restarts: typeof writes = { ...writes, task: (herder) => herder.restartTask(task) };
  for (const [what, write] of Object.entries(restarts)) {
    for (const herder of [leader, follower]) {
      await assert.rejects(
        write(herder),
        (error: unknown) => forwardedTo(undefined)(error) && (error as ForwardError).status === 409,
        what,
      );
    }
  }
  assert.equal(await statesOf(leader, 'c'), 'RUNNING RUNNING');
  assert.equal((await leader.taskConfigs('c')).length, 1);
  assert.deepEqual(await leader.offsets('c'), []);
});

test('a request waits for a rebalance that ends in time', async () => {
  await using cluster = await openCluster({ times: { settleMs: 10_000 } });
  const { herder } = cluster.worker(0);
  cluster.group.settled = false;
  const created = herder.createConnector('c', sourceConfig());
  setImmediate(() => (cluster.group.settled = true));
  assert.equal((await created).name, 'c');
});

test('a restart goes to the worker that runs it: from a follower by way of the leader', async () => {
  await using cluster = await openCluster({ workers: 3 });
  const [leader, owner, other] = [0, 1, 2].map((index) => cluster.worker(index).herder) as [Herder, Herder, Herder];
  cluster.group.place = () => 'w1';
  await leader.createConnector('c', sourceConfig());
  await reaches(leader, 'c', 'RUNNING RUNNING');
  const connector = (herder: Herder) => herder.restartConnector('c', { includeTasks: false, onlyFailed: false });
  for (const restart of [(herder: Herder) => herder.restartTask(task), connector]) {
    await assert.rejects(restart(other), forwardedTo('http://w0/'));
    await assert.rejects(restart(leader), forwardedTo('http://w1/'));
    await restart(owner);
  }
  await reaches(leader, 'c', 'RUNNING RUNNING');
  assert.deepEqual(cluster.worker(1).tasks.calls, ['start c-0', 'stop c-0', 'start c-0']);
  cluster.group.place = () => undefined;
  await cluster.group.share();
  await assert.rejects(leader.restartTask(task), forwardedTo(undefined));
});

test('a restart by flags is written once, and every worker restarts its share', async () => {
  await using cluster = await openCluster();
  cluster.group.place = (item) => (item === 'c-1' ? 'w1' : 'w0');
  const [leader, follower] = [cluster.worker(0), cluster.worker(1)];
  await leader.herder.createConnector('c', sourceConfig({ 'tasks.max': '2' }));
  await reaches(leader.herder, 'c', 'RUNNING RUNNING RUNNING');
  follower.tasks.running.get('c-1')?.events.failed({ connector: 'c', task: 1 }, 'broken');
  await reaches(leader.herder, 'c', 'RUNNING RUNNING FAILED');
  const plan = await leader.herder.restartConnector('c', { includeTasks: true, onlyFailed: true });
  assert.deepEqual([plan.connector, ...plan.tasks].map(({ state }) => state).join(' '), 'RUNNING RUNNING RESTARTING');
  await reaches(leader.herder, 'c', 'RUNNING RUNNING RUNNING');
  assert.deepEqual(leader.tasks.calls, ['start c-0']);
  assert.deepEqual(follower.tasks.calls, ['start c-1', 'stop c-1', 'start c-1']);
  await leader.herder.restartConnector('c', { includeTasks: true, onlyFailed: false });
  await eventually(() => assert.equal(leader.tasks.calls.length + follower.tasks.calls.length, 8));
  assert.deepEqual(
    cluster.configs.written.filter((record) => record.startsWith('restart-')),
    ['restart-connector-c {"include-tasks":true,"only-failed":true}', 'restart-connector-c {"include-tasks":true,"only-failed":false}'],
  );
});

test('restarts that wait for one connector become the one with most impact', async () => {
  await using cluster = await openCluster({ workers: 1 });
  const { herder, tasks, configStore } = cluster.worker(0);
  await herder.createConnector('c', sourceConfig());
  await reaches(herder, 'c', 'RUNNING RUNNING');
  const release = Promise.withResolvers<void>();
  using _ended = { [Symbol.dispose]: () => release.resolve() };
  tasks.onStop = () => release.promise;
  const first = herder.restartTask(task);
  await eventually(() => assert.ok(tasks.calls.includes('stop c-0')));
  for (const [includeTasks, onlyFailed] of [
    [false, true],
    [true, false],
    [true, true],
  ] as const) {
    await configStore.putRestart({ connector: 'c', includeTasks, onlyFailed });
  }
  release.resolve();
  await first;
  await eventually(() => assert.equal(tasks.calls.filter((call) => call === 'start c-0').length, 3));
  await reaches(herder, 'c', 'RUNNING RUNNING');
  assert.deepEqual(tasks.calls, ['start c-0', 'stop c-0', 'start c-0', 'stop c-0', 'start c-0']);
});

test('a level for the cluster is set by every worker, also by one that comes later', async () => {
  await using cluster = await openCluster();
  await assert.rejects(cluster.worker(1).herder.setLogger('a', 'bogus', 'cluster'), { status: 404, message: "invalid log level 'bogus'." });
  assert.equal(await cluster.worker(1).herder.setLogger('a', 'debug', 'cluster'), undefined);
  await eventually(() => assert.equal(cluster.worker(0).levels.get('a'), 'DEBUG'));
  assert.equal((await cluster.add()).levels.get('a'), 'DEBUG');
  assert.deepEqual(
    cluster.configs.written.filter((record) => record.startsWith('logger-')),
    ['logger-cluster-a {"level":"DEBUG"}'],
  );
});
