import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { scriptedHerder } from '../../test/contract/scripted-herder.ts';
import { createLogLevels } from '../logging/log-levels.ts';
import type { ConnectorStateInfo, StateInfo } from '../ports/herder.ts';
import { withRestartNote } from '../ports/restart-note.ts';
import type { RunState } from '../ports/stores.ts';
import { createRestApp } from './app.ts';
import { connectorSummary } from './connector-summary.ts';
import { startRestServer } from './server.ts';

type Told = RunState | readonly [RunState, trace: string];
const state = (told: Told): StateInfo =>
  typeof told === 'string' ? { state: told, worker_id: 'w:1' } : { state: told[0], worker_id: 'w:1', trace: told[1] };
const status = (connector: Told, ...tasks: Told[]): ConnectorStateInfo => ({
  name: 'c',
  connector: state(connector),
  tasks: tasks.map((each, id) => ({ id, ...state(each) })),
  type: 'sink',
});

const trace =
  'ConnectException: Tolerance exceeded in error handler\n  at a\nCaused by: Error: outer\n  at b\nCaused by: Error: disk full\n  at c';
const silent = 'task c-1 has not answered for 12 s: its thread is spinning or blocked.';

describe('a connector’s summary', () => {
  const rows: readonly [string, ConnectorStateInfo, string, string?][] = [
    ['all is well', status('RUNNING', 'RUNNING', 'RUNNING'), 'healthy'],
    ['every task failed', status('RUNNING', ['FAILED', trace], 'FAILED'), 'failed', 'task 0: Error: disk full'],
    ['a task failed', status('RUNNING', 'RUNNING', ['FAILED', 'Error: gone\n  at x']), 'degraded', 'task 1: Error: gone'],
    ['the connector failed', status(['FAILED', 'Error: no'], 'RUNNING'), 'failed', 'connector: Error: no'],
    ['paused', status('PAUSED', 'PAUSED'), 'paused'],
    ['paused with a failed task', status('PAUSED', 'PAUSED', 'FAILED'), 'degraded', 'task 1 is FAILED'],
    ['stopped', status('STOPPED'), 'stopped'],
    ['nobody runs it', status('UNASSIGNED', 'UNASSIGNED'), 'unassigned', 'connector is UNASSIGNED'],
    ['nobody runs its tasks', status('RUNNING', 'UNASSIGNED', 'UNASSIGNED'), 'unassigned', 'task 0 is UNASSIGNED'],
    ['a task is placed nowhere', status('RUNNING', 'RUNNING', 'UNASSIGNED'), 'degraded', 'task 1 is UNASSIGNED'],
    ['a task restarts', status('RUNNING', 'RESTARTING', 'RUNNING'), 'degraded', 'task 0 is RESTARTING'],
    ['a task does not answer', status('RUNNING', 'RUNNING', ['RUNNING', silent]), 'degraded', `task 1: ${silent}`],
    ['there are no tasks', status('RUNNING'), 'degraded', 'it has no tasks'],
  ];
  for (const [what, told, wanted, cause] of rows) {
    test(`${what}: ${wanted}`, () => {
      const summary = connectorSummary(told);
      assert.deepEqual([summary.state, summary.cause], [wanted, cause]);
    });
  }

  test('tells which failed tasks are to be started again, when, and for the how manieth time', () => {
    const at = '2026-11-22T11:30:00.000Z';
    const told = (of: number | undefined): Told => ['FAILED', withRestartNote(trace, { count: 2, of, at })];
    const { state: found, cause, restarts } = connectorSummary(status('RUNNING', 'RUNNING', told(5), ['FAILED', trace], told(undefined)));
    assert.deepEqual([found, cause], ['degraded', 'task 1: Error: disk full']);
    assert.deepEqual(restarts, [
      { task: 1, count: 2, of: 5, at },
      { task: 3, count: 2, at },
    ]);
    // Words of the connector are not taken for ours.
    assert.equal(connectorSummary(status('RUNNING', ['FAILED', `${told(5)[1]}\nCaused by: x`])).restarts, undefined);
  });

  test('counts the tasks by state', () => {
    assert.deepEqual(connectorSummary(status('RUNNING', 'RUNNING', 'FAILED', 'RUNNING')).tasks, { running: 2, failed: 1 });
  });

  test('tells how far the work of its tasks is, and is no less healthy for it', async () => {
    const herder = scriptedHerder(createLogLevels());
    await herder.createConnector('c', { 'connector.class': 'FileStreamSource', topic: 't', name: 'c' });
    const reports = { 0: { snapshot: { rows: 7 } } };
    const telling = { ...herder, reports: async () => reports };
    await using server = await startRestServer(createRestApp({ herder: telling }), ['http://127.0.0.1:0']);
    const get = async (path: string): Promise<unknown> => (await fetch(`${server.url}/connectors${path}`)).json();
    assert.deepEqual(await get('?expand=summary'), { c: { summary: { state: 'healthy', tasks: { running: 1 }, reports } } });
    assert.deepEqual(await get('/c/status'), await herder.status('c'));
  });

  test('is there for those who ask for it, and Connect’s own fields stay as they are', async () => {
    const herder = scriptedHerder(createLogLevels());
    await herder.createConnector('c', { 'connector.class': 'FileStreamSource', topic: 't', name: 'c' });
    const failed = { ...herder, status: async () => status('RUNNING', ['FAILED', trace]) };
    await using server = await startRestServer(createRestApp({ herder: failed }), ['http://127.0.0.1:0']);
    const get = async (query: string): Promise<unknown> => (await fetch(`${server.url}/connectors${query}`)).json();
    const summary = { state: 'failed', tasks: { failed: 1 }, cause: 'task 0: Error: disk full' };
    assert.deepEqual(await get('?expand=summary'), { c: { summary } });
    assert.deepEqual(await get('?expand=status&expand=summary'), { c: { status: await failed.status(), summary } });
    assert.deepEqual(await get('?expand=nothing'), { c: {} });
    assert.deepEqual(await get('?expand=status'), { c: { status: await failed.status() } });
  });
});
