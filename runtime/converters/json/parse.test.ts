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
