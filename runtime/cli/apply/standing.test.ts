import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { ConnectorInfo, ConnectorStatus } from './connect-api.ts';
import { standingOf, traceLines } from './standing.ts';
import type { Wanted } from './standing.ts';

const wanted: Wanted = { config: { name: 'x', a: '2' }, keys: [{ key: 'a', before: '1', after: '2' }] };
const info = (tasks: number, a = '2'): ConnectorInfo => ({
  config: { name: 'x', a },
  tasks: Array.from({ length: tasks }, (_, task) => ({ connector: 'x', task })),
});
const status = (connector: string, ...tasks: readonly string[]): ConnectorStatus => ({
  connector: { state: connector, ...(connector === 'FAILED' && { trace: 'why' }) },
  tasks: tasks.map((state, id) => ({ id, state, ...(state === 'FAILED' && { trace: 'why' }) })),
});

describe('standingOf', () => {
  test('settled: the connector and all its tasks are in one state', () => {
    const settled = (state: string, tasks: number) => ({ kind: 'settled', state, tasks });
    assert.deepEqual(standingOf({ info: info(2), status: status('RUNNING', 'RUNNING', 'RUNNING') }, wanted), settled('RUNNING', 2));
    assert.deepEqual(standingOf({ info: info(1), status: status('PAUSED', 'PAUSED') }, wanted), settled('PAUSED', 1));
    assert.deepEqual(standingOf({ info: info(0), status: status('PAUSED') }, wanted), settled('PAUSED', 0));
    assert.deepEqual(standingOf({ info: info(0), status: status('STOPPED', 'RUNNING') }, wanted), settled('STOPPED', 0));
    // The status of a task that the connector no longer has.
    assert.deepEqual(standingOf({ info: info(1), status: status('RUNNING', 'RUNNING', 'FAILED') }, wanted), settled('RUNNING', 1));
  });

  test('failed: the connector, or one of its tasks', () => {
    const failed = (part: string) => ({ kind: 'failed', parts: [{ part, trace: 'why' }] });
    assert.deepEqual(standingOf({ info: info(1), status: status('FAILED', 'RUNNING') }, wanted), failed('connector'));
    assert.deepEqual(standingOf({ info: info(2), status: status('RUNNING', 'RUNNING', 'FAILED') }, wanted), failed('task 1'));
  });

  test('pending: something is not there yet', () => {
    const running = status('RUNNING', 'RUNNING');
    for (const [seen, why] of [
      [{ info: undefined, status: running }, /does not list it/],
      [{ info: info(1, '1'), status: running }, /another config/],
      [{ info: info(1), status: undefined }, /no status/],
      [{ info: info(1), status: status('UNASSIGNED', 'RUNNING') }, /connector is UNASSIGNED/],
      [{ info: info(1), status: status('RUNNING', 'RESTARTING') }, /task 0 is RESTARTING/],
      [{ info: info(2), status: running }, /task 1 is without a status/],
      [{ info: info(1), status: status('PAUSED', 'RUNNING') }, /task 0 is RUNNING/],
    ] as const) {
      const standing = standingOf(seen, wanted);
      assert.deepEqual([standing.kind, standing.kind === 'pending' && standing.isDoubtful], ['pending', false]);
      assert.match(standing.kind === 'pending' ? standing.why : '', why);
    }
  });

  test('doubtful: no tasks, or tasks of before the change; believed after a while', () => {
    const before = { info: info(1), status: status('RUNNING', 'FAILED'), taskConfigs: [{ a: '1' }] };
    for (const seen of [before, { info: info(0), status: status('RUNNING') }]) {
      const standing = standingOf(seen, wanted);
      assert.equal(standing.kind === 'pending' && standing.isDoubtful, true);
    }
    assert.equal(standingOf({ ...before, taskConfigs: [{ a: '2' }] }, wanted).kind, 'failed');
    assert.equal(standingOf(before, wanted, false).kind, 'failed');
    assert.equal(standingOf({ info: info(0), status: status('RUNNING') }, wanted, false).kind, 'settled');
  });
});

test('traceLines keeps the message and the causes', () => {
  const trace = `ConnectException: Exiting task\n\tat a.b(C.java:1)\n\tat d\nCaused by: IOException: is full\n\tat e\n\t... 3 more\n`;
  assert.deepEqual(traceLines(trace), ['ConnectException: Exiting task', 'Caused by: IOException: is full']);
  assert.deepEqual(traceLines('Error: a\n  b\n    at c (d.ts:1:1)'), ['Error: a', 'b']);
  assert.deepEqual(traceLines(''), ['no trace in its status']);
});
