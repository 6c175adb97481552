/** One worker on the embedded log, as a process, over its life: stopped, started, and told what to do meanwhile. */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { freePort } from '../services/free-port.ts';
import { startMillrace } from '../services/millrace.ts';
import { eventually, linesOf, metric, startFileFlow, taskStatus, untilLines } from './worker-states.ts';

const troublesome = fileURLToPath(new URL('fixtures/troublesome', import.meta.url));
const text = {
  'offset.flush.interval.ms': '200',
  'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
};

describe('a standalone worker on the embedded log', () => {
  it('is stopped and started under load: connectors stay, nothing is lost, nothing repeated', async () => {
    await using worker = await startMillrace({ properties: text });
    const flow = await startFileFlow(worker, 'load');
    await flow.passes('first');
    let going = true;
    const written = ['first'];
    const writing = (async () => {
      for (let number = 0; going; number++) {
        const lines = Array.from({ length: 100 }, (_, n) => `line ${number * 100 + n}`);
        appendFileSync(join(worker.folder, 'load-in.txt'), lines.map((line) => `${line}\n`).join(''));
        written.push(...lines);
        await sleep(20);
      }
    })();
    for (let round = 0; round < 4; round++) {
      const before = linesOf(flow.target).length;
      await untilLines(flow.target, (lines) => lines.length > before + 1000);
      await worker.stop();
      assert.equal(worker.ending(), 'exit code 0', worker.logTail());
      await worker.restart();
      assert.deepEqual(((await worker.request('GET', '/connectors')) as string[]).toSorted(), ['load-sink', 'load-source']);
    }
    going = false;
    await writing;
    await untilLines(flow.target, (lines) => lines.length >= written.length);
    assert.deepEqual(linesOf(flow.target), written);
  });

  it('pauses, resumes, stops and restarts connectors, and changes their config', async () => {
    await using worker = await startMillrace({ properties: text });
    const flow = await startFileFlow(worker, 'told');
    await flow.passes('at first');
    const put = (name: string, what: string) => worker.request('PUT', `/connectors/${name}/${what}`);
    const state = (name: string, wanted: string) =>
      eventually(`${name} ${wanted}`, async () => (await worker.status(name)).connector.state === wanted);

    await put('told-sink', 'pause');
    await taskStatus(worker, 'told-sink', (task) => task.state === 'PAUSED');
    appendFileSync(join(worker.folder, 'told-in.txt'), 'while paused\n');
    await eventually(
      'the source',
      async () => (await metric(worker, 'source_task_metrics_source_record_write_total', 'told-source')) === 2,
    );
    assert.deepEqual(linesOf(flow.target), ['at first']);
    // It stays so over a restart of the worker.
    await worker.restart();
    await taskStatus(worker, 'told-sink', (task) => task.state === 'PAUSED');
    await put('told-sink', 'resume');
    await untilLines(flow.target, (lines) => lines.includes('while paused'));

    await put('told-source', 'stop');
    await state('told-source', 'STOPPED');
    await eventually('no tasks', async () => (await worker.status('told-source')).tasks.length === 0);
    appendFileSync(join(worker.folder, 'told-in.txt'), 'while stopped\n');
    await put('told-source', 'resume');
    await untilLines(flow.target, (lines) => lines.includes('while stopped'));

    for (const query of ['', '?includeTasks=true']) {
      await worker.request('POST', `/connectors/told-source/restart${query}`);
      await worker.request('POST', `/connectors/told-sink/restart${query}`);
      await flow.passes(`after restart${query}`);
    }
    await worker.request('POST', '/connectors/told-sink/tasks/0/restart');
    await flow.passes('after the restart of a task');

    const other = join(worker.folder, 'other.txt');
    await worker.request('PATCH', '/connectors/told-sink/config', { file: other });
    // As in Connect, the answer does not wait for the task: the old one may still write a few.
    const moved: string[] = [];
    await eventually('lines elsewhere', () => {
      moved.push(`moved ${moved.length}`);
      appendFileSync(join(worker.folder, 'told-in.txt'), `${moved.at(-1)}\n`);
      return linesOf(other).length > 0;
    });
    const expected = [
      'at first',
      'while paused',
      'while stopped',
      'after restart',
      'after restart?includeTasks=true',
      'after the restart of a task',
      ...moved,
    ];
    await eventually('all lines', () => linesOf(other).at(-1) === moved.at(-1));
    assert.deepEqual([...linesOf(flow.target), ...linesOf(other)], expected);
  });

  it('shares the partitions among the tasks of a sink, anew when their number changes', async () => {
    await using worker = await startMillrace({ properties: text });
    const creation = { 'topic.creation.default.partitions': '4', 'topic.creation.default.replication.factor': '1' };
    const flow = await startFileFlow(worker, 'shared', { ...creation, 'tasks.max': '2' });
    const partitions = async (): Promise<(number | undefined)[]> =>
      Promise.all([0, 1].map((task) => metric(worker, 'sink_task_metrics_partition_count', 'shared-sink', task)));
    await flow.passes('first');
    await eventually('two for each', async () => JSON.stringify(await partitions()) === '[2,2]');
    await Promise.all(Array.from({ length: 50 }, (_, n) => flow.passes(`with two ${n}`)));
    await worker.request('PATCH', '/connectors/shared-sink/config', { 'tasks.max': '1' });
    await eventually('four for one', async () => JSON.stringify(await partitions()) === '[4,null]');
    await flow.passes('with one');
    await worker.request('PATCH', '/connectors/shared-sink/config', { 'tasks.max': '2' });
    await eventually('two for each', async () => JSON.stringify(await partitions()) === '[2,2]');
    await flow.passes('with two again');
    assert.deepEqual(linesOf(flow.target).toSorted(), [...flow.written].toSorted());
  });

  it('says in its metrics how starts went, and what is active', async () => {
    await using worker = await startMillrace({ properties: { ...text, 'plugin.path': troublesome } });
    const flow = await startFileFlow(worker, 'counted');
    await flow.passes('one');
    await eventually(
      'no active record',
      async () => (await metric(worker, 'source_task_metrics_source_record_active_count', 'counted-source')) === 0,
    );
    assert.ok(((await metric(worker, 'source_task_metrics_source_record_active_count_max', 'counted-source')) ?? 0) >= 1);
    await worker.put('broken', {
      'connector.class': 'troublesome-sink',
      trouble: 'start throw',
      'calm.file': join(worker.folder, 'calm'),
      topics: flow.topic,
    });
    await taskStatus(worker, 'broken', (task) => task.state === 'FAILED');
    const count = (what: string): Promise<number | undefined> => metric(worker, `connect_worker_metrics_${what}`);
    assert.equal(await count('connector_startup_attempts_total'), 3);
    assert.equal(await count('connector_startup_success_total'), 3);
    assert.equal(await count('connector_startup_failure_total'), 0);
    assert.equal(await count('task_startup_attempts_total'), 3);
    assert.equal(await count('task_startup_success_total'), 2);
    assert.equal(await count('task_startup_failure_total'), 1);
    assert.equal(await count('task_startup_success_percentage'), 2 / 3);
  });

  it('serves /admin on listeners of its own, or nowhere', async () => {
    const admin = `http://127.0.0.1:${await freePort()}`;
    const status = async (url: string): Promise<number> => (await fetch(url)).status;
    {
      await using worker = await startMillrace({ properties: { ...text, 'admin.listeners': admin } });
      assert.equal(await status(`${worker.url}/admin/loggers`), 404);
      assert.equal(await status(`${worker.url}/connectors`), 200);
      assert.equal(await status(`${admin}/admin/loggers`), 200);
      assert.equal(await status(`${admin}/connectors`), 404);
      assert.equal(await status(`${admin}/health`), 200);
    }
    await using worker = await startMillrace({ properties: { ...text, 'admin.listeners': '' } });
    assert.equal(await status(`${worker.url}/admin/loggers`), 404);
  });
});
