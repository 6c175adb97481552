import assert from 'node:assert/strict';
import { test } from 'node:test';

import { NumberText, parseJson, stringifyJson } from './json.ts';

test('numbers keep their text', () => {
  const parsed = parseJson('{"a":1.50,"b":[1e3,-0],"c":123456789012345678901234567890}') as Record<string, unknown>;
  assert.equal((parsed['a'] as NumberText).text, '1.50');
  assert.deepEqual(
    (parsed['b'] as NumberText[]).map((each) => each.text),
    ['1e3', '-0'],
  );
  assert.equal((parsed['c'] as NumberText).value(), 123456789012345678901234567890n);
});

test('whole numbers are bigints, as in the stores', () => {
  const value = (text: string): unknown => new NumberText(text).value();
  assert.equal(value('7'), 7n);
  assert.equal(value('9007199254740993'), 9007199254740993n);
  assert.equal(value('-9223372036854775808'), -9223372036854775808n);
  assert.equal(value('0.5'), 0.5);
});

test('bigints go out with every digit', () => {
  assert.equal(stringifyJson({ lsn: 9223372036854775807n, list: [1n, 'x', null] }), '{"lsn":9223372036854775807,"list":[1,"x",null]}');
});

test('a key called __proto__ is a key', () => {
  const parsed = parseJson('{"__proto__":"x"}') as object;
  assert.deepEqual(Object.keys(parsed), ['__proto__']);
});
