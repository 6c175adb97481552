/** What stands between a source task and its first transaction (KIP-618). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestError } from '../ports/herder.ts';
import { eventually, reaches, sourceConfig } from './test/herder-fixture.ts';
import { openCluster } from './test/cluster-fixture.ts';
import type { Cluster, ClusterOptions } from './test/cluster-fixture.ts';

const task = { connector: 'c', task: 0 };
const options: ClusterOptions = { exactlyOnce: 'enabled' };

const fencings = (cluster: Cluster): string[] => cluster.configs.written.filter((record) => record.startsWith('tasks-fencing-'));

/** As the task's thread does: it asks before it runs. */
function askBeforeRunning(cluster: Cluster, ...workers: readonly number[]): void {
  for (const worker of workers) {
    cluster.worker(worker).tasks.onStart = ({ id }, events) => {
      void events.producerReady?.(id).then(
        () => events.running(id),
        (error: Error) => events.failed(id, `Error: ${error.message}`),
      );
    };
  }
}

test('tasks start with their transactional id once the leader has made room; one in place of one needs no fencing', async () => {
  await using cluster = await openCluster(options);
  askBeforeRunning(cluster, 0, 1);
  cluster.group.place = (item) => (item === 'c' ? 'w0' : 'w1');
  const leader = cluster.worker(0).herder;
  await leader.createConnector('c', sourceConfig());
  await reaches(leader, 'c', 'RUNNING RUNNING');
  assert.deepEqual(cluster.worker(1).tasks.running.get('c-0')?.spec.exactlyOnce, { transactionalId: 'workers-c-0' });
  assert.deepEqual(cluster.calls, ['fence c']);
  await leader.putConfig('c', sourceConfig({ topic: 'u' }));
  await eventually(() => assert.equal(fencings(cluster).length, 2));
  await reaches(leader, 'c', 'RUNNING RUNNING');
  assert.deepEqual(cluster.fenced, []);
  assert.deepEqual(fencings(cluster), ['tasks-fencing-c {"task-count":1}', 'tasks-fencing-c {"task-count":1}']);
});

test('tasks of earlier task configs are fenced once, before the first of the new ones starts', async () => {
  await using cluster = await openCluster(options);
  askBeforeRunning(cluster, 0, 1);
  cluster.group.place = (item) => (item === 'c-1' ? 'w1' : 'w0');
  const leader = cluster.worker(0).herder;
  await leader.createConnector('c', sourceConfig({ 'tasks.max': '3' }));
  await reaches(leader, 'c', 'RUNNING RUNNING RUNNING RUNNING');
  for (const worker of [0, 1]) {
    const { tasks } = cluster.worker(worker);
    const start = tasks.onStart;
    tasks.onStart = (spec, events) => {
      cluster.fenced.push(`start ${spec.id.task}`);
      return start(spec, events);
    };
  }
  await leader.putConfig('c', sourceConfig({ 'tasks.max': '2' }));
  await eventually(() => assert.equal(cluster.fenced.length, 5));
  assert.deepEqual(cluster.fenced.slice(0, 3), ['workers-c-0', 'workers-c-1', 'workers-c-2']);
  assert.deepEqual(fencings(cluster), ['tasks-fencing-c {"task-count":3}', 'tasks-fencing-c {"task-count":2}']);
  await reaches(leader, 'c', 'RUNNING RUNNING RUNNING');
});

test('every task restarts with new task configs, changed or not: all were fenced', async () => {
  await using cluster = await openCluster(options);
  askBeforeRunning(cluster, 0);
  const { herder, tasks, configStore, plugins } = cluster.worker(0);
  plugins.taskConfigs = async () => [{ n: '0' }, { n: '1' }];
  await herder.createConnector('c', sourceConfig({ 'tasks.max': '2' }));
  await reaches(herder, 'c', 'RUNNING RUNNING RUNNING');
  tasks.calls.length = 0;
  await configStore.putTaskConfigs('c', [{ n: '0' }, { n: 'changed' }]);
  await eventually(() => assert.equal(tasks.calls.filter((call) => call.startsWith('start')).length, 2));
  await reaches(herder, 'c', 'RUNNING RUNNING RUNNING');
});

test('a task that was fenced for newer task configs did not fail', async () => {
  await using cluster = await openCluster(options);
  askBeforeRunning(cluster, 0, 1);
  cluster.group.place = (item) => (item === 'c-1' ? 'w1' : 'w0');
  const [leader, follower] = [cluster.worker(0), cluster.worker(1)];
  await leader.herder.createConnector('c', sourceConfig({ 'tasks.max': '2' }));
  await reaches(leader.herder, 'c', 'RUNNING RUNNING RUNNING');
  const run = follower.tasks.running.get('c-1');
  await leader.configStore.putTaskConfigs('c', [{ n: '0' }, { n: '1' }]);
  run?.events.failed({ connector: 'c', task: 1 }, 'FencedError: fenced');
  await eventually(() => assert.equal(follower.tasks.running.get('c-1')?.spec.taskConfig['n'], '1'));
  await reaches(leader.herder, 'c', 'RUNNING RUNNING RUNNING');
  assert.ok(!cluster.statuses.written.some((record) => record.includes('FAILED')));
  // With no newer ones it did.
  follower.tasks.running.get('c-1')?.events.failed({ connector: 'c', task: 1 }, 'FencedError: fenced');
  await reaches(leader.herder, 'c', 'RUNNING RUNNING FAILED');
});

test('a task that is no longer to run so is told, before it reads anything', async () => {
  await using cluster = await openCluster(options);
  const [leader, follower] = [cluster.worker(0), cluster.worker(1)];
  cluster.group.place = (item) => (item === 'c-0' ? 'w1' : 'w0');
  const release = Promise.withResolvers<void>();
  using _ended = { [Symbol.dispose]: () => release.resolve() };
  follower.tasks.onStart = () => release.promise;
  await leader.herder.createConnector('c', sourceConfig());
  await eventually(() => assert.deepEqual(follower.tasks.calls, ['start c-0']));
  follower.tasks.onStart = ({ id }, events) => events.running(id);
  const asked = Promise.withResolvers<unknown>();
  release.resolve();
  await eventually(() => assert.ok(follower.tasks.running.has('c-0')));
  const { events } = follower.tasks.running.get('c-0') ?? {};
  await leader.configStore.putTaskConfigs('c', [{ n: 'new' }]);
  events?.producerReady?.(task).then(asked.resolve, asked.resolve);
  assert.match(
    String(await asked.promise),
    /Cannot start source task c-0 with exactly-once support as the connector has already generated/,
  );
  await reaches(leader.herder, 'c', 'RUNNING RUNNING');
  const current = follower.tasks.running.get('c-0')?.events;
  await current?.producerReady?.(task);
  cluster.group.place = () => 'w0';
  await cluster.group.share();
  await assert.rejects(async () => current?.producerReady?.(task), /as it has already been revoked from this worker/);
});

test('a fencing that newer task configs overtake is refused, and done for those', async () => {
  await using cluster = await openCluster({ ...options, workers: 1 });
  const { herder, configStore, tasks } = cluster.worker(0);
  await herder.createConnector('c', sourceConfig({ 'tasks.max': '2' }));
  await reaches(herder, 'c', 'RUNNING RUNNING RUNNING');
  const fence = cluster.fenced.push.bind(cluster.fenced);
  let newer: Promise<void> | undefined;
  cluster.fenced.push = (...ids) => {
    newer ??= configStore.putTaskConfigs('c', [{ n: 'newest' }]);
    return fence(...ids);
  };
  await configStore.putTaskConfigs('c', [{ n: 'new' }]);
  await eventually(() => assert.equal(tasks.running.get('c-0')?.spec.taskConfig['n'], 'newest'));
  await newer;
  assert.equal(fencings(cluster).at(-1), 'tasks-fencing-c {"task-count":1}');
  assert.deepEqual(cluster.fenced.slice(-4), ['workers-c-0', 'workers-c-1', 'workers-c-0', 'workers-c-1']);
});

test('a leader that cannot be reached is asked again; a task that is taken away meanwhile never starts', async () => {
  await using cluster = await openCluster(options);
  const [leader, follower] = [cluster.worker(0), cluster.worker(1)];
  cluster.group.place = (item) => (item === 'c-0' ? 'w1' : 'w0');
  cluster.network = new RequestError(500, 'connection refused');
  await leader.herder.createConnector('c', sourceConfig());
  await eventually(() => assert.ok(cluster.calls.length >= 2));
  cluster.network = undefined;
  await reaches(leader.herder, 'c', 'RUNNING RUNNING');
  cluster.network = new RequestError(500, 'connection refused');
  const before = cluster.calls.length;
  const restarted = follower.herder.restartTask(task);
  await eventually(() => assert.ok(cluster.calls.length > before));
  cluster.group.place = () => 'w0';
  await cluster.group.share();
  await restarted;
  await reaches(leader.herder, 'c', 'RUNNING RUNNING');
  assert.equal((await leader.herder.taskStatus(task)).worker_id, 'w0');
  assert.equal(follower.tasks.calls.filter((call) => call === 'start c-0').length, 1);
});

test('offsets are altered once no earlier task can write, under the transactional id of the first', async () => {
  await using cluster = await openCluster({ ...options, workers: 1 });
  const { herder, offsetStore } = cluster.worker(0);
  await herder.createConnector('c', sourceConfig({ 'tasks.max': '2', 'offsets.storage.topic': 'own' }));
  await reaches(herder, 'c', 'RUNNING RUNNING RUNNING');
  await herder.setTargetState('c', 'STOPPED');
  await reaches(herder, 'c', 'STOPPED');
  const written: unknown[] = [];
  const { forConnector } = offsetStore;
  Object.assign(offsetStore, {
    async forConnector(...asked: Parameters<typeof forConnector>) {
      const store = await forConnector(...asked);
      return {
        ...store,
        async write(_name: string, _offsets: unknown, how: unknown) {
          written.push(asked[1].topic, how, [...cluster.fenced]);
        },
      };
    },
  });
  await herder.alterOffsets('c', [{ partition: { p: 1 }, offset: { o: 1 } }]);
  assert.deepEqual(written, ['own', { transactionalId: 'workers-c-0', overrides: {} }, ['workers-c-0', 'workers-c-1']]);
});

test('sinks, and workers without it, start without transactions', async () => {
  await using cluster = await openCluster({ ...options, workers: 1 });
  const { herder, tasks } = cluster.worker(0);
  await herder.createConnector('s', { 'connector.class': 'ScriptSink', topic: 't' });
  await reaches(herder, 's', 'RUNNING RUNNING');
  assert.equal(tasks.running.get('s-0')?.spec.exactlyOnce, undefined);
  await assert.rejects(herder.fenceZombies('s', { signature: undefined, algorithm: undefined, body: Buffer.alloc(0) }), { status: 400 });
  await using plain = await openCluster({ workers: 1, exactlyOnce: 'preparing' });
  await plain.worker(0).herder.createConnector('c', sourceConfig());
  await reaches(plain.worker(0).herder, 'c', 'RUNNING RUNNING');
  assert.equal(plain.worker(0).tasks.running.get('c-0')?.spec.exactlyOnce, undefined);
});

test('a former leader can write no more, and says so as during a rebalance', async () => {
  await using cluster = await openCluster({ ...options, workers: 2 });
  const [former, next] = [cluster.worker(0), cluster.worker(1)];
  await former.herder.createConnector('c', sourceConfig());
  await next.configStore.claimWriting();
  await assert.rejects(former.herder.createConnector('d', sourceConfig()), { name: 'ForwardError', status: 409, url: undefined });
  // The group says that it leads after all: it claims writing again.
  await eventually(async () => assert.ok(await former.herder.createConnector('d', sourceConfig()).catch(() => undefined)));
});
