import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Logger } from '../api/index.ts';
import { configRecords } from './config-records.ts';
import { createConfigState } from './config-state.ts';
import { recordsFrom, recordsOf } from './test/journal-records.ts';

/** As Kafka Connect 4.1 left them in a topic. */
const recorded = recordsFrom([
  ['session-key', '{"key":"56RY90uT5FqeB7JmyD26oBVy3ti85L2eBzQPJrhRFJo=","algorithm":"HmacSHA256","creation-timestamp":1795302923808}'],
  ['target-state-my-src', '{"state":"PAUSED","state.v2":"STOPPED"}'],
  ['connector-my-src', '{"properties":{"connector.class":"FileStreamSource","name":"my-src","topic":null,"tasks.max":2}}'],
  ['task-my-src-0', '{"properties":{"file":"a"}}'],
  ['task-my-src-1', '{"properties":{"file":"b"}}'],
  ['task-my-src-2', '{"properties":{"file":"extra"}}'],
  ['commit-my-src', '{"tasks":2}'],
  ['tasks-fencing-my-src', '{"task-count":1}'],
  ['restart-connector-my-src', '{"include-tasks":true,"only-failed":false}'],
  ['logger-cluster-my.test', '{"level":"INFO"}'],
  ['target-state-old', '{"state":"PAUSED"}'],
  ['connector-old', '{"properties":{"name":"old"}}'],
]);

function collecting(): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const line = (text: string): void => void lines.push(text);
  return { logger: { debug() {}, info() {}, warn: line, error: line }, lines };
}

test('a topic as Kafka Connect leaves it reads as its connectors', () => {
  const { logger, lines } = collecting();
  const state = createConfigState(logger);
  assert.deepEqual(state.apply(recorded, false), [
    { kind: 'connector', name: 'my-src' },
    { kind: 'restart', request: { connector: 'my-src', includeTasks: true, onlyFailed: false } },
    { kind: 'logger', name: 'my.test', level: 'INFO' },
    { kind: 'connector', name: 'old' },
  ]);
  assert.deepEqual(state.get('my-src'), {
    name: 'my-src',
    properties: { 'connector.class': 'FileStreamSource', name: 'my-src', 'tasks.max': '2' },
    target: 'STOPPED',
    tasks: [{ file: 'a' }, { file: 'b' }],
  });
  assert.equal(state.get('old')?.target, 'PAUSED');
  assert.equal(state.sessionKey()?.createdMs, 1795302923808);
  assert.deepEqual([...state.loggers()], [['my.test', 'INFO']]);
  assert.equal(state.offset(), recorded.length);
  assert.deepEqual(lines, []);
});

test('malformed records are named and passed over', () => {
  const { logger, lines } = collecting();
  const state = createConfigState(logger);
  state.apply(recorded, false);
  const malformed = recordsFrom(
    [
      ['connector-my-src', '{"properties":null}'],
      ['connector-other', '{}'],
      ['commit-my-src', '{"tasks":"two"}'],
      ['restart-connector-my-src', null],
      ['logger-cluster-my.test', null],
      ['unknown', '{}'],
    ],
    100,
  );
  assert.deepEqual(state.apply(malformed, false), []);
  assert.equal(lines.length, malformed.length);
  assert.match(lines[0] as string, /record at offset 100, key "connector-my-src", is passed over/);
  assert.deepEqual(state.names(), ['my-src', 'old']);
  assert.equal(state.get('my-src')?.tasks.length, 2);
});

test('the offset follows whatever is JSON, or nothing, and not what is neither', () => {
  const state = createConfigState();
  assert.equal(state.offset(), -1);
  state.apply(recordsFrom([['', '{}']], 4), false);
  assert.equal(state.offset(), 5);
  state.apply(recordsFrom([['unknown', null]], 7), false);
  assert.equal(state.offset(), 8);
  state.apply(recordsFrom([['connector-c', 'no json']], 9), false);
  assert.equal(state.offset(), 8);
});

test('task configs count from their commit on, and only as a whole set', () => {
  const { logger, lines } = collecting();
  const state = createConfigState(logger);
  const apply = (...written: Parameters<typeof recordsFrom>[0]) => state.apply(recordsFrom(written), false);
  state.apply(recordsOf([configRecords.connector('c', { name: 'c' }), ...configRecords.tasks('c', [{ n: 'old' }])]), false);
  assert.deepEqual(apply(['task-c-0', '{"properties":{"n":"new"}}']), []);
  assert.deepEqual(state.get('c')?.tasks, [{ n: 'old' }]);
  assert.deepEqual(apply(['commit-c', '{"tasks":2}']), [{ kind: 'connector', name: 'c' }]);
  assert.deepEqual(state.get('c')?.tasks, []);
  assert.deepEqual(state.inconsistent(), ['c']);
  assert.match(lines.join(), /connector "c": its set of task configs .* is incomplete \(2 were to be written, and there is none of 1\)/);
  // What was written before the incomplete commit does not count for the next.
  apply(['task-c-1', '{"properties":{"n":"late"}}'], ['commit-c', '{"tasks":2}']);
  assert.deepEqual(state.get('c')?.tasks, []);
  state.apply(recordsOf(configRecords.tasks('c', [{ n: 'a' }, { n: 'b' }])), false);
  assert.deepEqual(state.get('c')?.tasks, [{ n: 'a' }, { n: 'b' }]);
  assert.deepEqual(state.inconsistent(), []);
});

test('a set that is incomplete in a replay is told at its end, if it still is', () => {
  const { logger, lines } = collecting();
  const state = createConfigState(logger);
  const connector = ['connector-c', '{"properties":{}}'] as const;
  state.apply(recordsFrom([connector, ['task-c-1', '{"properties":{}}'], ['commit-c', '{"tasks":2}']]), true);
  assert.deepEqual([lines, state.inconsistent()], [[], ['c']]);
  state.apply(recordsOf(configRecords.tasks('c', [{}])), true);
  assert.deepEqual([lines, state.inconsistent()], [[], []]);
});

test('a commit asks for fencing, and a fencing record answers it', () => {
  const state = createConfigState();
  state.apply(recordsOf([configRecords.connector('c', {})]), false);
  assert.deepEqual([state.needsFencing('c'), state.fencedTasks('c'), state.taskGeneration('c')], [false, undefined, 0]);
  state.apply(recordsOf(configRecords.tasks('c', [{}, {}])), false);
  assert.deepEqual([state.needsFencing('c'), state.fencedTasks('c'), state.taskGeneration('c')], [true, undefined, 1]);
  state.apply(recordsOf([configRecords.fencing('c', 2)]), false);
  assert.deepEqual([state.needsFencing('c'), state.fencedTasks('c'), state.taskGeneration('c')], [false, 2, 1]);
  state.apply(recordsOf(configRecords.tasks('c', [])), false);
  assert.deepEqual([state.needsFencing('c'), state.fencedTasks('c'), state.taskGeneration('c')], [true, 2, 2]);
});

test('a deleted connector leaves task records behind, which do not come back with its name; its tasks must still be fenced', () => {
  const state = createConfigState();
  const written = [configRecords.connector('c', {}), ...configRecords.tasks('c', [{ n: 'old' }]), configRecords.fencing('c', 1)];
  state.apply(recordsOf([...written, ...configRecords.tasks('c', [{ n: 'newer' }]), ...configRecords.removal('c')]), false);
  assert.deepEqual(state.names(), []);
  state.apply(recordsOf([configRecords.connector('c', {})]), false);
  assert.deepEqual(state.get('c'), { name: 'c', properties: {}, target: 'STARTED', tasks: [] });
  assert.deepEqual([state.fencedTasks('c'), state.needsFencing('c'), state.taskGeneration('c')], [1, true, 2]);
});

test('after compaction, a commit may stand before its connector, or without it', () => {
  const state = createConfigState();
  state.apply(recordsOf([...configRecords.tasks('c', [{ n: '1' }]), configRecords.connector('c', {})]), true);
  assert.deepEqual(state.get('c')?.tasks, []);
  assert.deepEqual([state.needsFencing('c'), state.inconsistent()], [false, []]);
});

test('a target state that is the same again is not told, nor is one of a connector that is not there', () => {
  const state = createConfigState();
  const apply = (target: 'STARTED' | 'PAUSED') => state.apply(recordsOf([configRecords.target('c', target)]), false).length;
  assert.equal(apply('PAUSED'), 0);
  state.apply(recordsOf([configRecords.connector('c', {})]), false);
  assert.deepEqual([apply('PAUSED'), apply('STARTED'), apply('STARTED')], [0, 1, 0]);
});
