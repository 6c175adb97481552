import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { RawRecord } from '../batch/record-reader.ts';
import { bytesAsJson, recordLine } from './record-text.ts';

const shown = (text: string | number[]): string => bytesAsJson(Buffer.from(text as string));

test('JSON stands as it is, every digit of it, on one line', () => {
  assert.equal(shown('{"lsn":9007199254740993,"price":1.50}'), '{"lsn":9007199254740993,"price":1.50}');
  assert.equal(shown('{\n  "a": 1,\r\n  "b": "x y"\n}\n'), '{ "a": 1, "b": "x y" }');
});

test('text is a string, other bytes are base64', () => {
  assert.equal(shown('line "one"'), '"line \\"one\\""');
  assert.equal(shown(''), '""');
  assert.equal(shown([0, 0, 0, 7]), '{"base64":"AAAABw=="}');
  assert.equal(shown([0xff, 0xfe]), '{"base64":"//4="}');
  assert.equal(bytesAsJson(null), 'null');
});

test('the formats', () => {
  const record: RawRecord = {
    offset: 7n,
    timestamp: 1700000000000,
    timestampType: 'CreateTime',
    key: Buffer.from('k'),
    value: null,
    headers: [{ key: 'h', value: Buffer.from('1') }],
  };
  const line = (format: 'json' | 'value' | 'key-value'): string =>
    Buffer.from(recordLine(format, { topic: 't', partition: 2 }, record) as string).toString();
  assert.equal(
    line('json'),
    '{"topic":"t","partition":2,"offset":7,"timestamp":1700000000000,"key":"k","value":null,"headers":[{"key":"h","value":1}]}\n',
  );
  assert.equal(line('value'), 'null\n');
  assert.equal(line('key-value'), 'k\tnull\n');
});
