import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ByteSink, DataError, SerializedValue, plainValue } from '../../api/index.ts';
import { canonicalCheck } from './canonical.ts';
import { createJsonConverter } from './json-converter.ts';

const settings = { schemasEnable: false, cacheSize: 1000, decimalFormat: 'BASE64', replaceNull: true } as const;
const isCanonical = (text: string | Buffer): boolean => canonicalCheck()(Buffer.from(text));

/** What Connect writes after reading; each stands as a field, and in a list. */
const canonical = [
  ...['0', '-1', '12', '999999999999999999', '-999999999999999999'],
  ...[
    '0.0',
    '-0.0',
    '1.0',
    '12.5',
    '0.001',
    '0.0123',
    '9999999.99999999',
    '1234567.5',
    '1.0E-4',
    '1.0E7',
    '1.7976931348623157E308',
    '4.9E-324',
  ],
  ...['0.30000000000000004', '123456.78901234567'],
  ...['true', 'false', 'null', '""', '"a"', '"é ü 漢 \u2028"', String.raw`"\" \\ \b \f \n \r \t"`, '"/"', '"\u007f"'],
  ...['{}', '[]', '[[],[{}]]', '{"a":{"b":[1,{"c":2}]}}', '[{"a":1,"b":2},{"b":1,"a":2}]', '{"__proto__":1}', '{"é":1}'],
];

/** Malformed, or not how Connect writes it. */
const others = [
  ...[
    '00',
    '01',
    '-',
    '-0',
    '+1',
    '1.',
    '.5',
    '1e5',
    '1E5',
    '1.0E5',
    '1.0e-4',
    '1.50',
    '1.00',
    '0.0001',
    '12345678.5',
    '1.0E+7',
    '0x1',
    'NaN',
    '1.5.5',
  ],
  ...['9223372036854775807', '12345678901234567890', '0.1000000000000000055'],
  ...['tru', 'nul', 'falsy', 'undefined', "'a'", '"', '"\\', String.raw`"\"`, '"a\nb"', '"\u0000"'],
  ...[String.raw`"\/"`, String.raw`"\u00e9"`, String.raw`"\u001f"`, String.raw`"\x"`, '"😀"'],
  ...[
    ' 1',
    '1 ',
    '[1 ]',
    '[1, 2]',
    '{"a": 1}',
    '{ }',
    '[',
    '[1',
    '[1,',
    '[1,]',
    '[,1]',
    ']',
    '{',
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1,',
    '{"a":1,}',
  ],
  ...['{a:1}', '{"a"1}', '{"a":1"b":2}', '{"a":1}}', '{"a":1}1', '{"1":1}', String.raw`{"\n":1}`],
  ...['{"a":1,"a":2}', '{"a":1,"b":2,"a":3}', '{"x":{"a":1,"a":1}}', '[{"a":1},{"a":1,"a":1}]'],
];

describe('JSON that is copied as it is', () => {
  for (const text of canonical) {
    it(`is ${text}`, () => {
      for (const whole of [`{"f":${text}}`, `[${text}]`, `{"f":1,"g":[0,${text}]}`]) assert.ok(isCanonical(whole), whole);
    });
  }

  it('is not anything else', () => {
    for (const text of others)
      for (const whole of [`{"f":${text}}`, `[${text}]`, `{"f":1,"g":[0,${text}]}`]) assert.ok(!isCanonical(whole), whole);
    for (const text of ['', 'null', '1', '"a"', '\ufeff{}', '{}\n']) assert.ok(!isCanonical(text), text);
  });

  it('is UTF-8', () => {
    for (const bytes of ['80', 'c080', 'eda080', 'e282', 'ff']) {
      const text = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes, 'hex'), Buffer.from('"}')]);
      assert.ok(!isCanonical(text), bytes);
      const name = Buffer.concat([Buffer.from('{"'), Buffer.from(bytes, 'hex'), Buffer.from('":1}')]);
      assert.ok(!isCanonical(name), bytes);
    }
  });

  it('is neither deep nor wide', () => {
    assert.ok(isCanonical(`${'['.repeat(60)}${']'.repeat(60)}`));
    assert.ok(!isCanonical(`${'['.repeat(70)}${']'.repeat(70)}`));
    const fields = (count: number): string => `{${Array.from({ length: count }, (_, i) => `"f${i}":1`).join(',')}}`;
    assert.ok(isCanonical(fields(200)));
    assert.ok(!isCanonical(fields(300)));
  });

  it('is known whatever was read before it', () => {
    const check = canonicalCheck();
    const text = (from: number): Buffer => Buffer.from(`{"a":1,"n${from}":{"b":1,"m${from}":2}}`);
    for (let i = 0; i < 5000; i++) check(text(i));
    for (let i = 0; i < 2000; i++) check(Buffer.from('{"a":1,"b":2}'));
    assert.ok(check(Buffer.from('{"a":1,"b":2}')));
    assert.ok(check(Buffer.from('{"b":1,"a":2}')));
    assert.ok(!check(Buffer.from('{"a":1,"b":2,"a":3}')));
    assert.ok(!check(Buffer.from('{"b":1,"a":2,"b":3}')));
  });

  it('is what reading and writing gives back, of thousands of texts that are nearly right', () => {
    const converter = createJsonConverter(settings);
    const check = canonicalCheck();
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '"a"',
      '"b":',
      '"a":',
      '1',
      '-',
      '2.5',
      '0',
      'e',
      '\\',
      'n',
      ' ',
      'true',
      'null',
      'é',
      '"x"',
      '{"a":1,"b":[2.5,"x"]}',
    ];
    let state = 42;
    const random = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      return Math.floor((state / 0x80000000) * below);
    };
    const start = '{"a":1,"b":[2.5,"x",{"c":null,"d":"é"}],"e":{"a":true}}';
    let copied = 0;
    for (let i = 0; i < 30_000; i++) {
      let text = start;
      for (let changes = random(3); changes >= 0; changes--) {
        const at = random(text.length + 1);
        text = text.slice(0, at) + (random(3) === 0 ? '' : pieces[random(pieces.length)]) + text.slice(at + random(4));
      }
      if (!check(Buffer.from(text))) continue;
      copied++;
      const out = new ByteSink();
      converter.write('t', null, converter.read('t', Buffer.from(text)).value, out);
      // Whole doubles lose their fraction on the way through JavaScript's numbers, which Connect's do not.
      if (!/\d\.0(?!\d)/.test(text)) assert.equal(Buffer.from(out.written()).toString(), text);
    }
    assert.ok(copied > 100, `${copied} were copied`);
  });
});

describe('JsonConverter for a sink that writes JSON', () => {
  const converter = createJsonConverter(settings);
  const read = (text: string | null, form: 'json' | 'text' = 'json'): unknown =>
    converter.readSerialized?.('t', text === null ? null : Buffer.from(text), form).value;

  it('leaves a value in its bytes, and reads it when it is asked for', () => {
    const value = read('{"a":[1,12345678901234567]}');
    assert.ok(value instanceof SerializedValue);
    assert.equal(Buffer.from(value.bytes).toString(), '{"a":[1,12345678901234567]}');
    assert.deepEqual(value.value(), { a: [1, 12345678901234567n] });
  });

  it('reads what is written otherwise, and refuses what is none, as ever', () => {
    assert.deepEqual(read('{ "a": 1 }'), { a: 1 });
    assert.equal(read('null'), null);
    assert.equal(read(null), null);
    assert.deepEqual(plainValue(read('{"a":1}', 'text')), { a: 1 });
    assert.ok(!(read('{"a":1}', 'text') instanceof SerializedValue));
    for (const bad of ['{"a":1', '{"a":1}x', '{"a":01}', '']) {
      const plain = caught(() => converter.read('t', Buffer.from(bad)));
      assert.ok(plain instanceof DataError);
      assert.equal((caught(() => read(bad)) as Error).message, plain.message);
    }
  });
});

function caught(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return assert.fail('nothing was thrown');
}
