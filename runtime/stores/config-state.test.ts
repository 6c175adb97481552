import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configRecords, createConfigState } from './config-state.ts';
import type { JournalRecord, NewRecord } from './journal.ts';

const record = (key: string, value: string | null): JournalRecord => ({
  key: Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
  timestampMs: 0,
});
const records = (written: readonly NewRecord[]): JournalRecord[] =>
  written.map(({ key, value }) => record(key as string, value as string | null));
const textOf = (written: readonly NewRecord[]): string[] => written.map(({ key, value }) => `${key as string} ${value as string}`);

test('records are, byte for byte, what Kafka Connect writes', () => {
  const properties = { 'connector.class': 'FileStreamSource', file: '/tmp/x', name: 'ra-src' };
  assert.deepEqual(
    textOf([
      configRecords.target('ra-src', 'STOPPED'),
      configRecords.target('ra-src', 'PAUSED'),
      configRecords.target('ra-src', 'STARTED'),
      configRecords.connector('ra-src', properties),
      ...configRecords.tasks('ra-src', [{ file: '/tmp/x' }]),
      ...configRecords.removal('ra-src'),
    ]),
    [
      'target-state-ra-src {"state":"PAUSED","state.v2":"STOPPED"}',
      'target-state-ra-src {"state":"PAUSED","state.v2":"PAUSED"}',
      'target-state-ra-src {"state":"STARTED","state.v2":"STARTED"}',
      'connector-ra-src {"properties":{"connector.class":"FileStreamSource","file":"/tmp/x","name":"ra-src"}}',
      'task-ra-src-0 {"properties":{"file":"/tmp/x"}}',
      'commit-ra-src {"tasks":1}',
      'connector-ra-src null',
      'target-state-ra-src null',
    ],
  );
});

test('a topic as Kafka Connect leaves it reads as its connectors', () => {
  const state = createConfigState();
  const changed = state.apply([
    record(
      'session-key',
      '{"key":"56RY90uT5FqeB7JmyD26oBVy3ti85L2eBzQPJrhRFJo=","algorithm":"HmacSHA256","creation-timestamp":1795302923808}',
    ),
    record('target-state-my-src', '{"state":"PAUSED","state.v2":"STOPPED"}'),
    record('connector-my-src', '{"properties":{"connector.class":"FileStreamSource","name":"my-src","topic":null,"tasks.max":2}}'),
    record('task-my-src-0', '{"properties":{"file":"a"}}'),
    record('task-my-src-1', '{"properties":{"file":"b"}}'),
    record('task-my-src-2', '{"properties":{"file":"extra"}}'),
    record('commit-my-src', '{"tasks":2}'),
    record('tasks-fencing-my-src', '{"task-count":1}'),
    record('restart-connector-my-src', '{"include-tasks":true,"only-failed":false}'),
    record('logger-cluster-my.test', '{"level":"INFO"}'),
    record('target-state-old', '{"state":"PAUSED"}'),
    record('connector-old', '{"properties":{"name":"old"}}'),
    record('connector-broken', 'no json'),
  ]);
  assert.deepEqual([...changed].sort(), ['my-src', 'old']);
  assert.deepEqual(state.get('my-src'), {
    name: 'my-src',
    properties: { 'connector.class': 'FileStreamSource', name: 'my-src', 'tasks.max': '2' },
    target: 'STOPPED',
    tasks: [{ file: 'a' }, { file: 'b' }],
  });
  assert.equal(state.get('old')?.target, 'PAUSED');
  assert.equal(state.get('broken'), undefined);
});

test('task configs count from their commit on, and only as a whole set', () => {
  const state = createConfigState();
  state.apply(records([configRecords.connector('c', { name: 'c' }), ...configRecords.tasks('c', [{ n: 'old' }])]));
  state.apply([record('task-c-0', '{"properties":{"n":"new"}}')]);
  assert.deepEqual(state.get('c')?.tasks, [{ n: 'old' }]);
  state.apply([record('commit-c', '{"tasks":2}')]);
  assert.deepEqual(state.get('c')?.tasks, []);
  state.apply(records(configRecords.tasks('c', [{ n: 'a' }, { n: 'b' }])));
  assert.deepEqual(state.get('c')?.tasks, [{ n: 'a' }, { n: 'b' }]);
});

test('a deleted connector leaves task records behind, which do not come back with its name', () => {
  const state = createConfigState();
  state.apply(records([configRecords.connector('c', {}), ...configRecords.tasks('c', [{ n: 'old' }]), ...configRecords.removal('c')]));
  assert.deepEqual(state.names(), []);
  state.apply(records([configRecords.connector('c', {})]));
  assert.deepEqual(state.get('c')?.tasks, []);
  assert.deepEqual(state.get('c')?.target, 'STARTED');
});
