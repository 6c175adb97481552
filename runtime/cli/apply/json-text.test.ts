import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { jsonProblems, lineOfKey } from './json-text.ts';

describe('jsonProblems', () => {
  test('nothing is wrong with JSON', () => {
    for (const text of [
      '{}',
      '\uFEFF{"a": [1, -2.5e3, true, null, "\\u00e9\\n"]}',
      '{"a": {"x": 1}, "b": {"x": 2}}\n',
      '[{"a": 1}, {"a": 2}]',
    ]) {
      assert.deepEqual(jsonProblems(text), [], text);
    }
  });

  for (const [what, text, line, reason] of [
    ['a comma too many', '{\n "a": 1,\n}', 3, /key in double quotes/],
    ['a comma that is missing', '{"a": 1\n "b": 2}', 2, /comma is missing/],
    ['a word', '{"a": 1,\n\n "password": hunter2}', 3, /quotation mark/],
    ['a comment', '{\n// hunter2\n}', 2, /no comments/],
    ['an open object', '{"a": 1\n', 2, /closing }/],
    ['an open string', '{"a": "hunter2\n}', 1, /string does not end/],
    ['more after the end', '{}\n{}', 2, /after the end/],
    ['no text', '', 1, /value is missing/],
    ['a key that stands twice', '{"a": 1,\n"b": {"c": 1,\n "c": 2}}', 3, /"c" stands here and in line 2/],
  ] as const) {
    test(`${what}: the line and the reason, without what stands there`, () => {
      const [problem, ...more] = jsonProblems(text);
      assert.equal(problem?.line, line);
      assert.match(problem.reason, reason);
      assert.doesNotMatch(problem.reason, /hunter2/);
      assert.deepEqual(more, []);
    });
  }

  test('agrees with JSON.parse on what is JSON', () => {
    const pieces = ['{', '}', '"a"', ':', ',', '1', '01', '-', '[', ']', 'true', 'nul', '"\\x"', '"\t"', ' ', '\n', '/*', '1.', '1e'];
    for (let seed = 1, round = 0; round < 20_000; round++) {
      let text = '';
      for (let length = 0; length < 1 + (round % 7); length++) {
        seed = (seed * 48_271) % 2_147_483_647;
        text += pieces[seed % pieces.length];
      }
      const broken = jsonProblems(text).some((problem) => problem.reason.startsWith('is not JSON'));
      assert.equal(broken, !isJson(text), JSON.stringify(text));
    }
  });
});

test('lineOfKey finds a key by its path', () => {
  const text = '{"name": "x",\n "config": {\n  "name": "y"}}';
  assert.equal(lineOfKey(text, ['name']), 1);
  assert.equal(lineOfKey(text, ['config', 'name']), 3);
  assert.equal(lineOfKey(text, ['config', 'other']), undefined);
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
