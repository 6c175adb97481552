import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  ByteSink,
  DataError,
  Decimal,
  ValueStruct,
  arraySchema,
  dateSchema,
  decimalSchema,
  mapSchema,
  schemaOf,
  schemas,
  structSchema,
  timestampSchema,
} from '../../api/index.ts';
import { unread } from './byte-cursor.ts';
import { createJsonConverter } from './json-converter.ts';
import { parseJson } from './parse.ts';
import { compilePayloadReader } from './payload-reader.ts';
import { compileReader, holdsDecimals } from './schema-reader.ts';

const settings = { replaceNull: true };
const inner = structSchema([['id', schemas.int64]], { optional: true });
const schema = structSchema([
  ['i8', schemas.int8],
  ['i16', schemas.int16],
  ['i32', schemas.optionalInt32],
  ['i64', schemas.int64],
  ['f32', schemas.float32],
  ['f64', schemas.optionalFloat64],
  ['yes', schemas.boolean],
  ['text', schemas.string],
  ['note', schemas.optionalString],
  ['raw', schemas.bytes],
  ['price', decimalSchema(2)],
  ['day', dateSchema()],
  ['at', timestampSchema({ optional: true })],
  ['tags', arraySchema(schemas.string)],
  ['names', mapSchema(schemas.string, schemas.int32)],
  ['inner', inner],
  ['state', schemaOf('string', { defaultValue: 'new' })],
]);

const struct = (values: readonly unknown[]): ValueStruct => new ValueStruct(schema, [...values]);
const plain = [1, -2, 3, 4n, 1.5, 2.25, true, 'a', 'b', new Uint8Array([1, 2]), Decimal.parse('1.25')];
const more = [new Date(86_400_000), new Date(1.7e12), ['x', 'y'], new Map([['k', 1]]), new ValueStruct(inner, [7n]), 'old'];
const structs = [
  struct([...plain, ...more]),
  struct([
    ...plain.slice(0, 7),
    'h\u00e9 \u{1f600} "quoted" \\ \n\u0001',
    null,
    ...plain.slice(9),
    ...more.slice(0, 1),
    null,
    [],
    new Map(),
    null,
    'new',
  ]),
  struct([
    -128,
    32_767,
    -2_147_483_648,
    -9_223_372_036_854_775_808n,
    3.4e38,
    5e-324,
    false,
    '',
    'x'.repeat(500),
    ...plain.slice(9),
    ...more,
  ]),
  struct([0, 0, null, 9_007_199_254_740_993n, 0.1, 1_234_567.890_123, true, '\ufffd', '\u00df', ...plain.slice(9), ...more]),
];

/** The payload of the struct, as the converter writes it. */
function payload(value: ValueStruct): Buffer {
  const converter = createJsonConverter({ cacheSize: 10, decimalFormat: 'BASE64', replaceNull: true, schemasEnable: false });
  const out = new ByteSink();
  converter.write('t', schema, value, out);
  return Buffer.from(out.written());
}

const read = compilePayloadReader(schema, settings);
const readAny = compileReader(schema, settings);

/** What the parser and the reader of values make of it; their error's message where they refuse it. */
function expected(bytes: Buffer): unknown {
  try {
    return readAny(parseJson(bytes, holdsDecimals(schema)));
  } catch (error) {
    assert.ok(error instanceof DataError, String(error));
    return error.message;
  }
}

test('values of all types are read from their bytes as the parser reads them', () => {
  for (const value of structs) {
    const bytes = payload(value);
    const found = read(bytes, 0, bytes.length);
    assert.notEqual(found, unread, bytes.toString());
    assert.deepEqual(found, expected(bytes));
  }
});

test('the same text is the same string, and another one is not taken for it', () => {
  const one = compilePayloadReader(schemas.string, settings);
  const of = (text: string): unknown => {
    const bytes = Buffer.from(text);
    return one(bytes, 0, bytes.length);
  };
  assert.deepEqual(['"new"', '"new"', '"newer"', '"ne"', '"new"', '"n\\u0065w"', '"new'].map(of), [
    'new',
    'new',
    'newer',
    'ne',
    'new',
    'new',
    unread,
  ]);
});

test('numbers as the platform reads them', () => {
  const double = compilePayloadReader(schemas.float64, settings);
  const long = compilePayloadReader(schemas.int64, settings);
  for (const text of [
    '0',
    '-0',
    '0.1',
    '-12.30',
    '123456789012345',
    '0.000000000000001',
    '12345.6789012345',
    '9007199254740993',
    '0.1234567890123456789',
    '1.25E10',
    '4.9E-324',
    '-1e+2',
  ]) {
    const bytes = Buffer.from(text);
    assert.ok(Object.is(double(bytes, 0, bytes.length), Number(text)), text);
  }
  for (const text of ['01', '.5', '5.', '1e', '1e+', '-', '+1', '1x', '--1', '1.2.3']) {
    const bytes = Buffer.from(text);
    assert.equal(double(bytes, 0, bytes.length), unread, text);
    assert.equal(long(bytes, 0, bytes.length), unread, text);
  }
  for (const text of ['9007199254740991', '-9007199254740992', '9223372036854775807', '-9223372036854775808']) {
    const bytes = Buffer.from(text);
    assert.equal(BigInt(long(bytes, 0, bytes.length) as bigint), BigInt(text));
  }
  assert.equal(long(Buffer.from('9223372036854775808'), 0, 19), unread);
});

test('whatever is changed in the bytes, it is read as the parser reads it, or left to the parser', () => {
  let state = 7;
  const random = (below: number): number => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
  const interesting = Buffer.from('"\\{}[],:. 0123456789-+eEntfu\u00e9\u0000\n\u007f');
  let taken = 0;
  for (let round = 0; round < 20_000; round++) {
    const bytes = payload(structs[random(structs.length)] as ValueStruct);
    const at = random(bytes.length);
    const changed =
      round % 3 === 0
        ? Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)])
        : Buffer.concat([
            bytes.subarray(0, at),
            interesting.subarray(random(interesting.length)).subarray(0, 1),
            bytes.subarray(at + (round % 3) - 1),
          ]);
    const found = read(changed, 0, changed.length);
    if (found === unread) continue;
    taken++;
    assert.deepEqual(found, expected(changed), changed.toString());
  }
  assert.ok(taken > 100, 'some of them are still well-formed');
});
