/** A task whose target is away comes back by itself when the target does, if its config says so; the status tells meanwhile. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { freePort } from '../services/free-port.ts';
import { startMillrace } from '../services/millrace.ts';
import type { MillraceServer } from '../services/millrace.ts';
import { eventually, isRunning, startFileFlow, taskStatus, untilCommitted, untilLines } from './worker-states.ts';
import type { FileFlow } from './worker-states.ts';

const restarts = { 'errors.restart.attempts': '-1', 'errors.restart.delay.ms': '100', 'errors.restart.delay.max.ms': '400' };

describe('a task whose target is away', () => {
  let worker: MillraceServer;
  let flow: FileFlow;
  let port: number;
  let target: Server;

  before(async () => {
    worker = await startMillrace({
      properties: {
        'plugin.path': fileURLToPath(new URL('fixtures/troublesome', import.meta.url)),
        'value.converter': 'StringConverter',
        'offset.flush.interval.ms': '200',
      },
    });
    flow = await startFileFlow(worker, 'flow');
    port = await freePort();
    await targetComes();
  });
  after(async () => {
    await worker[Symbol.asyncDispose]();
    target.close();
  });

  async function targetComes(): Promise<void> {
    target = createServer((socket) => socket.on('error', () => {}).destroy());
    await once(target.listen(port, '127.0.0.1'), 'listening');
  }

  async function targetGoes(): Promise<void> {
    await once(target.close(), 'close');
  }

  const out = (name: string): string => join(worker.folder, `${name}-out.txt`);
  const sink = (name: string, more: Readonly<Record<string, string>>): Promise<void> =>
    worker.put(name, {
      'connector.class': 'troublesome-sink',
      trouble: 'put connect',
      note: String(port),
      'calm.file': join(worker.folder, 'never'),
      'out.file': out(name),
      topics: flow.topic,
      ...more,
    });

  async function totalRestarts(name: string): Promise<number> {
    const text = await (await fetch(`${worker.url}/metrics`)).text();
    return Number(new RegExp(`^millrace_task_restarts_total\\{connector="${name}",task="0"\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  }

  it('is started again until the target is there, and nothing is missing', async () => {
    await sink('patient', restarts);
    await flow.passes('one');
    await untilLines(out('patient'), (lines) => lines.includes('one'));
    await untilCommitted(worker, 'patient', 1); // or it would come again
    await targetGoes();
    await flow.passes('two');
    const waiting = await taskStatus(
      worker,
      'patient',
      ({ state, trace }) => state === 'FAILED' && /\nRestart [3-9] comes at /.test(trace ?? ''),
    );
    assert.match(waiting.trace ?? '', /^Error: connect ECONNREFUSED/);
    await eventually('the summary', async () => {
      const all = (await worker.request('GET', '/connectors?expand=summary')) as Record<string, { summary: Record<string, unknown> }>;
      const { summary } = all['patient'] ?? {};
      const [pending] = (summary?.['restarts'] ?? []) as { task: number; count: number; at: string }[];
      if (pending === undefined) return false;
      assert.match(String(summary?.['cause']), /^task 0: Error: connect ECONNREFUSED/);
      assert.ok(pending.task === 0 && pending.count >= 3 && Date.parse(pending.at) > 0);
      return true;
    });
    await targetComes();
    await untilLines(out('patient'), (lines) => lines.includes('two'));
    await taskStatus(worker, 'patient', isRunning);
    await flow.passes('three');
    assert.deepEqual(await untilLines(out('patient'), (lines) => lines.includes('three')), ['one', 'two', 'three']);
    assert.ok((await totalRestarts('patient')) >= 3);
  });

  it('is given up when its restarts are used up, and stays away without them', async () => {
    await sink('hasty', { ...restarts, 'errors.restart.attempts': '2' });
    await sink('plain', {});
    for (const name of ['hasty', 'plain']) await untilLines(out(name), (lines) => lines.includes('three'));
    await targetGoes();
    await flow.passes('four');
    const { trace } = await taskStatus(worker, 'hasty', (task) => /did not help/.test(task.trace ?? ''));
    assert.match(trace ?? '', /^Error: connect ECONNREFUSED[^]*\n2 restarts did not help.*POST \/connectors\/hasty\/tasks\/0\/restart/);
    assert.deepEqual([await totalRestarts('hasty'), await totalRestarts('plain')], [2, 0]);
    await targetComes();
    await taskStatus(worker, 'patient', isRunning);
    for (const name of ['hasty', 'plain']) {
      assert.equal((await worker.status(name)).tasks[0]?.state, 'FAILED');
      await worker.request('POST', `/connectors/${name}/tasks/0/restart`);
      await untilLines(out(name), (lines) => lines.includes('four'));
    }
  });

  it('has no restart to come while it is paused, stopped or deleted', async () => {
    await sink('patient', { 'errors.restart.attempts': '3', 'errors.restart.delay.ms': '250000' });
    await taskStatus(worker, 'patient', isRunning);
    await targetGoes();
    await flow.passes('five');
    const waits = (): Promise<unknown> =>
      taskStatus(worker, 'patient', ({ state, trace }) => state === 'FAILED' && /\nRestart 1 of 3 comes at /.test(trace ?? ''));
    await waits();
    const before = await totalRestarts('patient');
    await worker.request('PUT', '/connectors/patient/pause');
    await taskStatus(worker, 'patient', ({ state, trace }) => state === 'FAILED' && !/comes at/.test(trace ?? ''));
    await worker.request('PUT', '/connectors/patient/resume');
    await waits();
    await worker.request('PUT', '/connectors/patient/stop');
    await eventually('its end', async () => (await worker.status('patient')).tasks.length === 0);
    await worker.request('PUT', '/connectors/patient/resume');
    await waits();
    await targetComes();
    await worker.request('POST', '/connectors/patient/tasks/0/restart');
    await untilLines(out('patient'), (lines) => lines.includes('five'));
    assert.equal(await totalRestarts('patient'), before);
    await worker.request('DELETE', '/connectors/patient');
  });

  it('is not restarted by a config of nonsense: that is refused', async () => {
    await assert.rejects(sink('wrong', { 'errors.restart.attempts': '-2' }), /400 .*errors\.restart\.attempts: Value must be at least -1/);
    await assert.rejects(sink('wrong', { 'errors.restart.attempts': 'often' }), /400 .*errors\.restart\.attempts: Not a number/);
    await assert.rejects(
      sink('wrong', { ...restarts, 'errors.restart.delay.ms': '500' }),
      /400 .*errors\.restart\.delay\.ms=500: the first wait is longer than the longest, errors\.restart\.delay\.max\.ms=400/,
    );
  });
});
