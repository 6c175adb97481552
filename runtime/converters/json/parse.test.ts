import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ExactNumber, parseExactly, parseJson } from './parse.ts';

const parsed = (text: string): unknown => parseExactly(text, false);

describe('the exact JSON parser', () => {
  const texts = [
    '{}',
    '[]',
    ' [ ] ',
    '{"a":{"b":[1,2,{"c":null}]},"d":true,"e":false}',
    '"\\u00e9\\n\\"\\\\\\/"',
    '0',
    '-0',
    '-1',
    '10',
    '1.5',
    '1e3',
    '1E+3',
    '-1.5e-7',
    '0.1',
    '123456789012345',
    '1234567890123456',
    '{"":1,"__proto__":2}',
    '[1 , 2]',
    '{"a" : 1 , "b" : [ ] }',
    '"😀"',
    '\t\n\r 5 \n',
    '[0,0.0,-0.0]',
    '999999999999999',
  ];
  for (const text of texts) it(`agrees with the platform on ${text.trim()}`, () => deepEqual(parsed(text), JSON.parse(text)));

  it('agrees with it on what is malformed', () => {
    for (const text of [
      '',
      ' ',
      '{',
      '[',
      '[1',
      '{"a"',
      '{"a":',
      '{"a":1',
      '{a:1}',
      '[1,]',
      '{"a":1,}',
      '01',
      '-',
      '-01',
      '1.',
      '.5',
      '1e',
      '+1',
      'nul',
      'True',
      "'a'",
      '"\\x"',
      '"\\u12"',
      '"\n"',
      '1 1',
      '{} x',
      '00',
      'NaN',
    ]) {
      throws(() => JSON.parse(text));
      throws(() => parsed(text), { name: 'DataError', message: /^malformed JSON/ }, text);
    }
  });

  it('keeps long numbers', () => {
    deepEqual(parsed('[9007199254740992,9007199254740991,-9007199254740993,123456789012345678901234567890]'), [
      9007199254740992n,
      9007199254740991,
      -9007199254740993n,
      123456789012345678901234567890n,
    ]);
    equal(parsed('1234567890.1234567890'), Number('1234567890.1234567890'));
    const exact = parseExactly('1234567890.1234567890', true);
    ok(exact instanceof ExactNumber && exact.text === '1234567890.1234567890');
  });

  it('is asked wherever a number may be long', () => {
    for (const pad of [0, 1, 7, 15, 16, 31]) {
      const text = `${' '.repeat(pad)}[9007199254740993]`;
      deepEqual(parseJson(Buffer.from(text)), [9007199254740993n], `after ${pad} spaces`);
    }
    deepEqual(parseJson(Buffer.from('["9007199254740993", 1709212455123456]')), ['9007199254740993', 1709212455123456]);
  });
});

describe('long numbers through the fast path', () => {
  const long = '1709212455123456789';
  const texts = [
    long,
    `-${long}`,
    ` ${long} `,
    `[${long},-${long} , ${long}]`,
    `{"a":${long},"b":{"c":[${long}]},"d":"x"}`,
    `{"__proto__":${long},"constructor":${long}}`,
    `{"${long}":${long}}`,
    `{"a":"${long}"}`,
    `{"a":"b,${long},c"}`,
    `{"a":"b: ${long}, c","d":${long}}`,
    `{"a":"\\\\","b":${long}}`,
    `["\\",${long},"]`,
    `[${long}.5,${long}e1,${long}E+2,0.${long},1e${long.slice(0, 2)}]`,
    `["\u0080${long}",${long}]`,
    `["\u0080${long}"]`,
    `["${long}",${long}]`,
    `["é😀",${long}]`,
    '[9007199254740991,9007199254740992,9007199254740993,9000000000000000,-9007199254740993]',
    `[${'1'.repeat(400)}]`,
  ];
  for (const text of texts) {
    it(text.slice(0, 60), () => deepEqual(parseJson(Buffer.from(text)), parsed(text)));
  }

  it('keeps long fractions, and whole numbers beside them', () => {
    for (const text of [
      '[1234567890.1234567890,5]',
      '[12345678901234567e3]',
      '[1e00000000000000016]',
      '[1E-00000000000000016]',
      `[0.5,${long}]`,
    ]) {
      deepEqual(parseJson(Buffer.from(text), true), parseExactly(text, true), text);
    }
  });

  it('refuses what is malformed', () => {
    for (const text of [
      `{${long}:1}`,
      `{"a":1,${long}:1}`,
      `[0${long}]`,
      `[-0${long}]`,
      `[--${long}]`,
      `[+${long}]`,
      `[${long}`,
      `${long} ${long}`,
      `{"a"${long}}`,
    ]) {
      throws(() => parsed(text), { name: 'DataError' }, text);
      throws(() => parseJson(Buffer.from(text)), { name: 'DataError', message: /^malformed JSON/ }, text);
    }
  });

  it('agrees with the exact parser on anything', () => {
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"',
      '\\',
      ' ',
      'a',
      '1',
      '-',
      '.',
      'e',
      '0',
      long,
      '9007199254740993',
      '"k":',
      '[1,',
      '"s"',
      '',
      '\\u0080',
    ];
    let seed = 7;
    const next = (below: number): number => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % below;
    const outcome = (work: () => unknown): unknown => {
      try {
        return work();
      } catch (error) {
        return (error as Error).message;
      }
    };
    for (let i = 0; i < 50_000; i++) {
      let text = i % 2 === 0 ? '[' : '{"a":';
      for (let n = next(7); n >= 0; n--) text += pieces[next(pieces.length)];
      text += i % 2 === 0 ? ']' : '}';
      deepEqual(
        outcome(() => parseJson(Buffer.from(text))),
        outcome(() => parsed(text)),
        text,
      );
    }
  });
});
