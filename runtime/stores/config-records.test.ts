import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configRecords, parseConfigRecord } from './config-records.ts';
import { parseExact } from './exact-json.ts';
import { textsOf } from './test/journal-records.ts';

const key = Buffer.from('56RY90uT5FqeB7JmyD26oBVy3ti85L2eBzQPJrhRFJo=', 'base64');

test('records are, byte for byte, what Kafka Connect writes', () => {
  const properties = { 'connector.class': 'FileStreamSource', file: '/tmp/x', name: 'ra-src' };
  assert.deepEqual(
    textsOf([
      configRecords.sessionKey({ key, algorithm: 'HmacSHA256', createdMs: 1795302923808 }),
      configRecords.target('ra-src', 'STOPPED'),
      configRecords.target('ra-src', 'PAUSED'),
      configRecords.target('ra-src', 'STARTED'),
      configRecords.connector('ra-src', properties),
      ...configRecords.tasks('ra-src', [{ file: '/tmp/x' }]),
      ...configRecords.tasks('none', []),
      configRecords.fencing('ra-src', 1),
      configRecords.restart({ connector: 'ra-src', includeTasks: true, onlyFailed: false }),
      configRecords.logger('ra.test', 'INFO'),
      ...configRecords.removal('ra-src'),
    ]),
    [
      'session-key {"key":"56RY90uT5FqeB7JmyD26oBVy3ti85L2eBzQPJrhRFJo=","algorithm":"HmacSHA256","creation-timestamp":1795302923808}',
      'target-state-ra-src {"state":"PAUSED","state.v2":"STOPPED"}',
      'target-state-ra-src {"state":"PAUSED","state.v2":"PAUSED"}',
      'target-state-ra-src {"state":"STARTED","state.v2":"STARTED"}',
      'connector-ra-src {"properties":{"connector.class":"FileStreamSource","file":"/tmp/x","name":"ra-src"}}',
      'task-ra-src-0 {"properties":{"file":"/tmp/x"}}',
      'commit-ra-src {"tasks":1}',
      'commit-none {"tasks":0}',
      'tasks-fencing-ra-src {"task-count":1}',
      'restart-connector-ra-src {"include-tasks":true,"only-failed":false}',
      'logger-cluster-ra.test {"level":"INFO"}',
      'connector-ra-src null',
      'target-state-ra-src null',
    ],
  );
});

test('each kind is read back', () => {
  const read = (text: string, value: string | null) => parseConfigRecord(text, value === null ? null : parseExact(value));
  const cases: [string, string | null, unknown][] = [
    [
      'session-key',
      '{"key":"56RY90uT5FqeB7JmyD26oBVy3ti85L2eBzQPJrhRFJo=","algorithm":"HmacSHA256","creation-timestamp":1795302923808}',
      { kind: 'session-key', sessionKey: { key, algorithm: 'HmacSHA256', createdMs: 1795302923808 } },
    ],
    ['target-state-c', '{"state":"PAUSED","state.v2":"STOPPED"}', { kind: 'target', connector: 'c', target: 'STOPPED' }],
    ['target-state-c', '{"state":"PAUSED"}', { kind: 'target', connector: 'c', target: 'PAUSED' }],
    ['target-state-c', '{"state":"PAUSED","state.v2":7}', { kind: 'target', connector: 'c', target: 'PAUSED' }],
    ['target-state-c', null, { kind: 'target', connector: 'c', target: null }],
    ['connector-a-1', '{"properties":{"a":null,"b":2,"c":"x"}}', { kind: 'connector', connector: 'a-1', properties: { b: '2', c: 'x' } }],
    ['connector-c', null, { kind: 'connector', connector: 'c', properties: null }],
    ['task-a-1-12', '{"properties":{}}', { kind: 'task', connector: 'a-1', task: 12, properties: {} }],
    ['commit-c', '{"tasks":2}', { kind: 'commit', connector: 'c', tasks: 2 }],
    ['tasks-fencing-c', '{"task-count":3}', { kind: 'fencing', connector: 'c', tasks: 3 }],
    [
      'restart-connector-c',
      '{"only-failed":true}',
      { kind: 'restart', request: { connector: 'c', includeTasks: false, onlyFailed: true } },
    ],
    ['logger-cluster-a.b', '{"level":"DEBUG"}', { kind: 'logger', logger: 'a.b', level: 'DEBUG' }],
  ];
  for (const [text, value, expected] of cases) assert.deepEqual(read(text, value), expected, text);
});

test('what Kafka Connect passes over is refused, and no value is told', () => {
  const cases: [string, string | null, RegExp][] = [
    ['', null, /no store of Kafka Connect has such a key/],
    ['something-else', '{}', /no store of Kafka Connect has such a key/],
    ['connector-c', '{"secret":"hunter2"}', /"properties" is no object: it is missing/],
    ['connector-c', '{"properties":null}', /"properties" is no object: it is missing/],
    ['connector-c', '{"properties":"hunter2"}', /"properties" is no object: it is a string/],
    ['connector-c', '["hunter2"]', /no object: it is an array/],
    ['task-c', '{"properties":{}}', /does not end with the number of a task/],
    ['task-c-0', null, /no object: it is missing/],
    ['commit-c', null, /no object/],
    ['commit-c', '{"tasks":1.5}', /"tasks" is no whole number/],
    ['commit-c', '{"tasks":-1}', /"tasks" is no count/],
    ['tasks-fencing-c', '{}', /"task-count" is no whole number/],
    ['restart-connector-c', null, /no object/],
    ['logger-cluster-c', null, /no object/],
    ['logger-cluster-c', '{"level":1}', /"level" is no text/],
    ['target-state-c', '{"state":"GONE"}', /"GONE" is no target state/],
    ['session-key', '{"key":"?","algorithm":"a","creation-timestamp":1}', /"key" is not in base64/],
    ['session-key', '{"key":"aa==","algorithm":"a","creation-timestamp":"1"}', /"creation-timestamp" is no whole number/],
  ];
  for (const [text, value, expected] of cases) {
    assert.throws(
      () => parseConfigRecord(text, value === null ? null : parseExact(value)),
      (error: Error) => error.name === 'DataError' && expected.test(error.message) && !error.message.includes('hunter2'),
      `${text} ${value}`,
    );
  }
});
