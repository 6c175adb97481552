import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeStatus, encodeTopicStatus, parseStatus, parseStatusKey, statusKeyText } from './status-state.ts';
import { memoryStatusStore } from './status-store.ts';
import type { RunStatus } from '../ports/stores.ts';

const running: RunStatus = { state: 'RUNNING', trace: null, workerId: '127.0.0.1:8083', generation: 2, version: '3.3.2.Final' };

test('statuses are, byte for byte, what Kafka Connect writes', () => {
  const text = '{"state":"RUNNING","trace":null,"worker_id":"127.0.0.1:8083","generation":2,"version":"3.3.2.Final"}';
  assert.equal(encodeStatus(running), text);
  assert.deepEqual(parseStatus(Buffer.from(text)), running);
  assert.equal(
    encodeTopicStatus('ra-t', 'ra-src', 0, 1795303786656),
    '{"topic":{"name":"ra-t","connector":"ra-src","task":0,"discoverTimestamp":1795303786656}}',
  );
});

test('a report of ours stands in a field of its own, which Connect’s workers pass over', () => {
  const report = { snapshot: { rows: 7, share: 0.5, began: 'now', over: false } };
  const text = encodeStatus({ ...running, report });
  assert.match(text, /"version":"3.3.2.Final","millrace_report":\{"snapshot":\{"rows":7,/);
  assert.deepEqual(parseStatus(Buffer.from(text)), { ...running, report });
  const strange = encodeStatus(running).replace('}', ',"millrace_report":[1]}');
  assert.equal(parseStatus(Buffer.from(strange))?.state, 'RUNNING');
});

test('keys are read back, names with dashes included', () => {
  for (const key of ['status-connector-a-1', 'status-task-a-1-0', 'status-topic-my.topic-1:connector-a-b']) {
    const parsed = parseStatusKey(key);
    assert.ok(parsed, key);
    assert.equal(statusKeyText(parsed), key);
  }
  assert.equal(parseStatusKey('session-key'), undefined);
  assert.equal(parseStatus(Buffer.from('{"state":"DESTROYED"}')), null);
  for (const text of ['', 'null', '[]', '{"state":"RUNNING"}', '{"state":"GONE","generation":1}']) {
    assert.equal(parseStatus(Buffer.from(text)), undefined, text);
  }
});

test('the memory store shows what was put, and forgets a connector with its tasks', async () => {
  await using store = memoryStatusStore();
  await store.start();
  await store.putConnector('c', running);
  await store.putTask({ connector: 'c', task: 10 }, running);
  await store.putTask({ connector: 'c', task: 2 }, { ...running, state: 'FAILED', trace: 'why' });
  await store.addTopic('c', 0, 'b');
  await store.addTopic('c', 0, 'a');
  assert.deepEqual(store.tasks('c'), [2, 10]);
  assert.equal(store.task({ connector: 'c', task: 2 })?.trace, 'why');
  assert.deepEqual(store.topics('c'), ['a', 'b']);
  assert.deepEqual(store.connectors(), ['c']);
  await store.resetTopics('c');
  await store.removeConnector('c');
  assert.deepEqual([store.connector('c'), store.tasks('c'), store.topics('c')], [undefined, [], []]);
  assert.deepEqual(store.connectors(), []);
});
