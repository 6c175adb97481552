import assert from 'node:assert/strict';
import { test } from 'node:test';

import { scriptedHerder } from '../../test/contract/scripted-herder.ts';
import { createLogLevels } from '../logging/log-levels.ts';
import type { Herder } from '../ports/herder.ts';
import type { TaskMetrics } from '../ports/tasks.ts';
import { createRestApp } from './app.ts';
import { herderMetrics } from './metrics-source.ts';
import { createMetrics } from './metrics.ts';
import { startRestServer } from './server.ts';

const task: TaskMetrics = {
  id: { connector: 'shop', task: 0 },
  kind: 'source',
  attributes: { 'source-record-poll-total': 7, 'running-ratio': 1, 'total-record-failures': 2 },
  own: { MilliSecondsBehindSource: 12 },
  labelled: [{ name: 'debezium_metrics_Connected', labels: { plugin: 'postgres', name: 'shop', context: 'streaming' }, value: 1 }],
  thread: { heapBytes: 100, bufferBytes: 200, cpuSeconds: 0.5 },
};

async function scrape(query = ''): Promise<{ status: number; text: string; type: string | null }> {
  const herder = scriptedHerder(createLogLevels());
  await herder.createConnector('shop', { 'connector.class': 'FileStreamSource', topic: 't', name: 'shop' });
  const source = herderMetrics(
    herder,
    () => [task],
    () => ({ 'task-startup-attempts-total': 3 }),
  );
  const metrics = createMetrics({ ...source, restarts: () => [{ id: { connector: 'gone', task: 2 }, total: 4 }] });
  await using server = await startRestServer(createRestApp({ herder, metrics }), ['http://127.0.0.1:0']);
  const response = await fetch(`${server.url}/metrics${query}`, { headers: { Accept: 'text/plain;version=0.0.4;q=0.5,*/*;q=0.1' } });
  return { status: response.status, text: await response.text(), type: response.headers.get('content-type') };
}

test('Connect’s attributes under the exporter’s own names', async () => {
  const { status, text, type } = await scrape();
  assert.equal(status, 200);
  assert.match(type ?? '', /^text\/plain; version=0\.0\.4/);
  for (const line of [
    '# TYPE kafka_connect_source_task_metrics_source_record_poll_total counter',
    'kafka_connect_source_task_metrics_source_record_poll_total{connector="shop",task="0"} 7',
    'kafka_connect_connector_task_metrics_running_ratio{connector="shop",task="0"} 1',
    'kafka_connect_task_error_metrics_total_record_failures{connector="shop",task="0"} 2',
    'kafka_connect_connect_worker_metrics_connector_count 1',
    'kafka_connect_worker_metrics_task_startup_attempts_total 3',
    'kafka_connect_connect_worker_metrics_connector_running_task_count{connector="shop"} 1',
    'kafka_connect_connector_status{connector="shop",task="0",status="running"} 1',
    'millrace_connector_millisecondsbehindsource{connector="shop",task="0"} 12',
    'debezium_metrics_Connected{plugin="postgres",name="shop",context="streaming",connector="shop",task="0"} 1',
    'millrace_task_heap_bytes{connector="shop",task="0"} 100',
    'millrace_task_buffer_bytes{connector="shop",task="0"} 200',
    'millrace_task_cpu_seconds_total{connector="shop",task="0"} 0.5',
    'millrace_task_restarts_total{connector="gone",task="2"} 4',
  ]) {
    assert.ok(text.split('\n').includes(line), `${line}\nis not in\n${text.slice(0, 6_000)}`);
  }
  assert.match(text, /^kafka_connect_connector_metrics\{(?=.*connector="shop")(?=.*status="running")(?=.*connector_type="source").*\} 1$/m);
  assert.match(text, /^process_resident_memory_bytes \d+$/m);
});

test('the other set of names, by query', async () => {
  const { text } = await scrape('?naming=strimzi');
  assert.match(text, /^kafka_connect_source_task_source_record_poll_total\{connector="shop",task="0"\} 7$/m);
  assert.match(text, /^kafka_connect_worker_connector_count 1$/m);
  assert.equal((await scrape('?naming=mine')).status, 400);
});

test('one worker of several: its own work, its place in the group, and the summary of every connector', async () => {
  const scripted = scriptedHerder(createLogLevels());
  for (const name of ['here', 'there']) {
    await scripted.createConnector(name, { 'connector.class': 'FileStreamSource', topic: 't', name });
  }
  const own = '127.0.0.1:8083';
  const herder: Herder = {
    ...scripted,
    async status(name) {
      const status = await scripted.status(name);
      const workerId = name === 'here' ? own : 'other:8083';
      const task = { id: 0, state: 'FAILED' as const, worker_id: workerId };
      return { ...status, connector: { ...status.connector, worker_id: workerId }, tasks: [task, { ...task, id: 1, worker_id: own }] };
    },
  };
  const figures = {
    'connect-protocol': 'sessioned',
    'leader-name': 'http://other:8083/',
    'completed-rebalances-total': 4,
    rebalancing: 0,
    'assigned-connectors': 1,
    'assigned-tasks': 3,
    'of-no-kind': 'text',
  };
  const membership = { workerId: own, figures: () => figures };
  const metrics = createMetrics(herderMetrics(herder, () => [], undefined, membership));
  const lines = (await metrics.scrape('confluent')).split('\n');
  for (const line of [
    'kafka_connect_connect_worker_rebalance_metrics_completed_rebalances_total 4',
    'kafka_connect_connect_worker_rebalance_metrics_rebalancing 0',
    'kafka_connect_connect_worker_rebalance_metrics_info{connect_protocol="sessioned",leader_name="http://other:8083/"} 1',
    'kafka_connect_connect_coordinator_metrics_assigned_tasks 3',
    'kafka_connect_connect_worker_metrics_connector_count 1',
    'kafka_connect_connect_worker_metrics_connector_failed_task_count{connector="here"} 2',
    'kafka_connect_connect_worker_metrics_connector_failed_task_count{connector="there"} 1',
    'millrace_connector_summary{connector="here",status="failed"} 1',
    'millrace_connector_summary{connector="there",status="failed"} 1',
  ]) {
    assert.ok(lines.includes(line), `${line}\nis not in\n${lines.filter((each) => /kafka_connect|millrace/.test(each)).join('\n')}`);
  }
  assert.equal(lines.filter((line) => line.startsWith('kafka_connect_connector_metrics{')).length, 1);
  const strimzi = (await metrics.scrape('strimzi')).split('\n');
  assert.ok(strimzi.includes('kafka_connect_worker_rebalance_completed_rebalances_total 4'));
  assert.ok(strimzi.includes('kafka_connect_connect_coordinator_assigned_connectors 1'));
});
