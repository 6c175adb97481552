import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RetriableError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';
import { restartNoteOf } from '../ports/restart-note.ts';
import type { RestartNote } from '../ports/restart-note.ts';
import { openCluster } from './test/cluster-fixture.ts';
import { eventually, reaches, sourceConfig, startHerder } from './test/herder-fixture.ts';
import type { Fixture } from './test/herder-fixture.ts';

const id = { connector: 'c', task: 0 };
const trace = 'Error: connect ECONNREFUSED\n    at connect';
const soon: RawConfig = { 'errors.restart.attempts': '5', 'errors.restart.delay.ms': '1' };
/** Beyond the end of the test. */
const late: RawConfig = { 'errors.restart.attempts': '5', 'errors.restart.delay.ms': '250000' };

async function running(config: RawConfig): Promise<Fixture> {
  const fixture = await startHerder();
  await fixture.herder.createConnector('c', sourceConfig(config));
  await reaches(fixture.herder, 'c', 'RUNNING RUNNING');
  return fixture;
}

function fail({ tasks }: Fixture, passes = true): void {
  tasks.running.get('c-0')?.events.failed(id, trace, passes);
}

const starts = ({ tasks }: Fixture): number => tasks.calls.filter((call) => call === 'start c-0').length;

async function noteOf({ herder }: Fixture): Promise<RestartNote | undefined> {
  return restartNoteOf((await herder.taskStatus(id)).trace);
}

/** The time of a restart that was cancelled goes by: timers come in the order of their times. */
const timersPass = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60));

describe('a task that failed for a reason that may pass', () => {
  test('stays as it is where the config does not ask for restarts', async () => {
    await using fixture = await running({});
    fail(fixture);
    await reaches(fixture.herder, 'c', 'RUNNING FAILED');
    assert.equal((await fixture.herder.taskStatus(id)).trace, trace);
    await timersPass();
    assert.equal(starts(fixture), 1);
  });

  test('is started again by itself', async () => {
    await using fixture = await running(soon);
    fail(fixture);
    await eventually(() => assert.equal(starts(fixture), 2));
    await reaches(fixture.herder, 'c', 'RUNNING RUNNING');
    assert.equal((await fixture.herder.taskStatus(id)).trace, undefined);
    assert.deepEqual(fixture.tasks.calls, ['start c-0', 'stop c-0', 'start c-0']);
  });

  test('is FAILED until then, with its cause, the count and the next try', async () => {
    await using fixture = await running(late);
    const before = Date.now();
    fail(fixture);
    await reaches(fixture.herder, 'c', 'RUNNING FAILED');
    const shown = (await fixture.herder.taskStatus(id)).trace ?? '';
    assert.ok(shown.startsWith(`${trace}\nRestart 1 of 5 comes at `), shown);
    const note = await noteOf(fixture);
    const inMs = Date.parse(note?.at ?? '') - before;
    assert.ok(inMs >= 125_000 && inMs < 260_000, String(inMs));
    assert.match(fixture.logged.join('\n'), /task c-0: restart 1 of 5 comes in \d+ ms/);
  });

  test('is given up when the restarts are used up, until somebody restarts it', async () => {
    await using fixture = await running({ ...soon, 'errors.restart.attempts': '3', 'errors.restart.delay.max.ms': '2000' });
    fixture.tasks.onStart = (_spec, events) => events.failed(id, trace, true);
    fail(fixture);
    await eventually(async () => {
      assert.match((await fixture.herder.taskStatus(id)).trace ?? '', /\n3 restarts did not help.*POST \/connectors\/c\/tasks\/0\/restart/);
    });
    assert.equal(starts(fixture), 4);
    assert.equal(await noteOf(fixture), undefined);
    await timersPass();
    assert.equal(starts(fixture), 4);
    // By hand it is counted anew.
    await fixture.herder.restartTask(id);
    await eventually(() => assert.equal(starts(fixture), 8));
  });

  test('is counted anew after a run that was long enough', async () => {
    await using fixture = await running({ ...soon, 'errors.restart.attempts': '1', 'errors.restart.reset.after.ms': '2' });
    for (let round = 0; round < 3; round++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      const before = starts(fixture);
      fail(fixture);
      await eventually(() => assert.equal(starts(fixture), before + 1));
      await reaches(fixture.herder, 'c', 'RUNNING RUNNING');
    }
  });

  test('and cannot even be started is tried again too', async () => {
    await using fixture = await running(soon);
    let refusals = 2;
    fixture.tasks.onStart = ({ id: started }, events) => {
      if (refusals-- > 0) throw new RetriableError('no room for a thread');
      events.running(started);
    };
    fail(fixture);
    await eventually(() => assert.equal(starts(fixture), 4));
    await reaches(fixture.herder, 'c', 'RUNNING RUNNING');
  });
});

test('one that failed for another reason is left to people', async () => {
  await using fixture = await running(soon);
  fail(fixture, false);
  await reaches(fixture.herder, 'c', 'RUNNING FAILED');
  await timersPass();
  assert.deepEqual([starts(fixture), (await fixture.herder.taskStatus(id)).trace], [1, trace]);
});

describe('a restart that is to come is cancelled by', () => {
  const dueSoon: RawConfig = { 'errors.restart.attempts': '5', 'errors.restart.delay.ms': '40' };

  test('a restart by hand', async () => {
    await using fixture = await running(dueSoon);
    fail(fixture);
    await fixture.herder.restartTask(id);
    await timersPass();
    assert.equal(starts(fixture), 2);
  });

  test('a restart of what failed', async () => {
    await using fixture = await running(late);
    fail(fixture);
    await reaches(fixture.herder, 'c', 'RUNNING FAILED');
    await fixture.herder.restartConnector('c', { includeTasks: true, onlyFailed: true });
    await reaches(fixture.herder, 'c', 'RUNNING RUNNING');
    fail(fixture);
    await eventually(async () => assert.equal((await noteOf(fixture))?.count, 1));
  });

  test('a pause, and planned again when it is resumed', async () => {
    await using fixture = await running(dueSoon);
    fail(fixture);
    await fixture.herder.setTargetState('c', 'PAUSED');
    await reaches(fixture.herder, 'c', 'PAUSED FAILED');
    await eventually(async () => assert.equal((await fixture.herder.taskStatus(id)).trace, trace));
    await timersPass();
    assert.equal(starts(fixture), 1);
    await fixture.herder.setTargetState('c', 'STARTED');
    await eventually(() => assert.equal(starts(fixture), 2));
    await reaches(fixture.herder, 'c', 'RUNNING RUNNING');
  });

  test('a stop', async () => {
    await using fixture = await running(dueSoon);
    fail(fixture);
    await fixture.herder.setTargetState('c', 'STOPPED');
    await reaches(fixture.herder, 'c', 'STOPPED');
    await timersPass();
    assert.equal(starts(fixture), 1);
  });

  test('its deletion', async () => {
    await using fixture = await running(dueSoon);
    fail(fixture);
    await fixture.herder.deleteConnector('c');
    await timersPass();
    assert.equal(starts(fixture), 1);
  });

  test('another config, with which it is started at once', async () => {
    await using fixture = await running(late);
    fail(fixture);
    await fixture.herder.patchConfig('c', { topic: 'other' });
    await eventually(() => assert.equal(starts(fixture), 2));
    await reaches(fixture.herder, 'c', 'RUNNING RUNNING');
  });

  test('a rebalance that gives the task to another worker, which starts it at once', async () => {
    await using cluster = await openCluster();
    let owner = 'w0';
    cluster.group.place = () => owner;
    const [first, second] = [cluster.worker(0), cluster.worker(1)];
    await first.herder.createConnector('c', sourceConfig(dueSoon));
    await reaches(first.herder, 'c', 'RUNNING RUNNING');
    first.tasks.running.get('c-0')?.events.failed(id, trace, true);
    owner = 'w1';
    await cluster.group.share();
    await reaches(second.herder, 'c', 'RUNNING RUNNING');
    await timersPass();
    assert.deepEqual([first.tasks.calls, second.tasks.calls], [['start c-0', 'stop c-0'], ['start c-0']]);
  });

  test('the end of the worker', async () => {
    const fixture = await running(dueSoon);
    fail(fixture);
    await fixture[Symbol.asyncDispose]();
    await timersPass();
    assert.equal(starts(fixture), 1);
  });
});
