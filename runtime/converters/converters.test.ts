import { deepEqual, equal, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ByteSink,
  DataError,
  Decimal,
  SerializedValue,
  arraySchema,
  dateSchema,
  decimalSchema,
  mapSchema,
  sameSchema,
  sameValue,
  schemas,
  structOf,
  structSchema,
  timestampSchema,
} from '../api/index.ts';
import type { Converter, Schema } from '../api/index.ts';
import booleanConverter from './boolean-converter.ts';
import byteArrayConverter from './byte-array-converter.ts';
import doubleConverter from './double-converter.ts';
import floatConverter from './float-converter.ts';
import integerConverter from './integer-converter.ts';
import longConverter from './long-converter.ts';
import shortConverter from './short-converter.ts';
import simpleHeaderConverter from './simple-header-converter.ts';
import stringConverter from './string-converter.ts';

function hex(converter: Converter, value: unknown, schema: Schema | null = null): string | null {
  const out = new ByteSink(1);
  return converter.write('t', schema, value, out) ? Buffer.from(out.written()).toString('hex') : null;
}

const table = [
  ['short', shortConverter, -2, 'fffe', schemas.optionalInt16],
  ['integer', integerConverter, 305419896, '12345678', schemas.optionalInt32],
  ['long', longConverter, 9223372036854775807n, '7fffffffffffffff', schemas.optionalInt64],
  ['float', floatConverter, 1.5, '3fc00000', schemas.optionalFloat32],
  ['double', doubleConverter, 1.5, '3ff8000000000000', schemas.optionalFloat64],
  ['boolean', booleanConverter, true, '01', schemas.optionalBoolean],
  ['bytes', byteArrayConverter, Uint8Array.of(1, 2), '0102', schemas.optionalBytes],
  ['string', stringConverter, 'é', 'c3a9', schemas.optionalString],
] as const;

describe('the converters of single values', () => {
  for (const [name, plugin, value, wire, schema] of table) {
    it(`write and read ${name}`, () => {
      const converter = plugin.create({}, 'value');
      equal(hex(converter, value), wire);
      deepEqual(converter.read('t', Buffer.from(wire, 'hex')), { schema, value });
      equal(hex(converter, null), null);
      deepEqual(converter.read('t', null), { schema, value: null });
      const headers = plugin.createHeaderConverter({});
      equal(Buffer.from(headers.writeHeader('t', 'k', null, value) ?? []).toString('hex'), wire);
      deepEqual(headers.readHeader('t', 'k', Buffer.from(wire, 'hex')), { schema, value });
    });
  }

  it('refuse what does not fit', () => {
    for (const [name, plugin] of table) {
      if (name === 'string') continue;
      const converter = plugin.create({}, 'value');
      throws(() => hex(converter, 'text'), DataError, name);
      if (name !== 'bytes') throws(() => converter.read('t', Buffer.alloc(3)), DataError, name);
    }
    throws(() => hex(shortConverter.create({}, 'value'), 32768), DataError);
    throws(() => hex(longConverter.create({}, 'value'), 2 ** 60), DataError);
    throws(() => hex(byteArrayConverter.create({}, 'value'), Uint8Array.of(1), schemas.string), DataError);
  });

  it('print anything as text, in the encoding asked for', () => {
    const utf8 = stringConverter.create({ 'converter.encoding': 'UTF8' }, 'value');
    equal(hex(utf8, 1, schemas.float64), Buffer.from('1.0').toString('hex'));
    equal(hex(utf8, { a: 1 }), Buffer.from('{a=1}').toString('hex'));
    equal(hex(stringConverter.create({ 'converter.encoding': 'ISO-8859-1' }, 'value'), 'é'), 'e9');
    throws(() => stringConverter.create({ 'converter.encoding': 'EBCDIC' }, 'value'), { name: 'ConfigError' });
  });

  it('leaves text in its bytes for a sink that writes text, where these are UTF-8', () => {
    const read = (encoding: string, bytes: Buffer | null, form: 'text' | 'json'): unknown =>
      stringConverter.create({ 'converter.encoding': encoding }, 'value').readSerialized?.('t', bytes, form);
    const left = new SerializedValue(Buffer.from('é'), String);
    const { schema, value } = read('UTF-8', Buffer.from('é'), 'text') as { schema: Schema; value: SerializedValue };
    deepEqual([schema, value.bytes, value.value()], [schemas.optionalString, left.bytes, 'é']);
    const plain = (text: string | null): unknown => ({ schema: schemas.optionalString, value: text });
    deepEqual(read('UTF-8', null, 'text'), plain(null));
    deepEqual(read('UTF-8', Buffer.from([0x61, 0xff]), 'text'), plain('a\ufffd'));
    deepEqual(read('ISO-8859-1', Buffer.from('a'), 'text'), plain('a'));
    deepEqual(read('UTF-8', Buffer.from('"a"'), 'json'), plain('"a"'));
  });
});

describe('SimpleHeaderConverter', () => {
  const converter = simpleHeaderConverter.createHeaderConverter({});
  const read = (text: string) => converter.readHeader('t', 'k', Buffer.from(text));
  const write = (schema: Schema | null, value: unknown): string =>
    Buffer.from(converter.writeHeader('t', 'k', schema, value) ?? []).toString();

  const texts: readonly (readonly [text: string, schema: Schema | null, value: unknown])[] = [
    ['text', schemas.string, 'text'],
    ['', schemas.string, ''],
    ['null', null, null],
    ['true', schemas.boolean, true],
    ['1', schemas.int8, 1],
    ['-129', schemas.int16, -129],
    ['40000', schemas.int32, 40000],
    ['3000000000', schemas.int64, 3000000000],
    ['9223372036854775807', schemas.int64, 9223372036854775807n],
    ['9223372036854775808', decimalSchema(0), new Decimal(9223372036854775808n, 0)],
    ['1.5', schemas.float32, 1.5],
    ['2024-02-29', dateSchema(), new Date('2024-02-29')],
    ['2024-02-29T13:14:15.123Z', timestampSchema(), new Date('2024-02-29T13:14:15.123Z')],
    ['"quoted \\"x\\""', schemas.string, 'quoted "x"'],
    ['[1, 300]', arraySchema(schemas.int16), [1, 300]],
    ['[1, "x"]', null, [1, 'x']],
    [
      '{"a": 1, "b": 2}',
      mapSchema(schemas.string, schemas.int8),
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    ],
    ['[not a list', schemas.string, '[not a list'],
    ['00000000-0000-0000-0000-000000000001', schemas.string, '00000000-0000-0000-0000-000000000001'],
  ];
  for (const [text, schema, value] of texts) {
    it(`reads ${text === '' ? 'nothing' : text}`, () => {
      const found = read(text);
      equal(sameSchema(found.schema, schema), true, JSON.stringify(found.schema));
      equal(sameValue(found.value, value), true, String(found.value));
    });
  }

  it('takes what is nested without end as text', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const nested = (depth: number): string => `${open.repeat(depth)}1${close.repeat(depth)}`;
      const read = (text: string): unknown => converter.readHeader('t', 'k', Buffer.from(text)).value;
      equal(typeof read(nested(1000)), 'object');
      equal(read(nested(10_000)), nested(10_000));
    }
  });

  it('writes text, JSON-like when nested', () => {
    const point = structSchema([
      ['a', schemas.int32],
      ['s', schemas.string],
    ]);
    equal(write(schemas.string, 'x "y"'), 'x "y"');
    equal(write(decimalSchema(2), Decimal.parse('1.00')), '1.00');
    equal(write(null, ['a', 1, null]), '["a",1,null]');
    equal(write(point, structOf(point, { a: 1, s: 'q"' })), '{"a":1,"s":"q\\""}');
    equal(write(timestampSchema(), new Date('2024-02-29T13:14:15.123Z')), '2024-02-29T13:14:15.123Z');
    equal(write(schemas.bytes, Uint8Array.of(1)), 'AQ==');
    equal(converter.writeHeader('t', 'k', null, null), null);
  });
});
