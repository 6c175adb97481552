import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partitionForKey } from '../batch/partitioner.ts';
import { stringifyExact } from './exact-json.ts';
import { canonicalPartition, encodeOffsetKey, encodeOffsetValue, parseOffsetKey, parseOffsetValue } from './offset-codec.ts';
import { createOffsetTable } from './offset-table.ts';

test('keys and values are, byte for byte, what Kafka Connect wrote', () => {
  const key = '["dbz1",{"server":"dbz1"}]';
  const value =
    '{"lsn_proc":271387784,"messageType":"INSERT","lsn_commit":271383424,"lsn":271387784,"txId":997,"ts_usec":1795303096020346}';
  assert.equal(encodeOffsetKey('dbz1', { server: 'dbz1' }).toString(), key);
  assert.deepEqual(parseOffsetKey(Buffer.from(key)), { connector: 'dbz1', partition: { server: 'dbz1' } });
  const offset = parseOffsetValue(Buffer.from(value));
  assert.equal(offset?.['ts_usec'], 1795303096020346n);
  assert.equal(encodeOffsetValue(offset ?? {}).toString(), value);
});

test('keys land in the partitions that Kafka Connect chose', () => {
  assert.equal(partitionForKey(Buffer.from('["dbz1",{"server":"dbz1"}]'), 25), 6);
  assert.equal(partitionForKey(Buffer.from('status-connector-dbz1'), 5), 3);
});

test('64-bit integers, nulls and text keep every digit and character', () => {
  const text = '{"max":9223372036854775807,"min":-9223372036854775808,"none":null,"yes":true,"half":0.5,"text":"\\u001F\\\\u001f\\"é"}';
  assert.equal(encodeOffsetValue(parseOffsetValue(Buffer.from(text)) ?? {}).toString(), text);
  assert.equal(stringifyExact({ small: 1e-7, large: 1e21, whole: 5, zero: -0 }), '{"small":1.0E-7,"large":1.0E21,"whole":5,"zero":0}');
});

test('what is no offset is known as such', () => {
  for (const key of ['', 'null', '{}', '["a"]', '[1,{}]', '["a",[]]', '["a",{"b":{}}]', 'session-key']) {
    assert.equal(parseOffsetKey(Buffer.from(key)), undefined, key);
  }
  assert.equal(parseOffsetValue(Buffer.from('{"nested":[1]}')), undefined);
});

test('partitions are equal whatever their order, and however a whole number is held', () => {
  assert.equal(canonicalPartition({ a: 1, b: 'x' }), canonicalPartition({ b: 'x', a: 1n }));
  assert.notEqual(canonicalPartition({ a: '1' }), canonicalPartition({ a: 1 }));
});

test('a partition of several keys is found again, and written under the bytes that are there', () => {
  const table = createOffsetTable();
  const stored = Buffer.from('["c",{"server":"s","database":"d"}]');
  table.apply(stored, Buffer.from('{"lsn":1}'), 1);
  const partition = { database: 'd', server: 's' };
  assert.deepEqual(table.get('c', partition), { lsn: 1n });
  assert.deepEqual(table.encode('c', [{ partition, offset: { lsn: 2 } }]), [{ key: stored, value: Buffer.from('{"lsn":2}') }]);
});

test('of two spellings of a partition the newest counts, and a reset forgets both', () => {
  const table = createOffsetTable();
  table.apply(Buffer.from('["c",{"a":1,"b":2}]'), Buffer.from('{"at":"new"}'), 20);
  table.apply(Buffer.from('["c",{"b":2,"a":1}]'), Buffer.from('{"at":"old"}'), 10);
  assert.deepEqual(table.all('c'), [{ partition: { a: 1n, b: 2n }, offset: { at: 'new' } }]);
  const tombstones = table.encode('c', [{ partition: { a: 1, b: 2 }, offset: null }]);
  assert.equal(tombstones.length, 2);
  for (const { key } of tombstones) table.apply(key, null, 30);
  assert.equal(table.get('c', { a: 1, b: 2 }), undefined);
});
