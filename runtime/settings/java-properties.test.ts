import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseProperties } from './java-properties.ts';

// Each expectation is what java.util.Properties.load gives for the text.
const cases: readonly [what: string, text: string, expected: Record<string, string>][] = [
  ['separators', 'a=1\nb:2\nc 3\nd\t=\t4\ne  :  5\nf', { a: '1', b: '2', c: '3', d: '4', e: '5', f: '' }],
  ['only the first separator', 'a==1\nb=:2\nc = = 3', { a: '=1', b: ':2', c: '= 3' }],
  ['comments and blank lines', '# a=1\n  ! b=2\n\n   \nc=3 # no comment', { c: '3 # no comment' }],
  ['a blank after the value stays', 'a=1 \n', { a: '1 ' }],
  ['continued lines lose their indent', 'a=1,\\\n   2,\\\n\t3\nb=4', { a: '1,2,3', b: '4' }],
  ['an even number of backslashes does not continue', 'a=1\\\\\nb=2', { a: '1\\', b: '2' }],
  ['a comment sign in a continued line is text', 'a=1\\\n#2', { a: '1#2' }],
  ['a blank line ends a continuation', 'a=1\\\n\nb=2', { a: '1', b: '2' }],
  ['escaped keys', 'a\\ b\\=c\\:d = 1', { 'a b=c:d': '1' }],
  ['escapes', 'a=x\\ty\\nz\\u00e9\\q\\\\', { a: 'x\ty\nzéq\\' }],
  ['Windows and old Mac line ends', 'a=1\r\nb=2\rc=3', { a: '1', b: '2', c: '3' }],
  ['the last one wins', 'a=1\na=2', { a: '2' }],
  ['a trailing backslash', 'a=1\\', { a: '1' }],
  ['an empty key', '=1', { '': '1' }],
  ['a byte order mark', '\uFEFFa=1', { a: '1' }],
  ['__proto__', '__proto__=1', { ['__proto__']: '1' }],
];

for (const [what, text, expected] of cases) {
  test(what, () => assert.deepEqual(Object.entries(parseProperties(text)), Object.entries(expected)));
}

test('a broken unicode escape names its line', () => {
  assert.throws(() => parseProperties('a=1\nb=C:\\users'), /^ConfigError: line 2: \\u must be followed by four hexadecimal digits/);
});
