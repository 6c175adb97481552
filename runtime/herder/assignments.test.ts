/** What a worker does with what the group gives and takes, and what the statuses say of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { RetriableError } from '../api/index.ts';
import { eventually, reaches, sourceConfig, statesOf } from './test/herder-fixture.ts';
import { openCluster } from './test/cluster-fixture.ts';

test('a task that moves stops here before it starts there, and the others go on', async () => {
  await using cluster = await openCluster();
  const [first, second] = [cluster.worker(0), cluster.worker(1)];
  await first.herder.createConnector('c', sourceConfig({ 'tasks.max': '2' }));
  await reaches(first.herder, 'c', 'RUNNING RUNNING RUNNING');
  cluster.group.place = (item) => (item === 'c-1' ? undefined : 'w0');
  await cluster.group.share();
  assert.deepEqual(first.tasks.calls, ['start c-0', 'start c-1', 'stop c-1']);
  assert.match(cluster.statuses.written.at(-1) ?? '', /^status-task-c-1 .*"state":"UNASSIGNED".*"worker_id":"w0"/);
  cluster.group.place = (item) => (item === 'c-1' ? 'w1' : 'w0');
  await cluster.group.share();
  await reaches(first.herder, 'c', 'RUNNING RUNNING RUNNING');
  assert.deepEqual(second.tasks.calls, ['start c-1']);
  assert.equal((await first.herder.taskStatus({ connector: 'c', task: 1 })).worker_id, 'w1');
});

test('a task that hangs while it stops keeps no other of the revocation running', async () => {
  await using cluster = await openCluster();
  const { herder, tasks } = cluster.worker(0);
  for (const name of ['a', 'b']) await herder.createConnector(name, sourceConfig({ 'tasks.max': '2' }));
  for (const name of ['a', 'b']) await reaches(herder, name, 'RUNNING RUNNING RUNNING');
  const release = Promise.withResolvers<void>();
  using _ended = { [Symbol.dispose]: () => release.resolve() };
  tasks.onStop = ({ connector, task }) => (connector === 'a' && task === 0 ? release.promise : undefined);
  cluster.group.place = () => 'w1';
  const shared = cluster.group.share();
  await eventually(() => assert.deepEqual([...tasks.running.keys()], ['a-0']));
  release.resolve();
  await shared;
});

test('neither does a connector that is slow to make its task configs, which are not written any more', async () => {
  await using cluster = await openCluster();
  const { herder, tasks, plugins } = cluster.worker(0);
  await herder.createConnector('c', sourceConfig());
  await reaches(herder, 'c', 'RUNNING RUNNING');
  const made = Promise.withResolvers<void>();
  using _ended = { [Symbol.dispose]: () => made.resolve() };
  plugins.taskConfigs = async () => {
    await made.promise;
    return [{ late: 'yes' }];
  };
  await herder.putConfig('c', sourceConfig({ topic: 'u' }));
  cluster.group.place = () => 'w1';
  await cluster.group.share();
  assert.equal(tasks.running.size, 0);
  made.resolve();
  await eventually(() => assert.equal(cluster.worker(1).tasks.running.get('c-0')?.spec.taskConfig['topic'], 'u'));
  assert.ok(!cluster.configs.written.some((record) => record.includes('late')));
});

test('a task that is taken away while it restarts does not start again here', async () => {
  await using cluster = await openCluster();
  const { herder, tasks } = cluster.worker(0);
  await herder.createConnector('c', sourceConfig());
  await reaches(herder, 'c', 'RUNNING RUNNING');
  const release = Promise.withResolvers<void>();
  using _ended = { [Symbol.dispose]: () => release.resolve() };
  tasks.onStop = () => release.promise;
  await herder.putConfig('c', sourceConfig({ topic: 'u' }));
  await eventually(() => assert.ok(tasks.calls.includes('stop c-0')));
  cluster.group.place = () => 'w1';
  const shared = cluster.group.share();
  release.resolve();
  await shared;
  await eventually(() => assert.equal(cluster.worker(1).tasks.running.get('c-0')?.spec.taskConfig['topic'], 'u'));
  await reaches(herder, 'c', 'RUNNING RUNNING');
  assert.deepEqual(tasks.calls, ['start c-0', 'stop c-0']);
});

test('the group goes on only when what was stopped here stands in the statuses', async () => {
  await using cluster = await openCluster();
  const { herder, tasks } = cluster.worker(0);
  await herder.createConnector('c', sourceConfig());
  await reaches(herder, 'c', 'RUNNING RUNNING');
  const release = Promise.withResolvers<void>();
  using _ended = { [Symbol.dispose]: () => release.resolve() };
  cluster.statuses.held = release.promise;
  cluster.group.place = () => 'w1';
  const order: string[] = [];
  const shared = cluster.group.share().then(() => order.push('shared'));
  await eventually(() => assert.equal(tasks.running.size, 0));
  await setImmediate();
  order.push('written');
  release.resolve();
  await shared;
  assert.deepEqual(order, ['written', 'shared']);
});

test('a worker that loses the group stops everything, and starts what it is given again', async () => {
  await using cluster = await openCluster();
  const { herder, tasks } = cluster.worker(0);
  await herder.createConnector('c', sourceConfig({ 'tasks.max': '2' }));
  await reaches(herder, 'c', 'RUNNING RUNNING RUNNING');
  await cluster.group.lose('w0');
  assert.equal(tasks.running.size, 0);
  assert.equal(await statesOf(herder, 'c'), 'UNASSIGNED UNASSIGNED UNASSIGNED');
  await cluster.group.share();
  await reaches(herder, 'c', 'RUNNING RUNNING RUNNING');
});

test('what nobody runs does not go on saying RUNNING; its worker may come back', async () => {
  await using cluster = await openCluster();
  cluster.group.place = () => 'w1';
  const leader = cluster.worker(0).herder;
  await leader.createConnector('c', sourceConfig({ 'tasks.max': '2' }));
  await reaches(leader, 'c', 'RUNNING RUNNING RUNNING');
  cluster.worker(1).tasks.running.get('c-1')?.events.failed({ connector: 'c', task: 1 }, 'Error: broken');
  await reaches(leader, 'c', 'RUNNING RUNNING FAILED');
  cluster.group.gone.add('w1');
  cluster.group.place = () => undefined;
  await cluster.group.share();
  await reaches(leader, 'c', 'UNASSIGNED UNASSIGNED FAILED');
  assert.equal((await leader.taskStatus({ connector: 'c', task: 0 })).worker_id, 'w1');
  assert.equal((await leader.taskStatus({ connector: 'c', task: 1 })).trace, 'Error: broken');
  // It never stopped, and says so when it hears from the group again.
  cluster.group.gone.delete('w1');
  cluster.group.place = () => 'w1';
  await cluster.group.share();
  await reaches(leader, 'c', 'RUNNING RUNNING FAILED');
  assert.deepEqual(cluster.worker(1).tasks.calls, ['start c-0', 'start c-1']);
});

test('the leader takes out the statuses of what is deleted, whoever ran it', async () => {
  await using cluster = await openCluster();
  cluster.group.place = (item) => (item === 'c-1' ? 'w1' : 'w0');
  const leader = cluster.worker(0);
  await leader.herder.createConnector('c', sourceConfig({ 'tasks.max': '2' }));
  await reaches(leader.herder, 'c', 'RUNNING RUNNING RUNNING');
  cluster.worker(1).tasks.running.get('c-1')?.events.topicUsed({ connector: 'c', task: 1 }, 't');
  await eventually(async () => assert.deepEqual(await leader.herder.topics('c'), ['t']));
  await leader.herder.putConfig('c', sourceConfig());
  await reaches(leader.herder, 'c', 'RUNNING RUNNING');
  await leader.herder.deleteConnector('c');
  await eventually(() => assert.deepEqual(leader.statusStore.connectors(), []));
  await eventually(() => assert.deepEqual(cluster.worker(1).statusStore.connectors(), []));
  assert.equal(cluster.worker(1).tasks.running.size, 0);
});

test('a worker that leaves in good order has stopped all, and said so', async () => {
  await using cluster = await openCluster();
  cluster.group.place = () => 'w1';
  const { herder, tasks } = cluster.worker(1);
  await cluster.worker(0).herder.createConnector('c', sourceConfig());
  await reaches(herder, 'c', 'RUNNING RUNNING');
  await herder[Symbol.asyncDispose]();
  assert.equal(tasks.running.size, 0);
  const said = cluster.statuses.written.slice(-2).map((record) => /^(\S+) .*"state":"(\w+)"/.exec(record)?.slice(1).join(' '));
  assert.deepEqual(said.sort(), ['status-connector-c UNASSIGNED', 'status-task-c-0 UNASSIGNED']);
});

test('a class that only other workers have fails what it is given, and says what to do', async () => {
  await using cluster = await openCluster();
  const lacking = cluster.worker(1).plugins;
  cluster.group.place = (item) => (item === 'c-0' ? 'w1' : 'w0');
  lacking.kindOf = (name) => {
    throw new Error(`nothing is called ${name}`);
  };
  const { herder } = cluster.worker(0);
  await herder.createConnector('c', sourceConfig());
  await reaches(herder, 'c', 'RUNNING FAILED');
  const { trace = '' } = await herder.taskStatus({ connector: 'c', task: 0 });
  assert.match(trace, /task c-0 cannot run on this worker: it has no plugin for connector\.class=ScriptSource\. Install the plugin/);
  cluster.group.place = () => 'w1';
  await cluster.group.share();
  await reaches(herder, 'c', 'FAILED FAILED');
  assert.match((await herder.status('c')).connector.trace ?? '', /connector c cannot run on this worker/);
});

test('a worker is starting until the group spoke, and unhealthy while it cannot reach its stores', async () => {
  await using cluster = await openCluster({ workers: 1, times: { probeEveryMs: 10, unhealthyAfterMs: 50 } });
  const { herder } = cluster.worker(0);
  assert.equal(herder.health().status, 'healthy');
  const late = await cluster.add();
  assert.equal(late.herder.health().status, 'starting');
  cluster.configs.broken = new RetriableError('away');
  await eventually(() => assert.equal(herder.health().status, 'unhealthy'));
  assert.match(herder.health().message, /The config topic could not be read for \d+ s/);
  cluster.configs.broken = undefined;
  await eventually(() => assert.equal(herder.health().status, 'healthy'));
});
