import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, reaches, sourceConfig, startHerder, statesOf } from './test/herder-fixture.ts';

const id = { connector: 'c', task: 0 };

test('a failed task shows its trace, leaves the others alone, and comes back with a restart', async () => {
  await using fixture = await startHerder();
  const { herder, tasks } = fixture;
  await herder.createConnector('c', sourceConfig({ 'tasks.max': '2' }));
  await reaches(herder, 'c', 'RUNNING RUNNING RUNNING');
  tasks.running.get('c-0')?.events.failed(id, 'Error: broken\n    at put');
  await reaches(herder, 'c', 'RUNNING FAILED RUNNING');
  assert.equal((await herder.taskStatus(id)).trace, 'Error: broken\n    at put');
  await herder.restartTask(id);
  await reaches(herder, 'c', 'RUNNING RUNNING RUNNING');
  assert.equal((await herder.taskStatus(id)).trace, undefined);
  assert.deepEqual(tasks.calls, ['start c-0', 'start c-1', 'stop c-0', 'start c-0']);
});

test('a task that cannot be started fails with the reason, and so does the request that restarts it', async () => {
  await using fixture = await startHerder();
  const { herder, tasks } = fixture;
  tasks.onStart = () => Promise.reject(new Error('no threads left'));
  await herder.createConnector('c', sourceConfig());
  await reaches(herder, 'c', 'RUNNING FAILED');
  assert.match((await herder.taskStatus(id)).trace ?? '', /no threads left/);
  await assert.rejects(herder.restartTask(id), { status: 500, message: 'Failed to start task: c-0' });
});

test('a task that does not answer is named in its status, until it answers', async () => {
  await using fixture = await startHerder();
  const { herder, tasks } = fixture;
  await herder.createConnector('c', sourceConfig());
  await reaches(herder, 'c', 'RUNNING RUNNING');
  const events = tasks.running.get('c-0')?.events;
  events?.responsive(id, false, 12_000);
  const { state, trace } = await herder.taskStatus(id);
  assert.equal(state, 'RUNNING');
  assert.match(trace ?? '', /^task c-0 has not answered for 12 s: its thread is spinning or blocked/);
  events?.responsive(id, true, 13_000);
  assert.equal((await herder.taskStatus(id)).trace, undefined);
});

test('what a task says of its state stands beside it, and comes back after a silence', async () => {
  await using fixture = await startHerder();
  const { herder, tasks } = fixture;
  await herder.createConnector('c', sourceConfig());
  await reaches(herder, 'c', 'RUNNING RUNNING');
  const events = tasks.running.get('c-0')?.events;
  events?.noted?.(id, 'the database is away');
  assert.deepEqual(await told(), ['RUNNING', 'the database is away']);
  events?.responsive(id, false, 12_000);
  events?.responsive(id, true, 13_000);
  assert.deepEqual(await told(), ['RUNNING', 'the database is away']);
  events?.noted?.(id, undefined);
  assert.deepEqual(await told(), ['RUNNING', undefined]);

  async function told(): Promise<readonly unknown[]> {
    const { state, trace } = await herder.taskStatus(id);
    return [state, trace];
  }
});

test('how far a task’s work is stands beside its status, and goes with the run', async () => {
  await using fixture = await startHerder({ onTopics: true });
  const { herder, tasks } = fixture;
  await herder.createConnector('c', sourceConfig());
  await reaches(herder, 'c', 'RUNNING RUNNING');
  const plain = await herder.taskStatus(id);
  const events = tasks.running.get('c-0')?.events;
  const report = { snapshot: { rows: 7, seconds: 0.5, began: 'now' } };
  events?.reported?.(id, report);
  await eventually(async () => assert.deepEqual(await herder.reports?.('c'), { 0: report }));
  assert.deepEqual(await herder.taskStatus(id), plain, 'the status has Connect’s fields alone');
  events?.noted?.(id, 'the database is away');
  assert.deepEqual(await herder.reports?.('c'), { 0: report });
  events?.failed(id, 'Error: broken');
  assert.deepEqual(await herder.reports?.('c'), {});
});

test('events of an earlier run change nothing', async () => {
  await using fixture = await startHerder();
  const { herder, tasks } = fixture;
  await herder.createConnector('c', sourceConfig());
  await reaches(herder, 'c', 'RUNNING RUNNING');
  const earlier = tasks.running.get('c-0')?.events;
  await herder.restartTask(id);
  earlier?.failed(id, 'late');
  assert.equal(await statesOf(herder, 'c'), 'RUNNING RUNNING');
});

test('a connector that cannot make its task configs is FAILED, and comes back with a restart or a better config', async () => {
  await using fixture = await startHerder();
  const { herder, plugins } = fixture;
  const plain = plugins.taskConfigs;
  plugins.taskConfigs = () => Promise.reject(new Error('the source is away', { cause: new Error('connection refused') }));
  await herder.createConnector('c', sourceConfig());
  await reaches(herder, 'c', 'FAILED');
  assert.match((await herder.status('c')).connector.trace ?? '', /the source is away[^]*Caused by: Error: connection refused/);
  await assert.rejects(herder.restartConnector('c', { includeTasks: false, onlyFailed: false }), {
    status: 500,
    message: 'Failed to start connector: c',
  });
  plugins.taskConfigs = plain;
  await herder.restartConnector('c', { includeTasks: false, onlyFailed: false });
  await reaches(herder, 'c', 'RUNNING RUNNING');
});

test('more tasks than tasks.max fail the connector, unless that is not enforced', async () => {
  await using fixture = await startHerder();
  const { herder, plugins } = fixture;
  plugins.taskConfigs = async (config) => [config, config];
  await herder.createConnector('c', sourceConfig());
  await reaches(herder, 'c', 'FAILED');
  assert.match((await herder.status('c')).connector.trace ?? '', /has generated 2 tasks, which is greater than 1/);
  await herder.patchConfig('c', { 'tasks.max.enforce': 'false' });
  await reaches(herder, 'c', 'RUNNING RUNNING RUNNING');
});

test('a restart answers with its plan: everything, or what failed', async () => {
  await using fixture = await startHerder();
  const { herder, tasks } = fixture;
  await herder.createConnector('c', sourceConfig({ 'tasks.max': '2' }));
  await reaches(herder, 'c', 'RUNNING RUNNING RUNNING');
  tasks.running.get('c-1')?.events.failed({ connector: 'c', task: 1 }, 'broken');
  tasks.calls.length = 0;
  const failed = await herder.restartConnector('c', { includeTasks: true, onlyFailed: true });
  assert.deepEqual([failed.connector.state, ...failed.tasks.map(({ state }) => state)], ['RUNNING', 'RUNNING', 'RESTARTING']);
  await reaches(herder, 'c', 'RUNNING RUNNING RUNNING');
  assert.deepEqual(tasks.calls, ['stop c-1', 'start c-1']);
  const all = await herder.restartConnector('c', { includeTasks: true, onlyFailed: false });
  assert.deepEqual([all.connector.state, ...all.tasks.map(({ state }) => state)], ['RESTARTING', 'RESTARTING', 'RESTARTING']);
  await eventually(() => assert.equal(tasks.calls.length, 6));
  await reaches(herder, 'c', 'RUNNING RUNNING RUNNING');
});
