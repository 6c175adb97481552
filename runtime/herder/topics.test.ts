import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRecords } from '../batch/record-reader.ts';
import type { Log } from '../ports/log.ts';
import { eventually, reaches, sourceConfig, startHerder } from './test/herder-fixture.ts';

test('the internal topics hold what Kafka Connect would have written, in its order', async () => {
  await using fixture = await startHerder({ onTopics: true });
  const { herder, tasks, log } = fixture;
  await herder.createConnector('c', sourceConfig(), 'PAUSED');
  await reaches(herder, 'c', 'PAUSED');
  await herder.setTargetState('c', 'STARTED');
  await reaches(herder, 'c', 'RUNNING RUNNING');
  tasks.running.get('c-0')?.events.topicUsed({ connector: 'c', task: 0 }, 't');
  const restarted = tasks.calls.length;
  await herder.restartConnector('c', { includeTasks: true, onlyFailed: false });
  await eventually(() => assert.equal(tasks.calls.length, restarted + 2));
  await reaches(herder, 'c', 'RUNNING RUNNING');
  await herder.setTargetState('c', 'STOPPED');
  await reaches(herder, 'c', 'STOPPED');
  await herder.deleteConnector('c');
  await eventually(async () => assert.equal((await recordsOf(log, 'statuses')).at(-1), 'status-connector-c null'));

  const properties = '{"properties":{"connector.class":"ScriptSource","topic":"t","name":"c"';
  assert.deepEqual(await recordsOf(log, 'configs'), [
    'target-state-c {"state":"PAUSED","state.v2":"PAUSED"}',
    `connector-c ${properties}}}`,
    'target-state-c {"state":"STARTED","state.v2":"STARTED"}',
    `task-c-0 ${properties},"task":"0"}}`,
    'commit-c {"tasks":1}',
    'restart-connector-c {"include-tasks":true,"only-failed":false}',
    'commit-c {"tasks":0}',
    'target-state-c {"state":"PAUSED","state.v2":"STOPPED"}',
    'connector-c null',
    'target-state-c null',
  ]);
  const statuses = (await recordsOf(log, 'statuses')).map((text) => text.replace(/\{"(?:state":"(\w+)|topic).*/, '$1'));
  assert.deepEqual(
    statuses.filter((text) => text.startsWith('status-connector')).map((text) => text.split(' ')[1]),
    ['PAUSED', 'RUNNING', 'UNASSIGNED', 'RESTARTING', 'RUNNING', 'STOPPED', 'UNASSIGNED', 'null'],
  );
  assert.deepEqual(
    statuses.filter((text) => text.startsWith('status-task')).map((text) => text.split(' ')[1]),
    ['RUNNING', 'UNASSIGNED', 'RESTARTING', 'RUNNING', 'UNASSIGNED', 'null'],
  );
  assert.deepEqual(
    statuses.filter((text) => text.startsWith('status-topic')),
    ['status-topic-t:connector-c ', 'status-topic-t:connector-c null'],
  );
});

async function recordsOf(log: Log, topic: string): Promise<string[]> {
  const [end] = await log.offsetsAt([{ topic, partition: 0 }], 'latest');
  await using reader = await log.openReader({ clientId: 'test' });
  reader.assign([{ topic, partition: 0, offset: 0n }]);
  const found: string[] = [];
  for (let at = 0n; at < (end?.offset ?? 0n);) {
    for (const run of await reader.fetch({ maxWaitMs: 500, maxBytes: 1 << 20 })) {
      for (const { key, value } of readRecords(Buffer.from(run.buffer), run.length, run.position)) found.push(`${key} ${value}`);
      at = run.nextPosition;
    }
  }
  return found;
}
