/** Where a JSON text breaks the rules, in lines; and what `JSON.parse` lets pass: a key that stands twice. */
import { visit } from 'jsonc-parser';
import type { ParseErrorCode } from 'jsonc-parser';

export interface JsonProblem {
  /** From 1. */
  readonly line: number;
  /** Without anything of the text: it may be a password. */
  readonly reason: string;
}

// ParseErrorCode is a `const enum`, which type stripping cannot read.
const reasons: Readonly<Record<ParseErrorCode, string>> = {
  1: 'a string, number, true, false or null is misspelt, or a quotation mark is missing',
  2: 'a number is malformed',
  3: 'a key in double quotes is missing (is there a comma too many?)',
  4: 'a value is missing',
  5: 'a colon is missing after a key',
  6: 'a comma is missing',
  7: 'a closing } is missing',
  8: 'a closing ] is missing',
  9: 'there is more after the end of the object',
  10: 'JSON has no comments',
  11: 'a comment does not end',
  12: 'a string does not end on its line',
  13: 'a number does not end',
  14: 'a \\u must be followed by four hexadecimal digits',
  15: 'a backslash is followed by a character that it cannot escape',
  16: 'a control character must be written as an escape, such as \\n or \\t',
};

/** The first break of the syntax, or else every key that stands twice in one object. */
export function jsonProblems(text: string): readonly JsonProblem[] {
  const broken: JsonProblem[] = [];
  const twice: JsonProblem[] = [];
  const open: Map<string, number>[] = [];
  visit(
    text.replace(/^\uFEFF/, ''),
    {
      onObjectBegin: () => void open.push(new Map()),
      onObjectEnd: () => void open.pop(),
      onObjectProperty(key, _offset, _length, startLine) {
        const keys = open.at(-1);
        const first = keys?.get(key);
        if (first === undefined) keys?.set(key, startLine + 1);
        else twice.push({ line: startLine + 1, reason: `the key "${key}" stands here and in line ${first}` });
      },
      onError: (code, _offset, _length, startLine) => void broken.push({ line: startLine + 1, reason: `is not JSON: ${reasons[code]}` }),
    },
    { disallowComments: true, allowTrailingComma: false },
  );
  return broken[0] === undefined ? twice : [broken[0]];
}

/** The line, from 1, of a key whose path in the document is this, such as `['config', 'name']`. */
export function lineOfKey(text: string, path: readonly string[]): number | undefined {
  let line: number | undefined;
  visit(text.replace(/^\uFEFF/, ''), {
    onObjectProperty(key, _offset, _length, startLine, _startCharacter, above) {
      const found = [...above(), key];
      if (found.length === path.length && found.every((part, at) => part === path[at])) line ??= startLine + 1;
    },
  });
  return line;
}
