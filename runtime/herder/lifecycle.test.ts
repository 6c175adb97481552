import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryConfigStore } from '../stores/config-store.ts';
import { memoryStatusStore } from '../stores/status-store.ts';
import { eventually, openHerder, reaches, sourceConfig, startHerder, statesOf } from './test/herder-fixture.ts';

test('a connector that is created runs its tasks, and shows them', async () => {
  await using fixture = await openHerder();
  const { herder, tasks } = fixture;
  assert.equal(herder.health().status, 'starting');
  await herder.start();
  assert.equal(herder.health().status, 'healthy');
  const info = await herder.createConnector('c', sourceConfig({ 'tasks.max': '2' }));
  assert.deepEqual(
    { name: info.name, type: info.type, config: info.config },
    {
      name: 'c',
      type: 'source',
      config: { 'connector.class': 'ScriptSource', topic: 't', 'tasks.max': '2', name: 'c' },
    },
  );
  await reaches(herder, 'c', 'RUNNING RUNNING RUNNING');
  assert.deepEqual((await herder.connectorInfo('c')).tasks, [
    { connector: 'c', task: 0 },
    { connector: 'c', task: 1 },
  ]);
  assert.deepEqual(await herder.taskStatus({ connector: 'c', task: 1 }), {
    id: 1,
    state: 'RUNNING',
    worker_id: 'worker:8083',
    version: '1.0',
  });
  assert.equal((await herder.taskConfigs('c'))[1]?.config['task'], '1');
  assert.equal(tasks.running.get('c-0')?.spec.kind, 'source');
});

test('task configs hold what Connect adds to them, so that a JVM worker can start the tasks', async () => {
  await using fixture = await startHerder();
  const { herder, plugins } = fixture;
  plugins.taskConfigs = async () => [{ own: 'yes' }];
  plugins.taskClassOf = (name) => `${name}Task`;
  await herder.createConnector('c', { 'connector.class': 'ScriptSink', topic: 't', topics: 'a,b' });
  await reaches(herder, 'c', 'RUNNING RUNNING');
  assert.deepEqual((await herder.taskConfigs('c'))[0]?.config, { own: 'yes', topics: 'a,b', 'task.class': 'ScriptSinkTask' });
});

test('pause and resume do not restart, stop takes the tasks away, resume makes them again', async () => {
  await using fixture = await startHerder();
  const { herder, tasks } = fixture;
  await herder.createConnector('c', sourceConfig());
  await reaches(herder, 'c', 'RUNNING RUNNING');
  await herder.setTargetState('c', 'PAUSED');
  await reaches(herder, 'c', 'PAUSED PAUSED');
  await herder.setTargetState('c', 'STARTED');
  await reaches(herder, 'c', 'RUNNING RUNNING');
  await herder.setTargetState('c', 'STOPPED');
  await reaches(herder, 'c', 'STOPPED');
  assert.deepEqual(await herder.taskConfigs('c'), []);
  await herder.setTargetState('c', 'STARTED');
  await reaches(herder, 'c', 'RUNNING RUNNING');
  assert.deepEqual(tasks.calls, ['start c-0', 'pause c-0', 'resume c-0', 'stop c-0', 'start c-0'].filter(Boolean));
});

test('a connector can be created paused or stopped, and has no tasks until it is resumed', async () => {
  await using fixture = await startHerder();
  const { herder, tasks } = fixture;
  await herder.createConnector('p', sourceConfig(), 'PAUSED');
  await herder.createConnector('s', sourceConfig(), 'STOPPED');
  await reaches(herder, 'p', 'PAUSED');
  await reaches(herder, 's', 'STOPPED');
  assert.deepEqual(tasks.calls, []);
  await herder.setTargetState('p', 'STARTED');
  await reaches(herder, 'p', 'RUNNING RUNNING');
});

test('a changed config restarts its tasks, the same one restarts nothing', async () => {
  await using fixture = await startHerder();
  const { herder, tasks } = fixture;
  await herder.createConnector('c', sourceConfig());
  await herder.createConnector('other', sourceConfig());
  await reaches(herder, 'c', 'RUNNING RUNNING');
  await reaches(herder, 'other', 'RUNNING RUNNING');
  tasks.calls.length = 0;
  assert.equal((await herder.putConfig('c', sourceConfig())).created, false);
  await herder.putConfig('c', sourceConfig({ topic: 'u' }));
  await eventually(() => assert.equal(tasks.running.get('c-0')?.spec.taskConfig['topic'], 'u'));
  await herder.patchConfig('c', { 'tasks.max': '2', topic: 'u' });
  await reaches(herder, 'c', 'RUNNING RUNNING RUNNING');
  await herder.patchConfig('c', { 'tasks.max': null });
  await reaches(herder, 'c', 'RUNNING RUNNING');
  assert.ok(
    tasks.calls.every((call) => !call.includes('other')),
    String(tasks.calls),
  );
});

test('a deleted connector leaves nothing behind, and its name may be used again at once', async () => {
  await using fixture = await startHerder();
  const { herder, tasks, statusStore } = fixture;
  await herder.createConnector('c', sourceConfig({ 'tasks.max': '2' }));
  await reaches(herder, 'c', 'RUNNING RUNNING RUNNING');
  tasks.running.get('c-0')?.events.topicUsed({ connector: 'c', task: 0 }, 't');
  await eventually(async () => assert.deepEqual(await herder.topics('c'), ['t']));
  const release = Promise.withResolvers<void>();
  using _ended = { [Symbol.dispose]: () => release.resolve() };
  tasks.onStop = () => release.promise;
  await herder.deleteConnector('c');
  await herder.createConnector('c', sourceConfig());
  release.resolve();
  await reaches(herder, 'c', 'RUNNING RUNNING');
  assert.deepEqual(await herder.topics('c'), []);
  assert.deepEqual(tasks.calls, ['start c-0', 'start c-1', 'stop c-0', 'stop c-1', 'start c-0']);
  await herder.deleteConnector('c');
  await eventually(() => assert.equal(statusStore.connector('c'), undefined));
  await eventually(() => assert.equal(tasks.running.size, 0));
  assert.deepEqual(statusStore.tasks('c'), []);
});

test('one connector that will not stop, or does not answer, holds up no other', async () => {
  await using fixture = await startHerder();
  const { herder, tasks, plugins } = fixture;
  const release = Promise.withResolvers<void>();
  using _ended = { [Symbol.dispose]: () => release.resolve() };
  const plain = plugins.taskConfigs;
  plugins.taskConfigs = async (config, max) => {
    if (config['name'] === 'slow') await release.promise;
    return plain(config, max);
  };
  tasks.onStop = ({ connector }) => (connector === 'stuck' ? release.promise : undefined);
  await herder.createConnector('stuck', sourceConfig());
  await reaches(herder, 'stuck', 'RUNNING RUNNING');
  await herder.setTargetState('stuck', 'STOPPED');
  await herder.createConnector('slow', sourceConfig());
  await herder.createConnector('quick', sourceConfig());
  await reaches(herder, 'quick', 'RUNNING RUNNING');
  await herder.setTargetState('slow', 'STOPPED');
  release.resolve();
  await reaches(herder, 'stuck', 'STOPPED');
  await reaches(herder, 'slow', 'STOPPED');
  assert.ok(!tasks.calls.includes('start slow-0'));
});

test('what the stores hold runs again after a restart; closing says UNASSIGNED', async () => {
  const [configStore, statusStore] = [memoryConfigStore(), memoryStatusStore()];
  await configStore.start({ connector() {} });
  await configStore.putConnector('c', { ...sourceConfig(), name: 'c' });
  await configStore.putConnector('p', { ...sourceConfig(), name: 'p' }, 'PAUSED');
  await configStore.putTaskConfigs('p', [sourceConfig()]);
  await statusStore.start();
  await statusStore.putTask({ connector: 'gone', task: 0 }, { state: 'RUNNING', trace: null, workerId: 'w', generation: 1, version: null });
  {
    await using fixture = await startHerder({ configStore, statusStore });
    await reaches(fixture.herder, 'c', 'RUNNING RUNNING');
    await reaches(fixture.herder, 'p', 'PAUSED PAUSED');
    assert.deepEqual(statusStore.connectors(), ['c', 'p']);
    await fixture.herder[Symbol.asyncDispose]();
    assert.equal(await statesOf(fixture.herder, 'c'), 'UNASSIGNED UNASSIGNED');
    assert.equal(fixture.tasks.running.size, 0);
  }
});
