import { deepEqual, equal, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ByteSink,
  DataError,
  Decimal,
  ValueStruct,
  arraySchema,
  dateSchema,
  decimalSchema,
  mapSchema,
  sameSchema,
  sameValue,
  schemaOf,
  schemas,
  structOf,
  structSchema,
  timeSchema,
  timestampSchema,
} from '../../api/index.ts';
import type { Schema } from '../../api/index.ts';
import { createJsonConverter } from './json-converter.ts';
import type { JsonSettings } from './settings.ts';

const defaults: JsonSettings = { schemasEnable: true, cacheSize: 1000, decimalFormat: 'BASE64', replaceNull: true };

function written(schema: Schema | null, value: unknown, settings: Partial<JsonSettings> = {}): string | null {
  const out = new ByteSink(16);
  const some = createJsonConverter({ ...defaults, ...settings }).write('t', schema, value, out);
  return some ? Buffer.from(out.written()).toString() : null;
}

function read(text: string, settings: Partial<JsonSettings> = {}): { schema: Schema | null; value: unknown } {
  return createJsonConverter({ ...defaults, ...settings }).read('t', Buffer.from(text));
}

const point = structSchema(
  [
    ['x', schemas.int32],
    ['label', schemas.optionalString],
  ],
  { name: 'geo.Point', version: 2, doc: 'a point', parameters: { a: 'b' } },
);

/** What is written with schemas.enable, and read back to an equal value. */
const table: readonly (readonly [name: string, schema: Schema, value: unknown, schemaJson: string, payload: string])[] = [
  ['int8', schemas.int8, -128, '{"type":"int8","optional":false}', '-128'],
  ['int32', schemas.optionalInt32, 0, '{"type":"int32","optional":true}', '0'],
  ['int64 as number', schemas.int64, 1234567890123, '{"type":"int64","optional":false}', '1234567890123'],
  ['int64 as bigint', schemas.int64, 9223372036854775807n, '{"type":"int64","optional":false}', '9223372036854775807'],
  ['least int64', schemas.int64, -9223372036854775808n, '{"type":"int64","optional":false}', '-9223372036854775808'],
  ['2^53 + 1', schemas.int64, 9007199254740993n, '{"type":"int64","optional":false}', '9007199254740993'],
  ['float', schemas.float32, Math.fround(1.1), '{"type":"float","optional":false}', '1.1'],
  ['double', schemas.float64, 1e-7, '{"type":"double","optional":false}', '1.0E-7'],
  ['large double', schemas.float64, 16777216, '{"type":"double","optional":false}', '1.6777216E7'],
  ['whole double', schemas.float64, 100, '{"type":"double","optional":false}', '100.0'],
  ['negative zero', schemas.float64, -0, '{"type":"double","optional":false}', '-0.0'],
  ['NaN', schemas.float64, NaN, '{"type":"double","optional":false}', '"NaN"'],
  ['-Infinity', schemas.float32, -Infinity, '{"type":"float","optional":false}', '"-Infinity"'],
  ['boolean', schemas.boolean, true, '{"type":"boolean","optional":false}', 'true'],
  ['text', schemas.string, 'é "q" \\ \u0001\n\u001f', '{"type":"string","optional":false}', '"é \\"q\\" \\\\ \\u0001\\n\\u001F"'],
  ['non-BMP text', schemas.string, 'a😀', '{"type":"string","optional":false}', '"a\\uD83D\\uDE00"'],
  ['bytes', schemas.bytes, Uint8Array.of(0, 255, 1, 2), '{"type":"bytes","optional":false}', '"AP8BAg=="'],
  ['null', schemas.optionalString, null, '{"type":"string","optional":true}', 'null'],
  ['array', arraySchema(schemas.int32), [1, 2], '{"type":"array","items":{"type":"int32","optional":false},"optional":false}', '[1,2]'],
  [
    'map',
    mapSchema(schemas.string, schemas.int32),
    new Map([['a', 1]]),
    '{"type":"map","keys":{"type":"string","optional":false},"values":{"type":"int32","optional":false},"optional":false}',
    '{"a":1}',
  ],
  [
    'map of numbers',
    mapSchema(schemas.int32, schemas.string),
    new Map([[1, 'x']]),
    '{"type":"map","keys":{"type":"int32","optional":false},"values":{"type":"string","optional":false},"optional":false}',
    '[[1,"x"]]',
  ],
  [
    'struct',
    point,
    structOf(point, { x: 1 }),
    '{"type":"struct","fields":[{"type":"int32","optional":false,"field":"x"},{"type":"string","optional":true,"field":"label"}],"optional":false,"name":"geo.Point","version":2,"doc":"a point","parameters":{"a":"b"}}',
    '{"x":1,"label":null}',
  ],
  [
    'empty struct',
    structSchema([], { name: 'e' }),
    new ValueStruct(structSchema([], { name: 'e' }), []),
    '{"type":"struct","fields":[],"optional":false,"name":"e"}',
    '{}',
  ],
  [
    'decimal',
    decimalSchema(2),
    Decimal.parse('1.28'),
    '{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}}',
    '"AIA="',
  ],
  [
    'negative decimal',
    decimalSchema(2),
    Decimal.parse('-99999999.99'),
    '{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}}',
    '"/av0HAE="',
  ],
  [
    'date',
    dateSchema(),
    new Date('2024-02-29'),
    '{"type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Date","version":1}',
    '19782',
  ],
  [
    'time',
    timeSchema(),
    new Date(47_655_123),
    '{"type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Time","version":1}',
    '47655123',
  ],
  [
    'timestamp',
    timestampSchema(),
    new Date(1_709_212_455_123),
    '{"type":"int64","optional":false,"name":"org.apache.kafka.connect.data.Timestamp","version":1}',
    '1709212455123',
  ],
  ['default', schemaOf('int32', { defaultValue: 42 }), 1, '{"type":"int32","optional":false,"default":42}', '1'],
];

describe('JsonConverter with schemas', () => {
  for (const [name, schema, value, schemaJson, payload] of table) {
    it(`writes and reads ${name}`, () => {
      const text = `{"schema":${schemaJson},"payload":${payload}}`;
      equal(written(schema, value), text);
      equal(written(schema, value, { schemasEnable: false }), payload);
      const converter = createJsonConverter(defaults);
      // The second time its schema is known by its bytes.
      for (const back of [converter.read('t', Buffer.from(text)), converter.read('t', Buffer.from(text))]) {
        equal(sameSchema(back.schema, schema), true);
        equal(sameValue(back.value, value), true, `read ${String(back.value)}`);
      }
    });
  }

  it('gives messages of one schema one schema object', () => {
    const converter = createJsonConverter(defaults);
    const [first, second] = ['1', '2'].map((payload) =>
      converter.read('t', Buffer.from(`{"schema":{"type":"int32","optional":false},"payload":${payload}}`)),
    );
    equal(first?.schema, second?.schema);
    deepEqual([first?.value, second?.value], [1, 2]);
  });

  it('does not hold on to the bytes it was given', () => {
    const converter = createJsonConverter(defaults);
    const bytes = Buffer.from('{"schema":{"type":"int32","optional":false},"payload":1}');
    converter.read('t', bytes);
    bytes.write('{"schema":{"type":"int64","optional":false},"payload":2}');
    equal(converter.read('t', bytes).schema?.type, 'int64');
  });

  it('reads envelopes laid out otherwise', () => {
    equal(read('{"payload": 5, "schema": {"optional": false, "type": "int32"}}').value, 5);
    deepEqual(read('{"schema":null,"payload":{"a":[1]}}'), { schema: null, value: { a: [1] } });
  });

  it('refuses what is no envelope', () => {
    for (const text of ['{"a":1}', '[]', '1', '{"schema":null,"payload":1,"more":2}'])
      throws(() => read(text), /requires "schema" and "payload"/);
  });

  it('puts the default in place of null, unless told otherwise', () => {
    const schema = schemaOf('int32', { optional: true, defaultValue: 42 });
    equal(written(schema, null, { schemasEnable: false }), '42');
    equal(written(schema, null, { schemasEnable: false, replaceNull: false }), 'null');
    const text = '{"schema":{"type":"int32","optional":true,"default":42},"payload":null}';
    equal(read(text).value, 42);
    equal(read(text, { replaceNull: false }).value, null);
  });

  it('writes decimals as numbers when asked, and reads either', () => {
    const plain = { schemasEnable: false, decimalFormat: 'NUMERIC' } as const;
    equal(written(decimalSchema(2), Decimal.parse('1.10'), plain), '1.10');
    equal(written(decimalSchema(10), Decimal.parse('0E-10', 10), plain), '0E-10');
    const schema =
      '{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}}';
    for (const digits of ['1.1', '12345678901234567890.12', '0.30']) {
      equal(sameValue(read(`{"schema":${schema},"payload":${digits}}`).value, Decimal.parse(digits, 2)), true, digits);
    }
  });
});

describe('JsonConverter without schemas', () => {
  const plain = { schemasEnable: false };

  it('takes null for a tombstone', () => {
    equal(written(null, null, plain), null);
    equal(written(null, null), null);
    deepEqual(createJsonConverter({ ...defaults, ...plain }).read('t', null), { schema: null, value: null });
  });

  it('writes what has no schema', () => {
    const value = {
      n: 1.5,
      big: 12345678901234567890n,
      list: [true, null],
      nested: { s: 'x' },
      map: new Map([['k', 1]]),
      pairs: new Map([[1, 2]]),
    };
    equal(
      written(null, value, plain),
      '{"n":1.5,"big":12345678901234567890,"list":[true,null],"nested":{"s":"x"},"map":{"k":1},"pairs":[[1,2]]}',
    );
  });

  it('keeps every digit of whole numbers', () => {
    deepEqual(read('{"a":9007199254740993,"b":-9223372036854775808,"c":1709212455123456,"d":[1.5]}', plain).value, {
      a: 9007199254740993n,
      b: -9223372036854775808n,
      c: 1709212455123456,
      d: [1.5],
    });
  });
});

describe('JsonConverter on bad data', () => {
  it('names the field, and writes nothing', () => {
    const out = new ByteSink(16);
    out.text('before');
    const converter = createJsonConverter({ ...defaults, schemasEnable: false });
    throws(() => converter.write('t', point, new ValueStruct(point, [null, 'x']), out), {
      name: 'DataError',
      message: /field "x": null for a required int32/,
    });
    equal(Buffer.from(out.written()).toString(), 'before');
    throws(() => written(schemas.int32, 'x'), DataError);
    throws(() => written(point, structOf(structSchema([['y', schemas.int32]]), { y: 1 })), /struct of/);
  });

  it('names the position of malformed JSON', () => {
    const cases = [
      ['{"a":}', 5],
      ['', 0],
      ['{"a" 1}', 5],
      ['[1,]', 3],
      ['"abc', 4],
      ['truth', 0],
      ['1 2', 2],
      ['{"a":"\u0001"}', 6],
    ] as const;
    for (const [text, position] of cases)
      throws(() => read(text, { schemasEnable: false }), { name: 'DataError', message: new RegExp(`position ${position}\\b`) });
    throws(() => createJsonConverter(defaults).read('t', Uint8Array.of(0x22, 0xff, 0x22)), /not UTF-8/);
  });

  it('refuses nesting of 10,000 both ways', () => {
    const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
    throws(() => read(deep, { schemasEnable: false }), { name: 'DataError', message: /nested more than 1000 deep/ });
    throws(() => read('[{"a":'.repeat(10_000)), DataError);
    let value: unknown = 1;
    for (let i = 0; i < 10_000; i++) value = [value];
    throws(() => written(null, value), { name: 'DataError', message: /nested/ });
  });

  it('refuses values that do not fit their schema', () => {
    const withSchema = (type: string, payload: string): string => `{"schema":{"type":"${type}","optional":false},"payload":${payload}}`;
    for (const [type, payload] of [
      ['int8', '128'],
      ['int32', '1.5'],
      ['int64', '9223372036854775808'],
      ['string', '1'],
      ['boolean', '"true"'],
      ['bytes', '"?"'],
      ['struct', '1'],
      ['nope', '1'],
    ] as const) {
      throws(() => read(withSchema(type, payload)), DataError, `${type} ${payload}`);
    }
  });
});
