/** One connector's trouble is its own: each of these is seen, named, stopped and restarted while the rest goes on. */
import assert from 'node:assert/strict';
import { closeSync, constants, openSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { startMillrace } from '../services/millrace.ts';
import type { MillraceServer } from '../services/millrace.ts';
import { eventually, isRunning, startFileFlow, taskStatus, threadNames, untilLines } from './worker-states.ts';
import type { FileFlow } from './worker-states.ts';

interface Trouble {
  readonly trouble: string;
  readonly state: 'RUNNING' | 'FAILED' | 'UNASSIGNED';
  /** What the status says; undefined: nothing can be seen from outside. */
  readonly trace: RegExp | undefined;
}

const silent = /has not answered for \d+ s: its thread is spinning or blocked/;
const tooLarge = /holds \d+ MiB \(heap \d+, buffers \d+\), more than its limit of 64 MiB \(millrace\.task\.memory\.max\.bytes\)/;
const troubles: readonly Trouble[] = [
  { trouble: 'put spin', state: 'RUNNING', trace: silent },
  { trouble: 'start spin', state: 'UNASSIGNED', trace: silent },
  { trouble: 'put leak-objects', state: 'FAILED', trace: tooLarge },
  { trouble: 'put leak-numbers', state: 'FAILED', trace: tooLarge },
  { trouble: 'put leak-map', state: 'FAILED', trace: tooLarge },
  { trouble: 'put leak-buffers', state: 'FAILED', trace: tooLarge },
  { trouble: 'put leak-buffers-slowly', state: 'FAILED', trace: tooLarge },
  { trouble: 'put throw', state: 'FAILED', trace: /Error: thrown in the middle of it\n +at .*troubles\.ts/ },
  { trouble: 'put throw-later', state: 'FAILED', trace: /Error: thrown from a timer\n +at .*troubles\.ts/ },
  { trouble: 'put reject-unseen', state: 'FAILED', trace: /Error: rejected where nobody looks\n +at .*troubles\.ts/ },
  { trouble: 'put exit', state: 'FAILED', trace: /task \S+: its thread ended with code 3 and no word/ },
  { trouble: 'put block', state: 'RUNNING', trace: silent },
  { trouble: 'put block-in-the-system', state: 'RUNNING', trace: silent },
  { trouble: 'put block-files', state: 'RUNNING', trace: undefined },
  { trouble: 'put wait', state: 'RUNNING', trace: undefined },
  { trouble: 'poll wait', state: 'RUNNING', trace: undefined },
  { trouble: 'poll spin', state: 'RUNNING', trace: silent },
  { trouble: 'poll throw', state: 'FAILED', trace: /Error: thrown in the middle of it/ },
];

describe('a connector in trouble', () => {
  let worker: MillraceServer;
  let bystander: FileFlow;
  const fixtures = fileURLToPath(new URL('fixtures/troublesome', import.meta.url));

  before(async () => {
    worker = await startMillrace({
      properties: {
        'plugin.path': fixtures,
        'millrace.task.memory.max.bytes': String(64 * 1024 * 1024),
        'millrace.task.unresponsive.after.ms': '2000',
        'millrace.plugin.call.timeout.ms': '4000',
        'task.shutdown.graceful.timeout.ms': '1000',
        'offset.flush.interval.ms': '200',
        'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
      },
    });
    bystander = await startFileFlow(worker, 'bystander');
    await bystander.passes('first');
  });
  after(() => worker?.[Symbol.asyncDispose]());

  const file = (name: string, what: string): string => join(worker.folder, `${name}-${what}`);

  function configOf(name: string, trouble: string): Record<string, string> {
    const source = trouble.startsWith('poll');
    return {
      'connector.class': source ? 'troublesome-source' : 'troublesome-sink',
      trouble,
      'calm.file': file(name, 'calm'),
      'out.file': file(name, 'out'),
      ...(source ? { topic: `${name}-lines` } : { topics: bystander.topic }),
    };
  }

  /** REST answers, in time that a person would not notice much, and the other connectors flow. */
  async function othersGoOn(line: string): Promise<void> {
    for (const path of ['/', '/connectors?expand=status', '/connectors/bystander-sink/status', '/connector-plugins', '/metrics']) {
      const answer = await fetch(worker.url + path, { signal: AbortSignal.timeout(3_000) });
      assert.equal(answer.status, 200, path);
      await answer.text();
    }
    await bystander.passes(line);
  }

  async function threadIsGone(name: string): Promise<void> {
    await eventually(`the end of the thread of ${name}`, async () => {
      // The thread may have come to its pipe only now.
      letReadersIn(file(name, 'calm.pipe'));
      const metrics = await (await fetch(`${worker.url}/metrics`)).text();
      return !metrics.includes(`connector="${name}"`) && !threadNames(worker.pid).includes(`${name}-0`);
    });
  }

  /** Ends the opening that readers of the pipe are blocked in, if there is a pipe, and readers. */
  function letReadersIn(pipe: string): void {
    try {
      closeSync(openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK));
    } catch (error) {
      assert.match(String((error as NodeJS.ErrnoException).code), /^(ENOENT|ENXIO)$/);
    }
  }

  /** Ends the system call that the thread is blocked in, if any. */
  async function releasePipe(name: string): Promise<void> {
    const pipe = file(name, 'calm.pipe');
    if (!existsSync(pipe)) return;
    await writeFile(pipe, '');
    rmSync(pipe);
  }

  for (const [number, { trouble, state, trace }] of troubles.entries()) {
    it(trouble, async () => {
      const name = `bad-${number}`;
      await worker.put(name, configOf(name, trouble));
      const seen = await taskStatus(worker, name, (task) => task.state === state && (trace === undefined || trace.test(task.trace ?? '')));
      if (trace === undefined) assert.equal(seen.trace, undefined);
      if (state !== 'FAILED' && process.platform === 'linux') assert.ok(threadNames(worker.pid).includes(`${name}-0`));
      await othersGoOn(`during ${trouble}`);

      writeFileSync(file(name, 'calm'), '');
      await worker.request('POST', `/connectors/${name}/tasks/0/restart`);
      await taskStatus(worker, name, isRunning);
      if (trouble.startsWith('poll'))
        await eventually('offsets', async () =>
          JSON.stringify(await worker.request('GET', `/connectors/${name}/offsets`)).includes('count'),
        );
      else await untilLines(file(name, 'out'), (lines) => lines.includes(`during ${trouble}`));

      // In trouble again, and then stopped: the thread must not stay.
      rmSync(file(name, 'calm'));
      await releasePipe(name);
      await bystander.passes(`again ${trouble}`);
      const again = !trouble.startsWith('start');
      if (again && state !== 'FAILED' && trace !== undefined) await taskStatus(worker, name, (task) => trace.test(task.trace ?? ''));
      await worker.request('DELETE', `/connectors/${name}`);
      await releasePipe(name);
      await threadIsGone(name);
      await othersGoOn(`after ${trouble}`);
    });
  }

  for (const [what, message] of [
    ['spin', /validating \S+ took longer than 4000 ms and was ended/],
    ['wait', /validating \S+ took longer than 4000 ms and was ended/],
    ['leak-buffers', /a connector's code holds \d+ MiB .*more than its limit of 64 MiB/],
    ['leak-numbers', /a connector's code holds \d+ MiB .*more than its limit of 64 MiB/],
    ['exit', /a connector's code ended its thread with code 3/],
    ['throw-later', /a connector's code broke its thread: thrown from a timer/],
  ] as const) {
    it(`validate ${what}`, async () => {
      const name = `unchecked-${what}`;
      const refused = assert.rejects(worker.put(name, configOf(name, `validate ${what}`)), message);
      await othersGoOn(`while validate ${what}`);
      // Others are validated meanwhile.
      const calm = await worker.request('PUT', '/connector-plugins/troublesome-sink/config/validate', { ...configOf(name, 'none'), name });
      assert.equal((calm as { error_count: number }).error_count, 0);
      await refused;
      await assert.rejects(worker.request('GET', `/connectors/${name}`), /404/);
      writeFileSync(file(name, 'calm'), '');
      await worker.put(name, configOf(name, `validate ${what}`));
      await taskStatus(worker, name, isRunning);
      await worker.request('DELETE', `/connectors/${name}`);
    });
  }

  it('taskConfigs spin', async () => {
    const name = 'unplanned';
    await worker.put(name, configOf(name, 'taskConfigs spin'));
    await othersGoOn('while taskConfigs spin');
    await eventually('a failed connector', async () => {
      const { connector } = await worker.status(name);
      return connector.state === 'FAILED' && /making the task configs of unplanned took longer than 4000 ms/.test(connector.trace ?? '');
    });
    writeFileSync(file(name, 'calm'), '');
    await worker.request('POST', `/connectors/${name}/restart`);
    await taskStatus(worker, name, isRunning);
    rmSync(file(name, 'calm'));
    await worker.put(name, { ...configOf(name, 'taskConfigs spin'), changed: 'yes' });
    await worker.request('DELETE', `/connectors/${name}`);
    await threadIsGone(name);
  });

  it('a worker stops in time whatever its connectors do', async () => {
    const stuck = ['put spin', 'put wait', 'dispose spin', 'put block'];
    for (const [number, trouble] of stuck.entries()) await worker.put(`stuck-${number}`, configOf(`stuck-${number}`, trouble));
    for (const number of stuck.keys()) await taskStatus(worker, `stuck-${number}`, ({ state }) => state === 'RUNNING');
    await bystander.passes('last');
    await worker.stop();
    assert.equal(worker.ending(), 'exit code 0');
    assert.deepEqual(await untilLines(bystander.target, () => true), bystander.written);
  });

  it('a thread that a system call holds does not keep the worker from ending', async () => {
    await worker.restart();
    const others = (await worker.request('GET', '/connectors')) as string[];
    for (const other of others) if (!other.startsWith('bystander')) await worker.request('DELETE', `/connectors/${other}`);
    const name = 'held';
    await worker.put(name, configOf(name, 'put block-in-the-system'));
    await taskStatus(worker, name, ({ trace }) => silent.test(trace ?? ''));
    await worker.stop();
    assert.equal(worker.ending(), 'SIGKILL', worker.logTail());
    assert.match(worker.logTail(), /task held-0 is blocked in a system call/);
    assert.deepEqual(await untilLines(bystander.target, () => true), bystander.written);
  });
});
