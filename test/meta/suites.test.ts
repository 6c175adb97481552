import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { ourFiles, suiteNames, suiteOf, suites, testFiles } from '../suites.ts';

const root = dirname(dirname(import.meta.dirname));

test('every test file has a suffix that says what it needs', () => {
  const lost = testFiles(root).filter((file) => suiteOf(file) === undefined);
  assert.deepEqual(lost, []);
});

test('each suffix belongs to one suite', () => {
  const suffixes = suiteNames.map((name) => suites[name].suffix);
  assert.equal(new Set(suffixes).size, suffixes.length);
});

test('a file that calls node:test is found as a test, or is a suite that tests call', () => {
  const known = new Set(testFiles(root));
  const callers = ourFiles(root, '**/*.{ts,mts,js,mjs,cjs}').filter((file) => textOf(file).includes(`from 'node:test'`));
  const missed = callers.filter((file) => !known.has(file) && !/-(contract|suite)\.ts$/.test(file) && !file.startsWith('test/contract/'));
  assert.deepEqual(missed, []);
});

test('no test is skipped or left alone', () => {
  const marks = /\b(test|it|describe)\.(only|skip|todo)\(|\b(skip|only|todo): *true/;
  const marked = testFiles(root).filter((file) => !file.startsWith('test/meta/') && marks.test(textOf(file)));
  assert.deepEqual(marked, []);
});

function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}
