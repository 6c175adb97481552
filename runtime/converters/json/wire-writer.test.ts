import { equal, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ByteSink,
  Decimal,
  ValueStruct,
  WireStruct,
  decimalSchema,
  isStruct,
  schemaOf,
  schemas,
  slotAbsent,
  slotNull,
  structSchema,
  timestampSchema,
} from '../../api/index.ts';
import type { Schema, SlotNode, Struct, StructNode, WireForm, WireNode, WireRow } from '../../api/index.ts';
import { createJsonConverter } from './json-converter.ts';

/** A random source that gives the same numbers in each run (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const textOf = (bytes: Uint8Array, start: number, end: number): string => Buffer.from(bytes.subarray(start, end)).toString('utf8');

function column(schema: Schema, form: WireForm, decode: SlotNode['decode'], absent: unknown = null): Omit<SlotNode, 'slot'> {
  return { kind: 'slot', schema, form, decode, absent };
}

const columns = [
  column(schemas.optionalInt32, 'integer', (bytes, start, end) => Number(textOf(bytes, start, end))),
  column(schemas.optionalInt64, 'integer', (bytes, start, end) => BigInt(textOf(bytes, start, end))),
  column(schemas.optionalString, 'text', textOf, '__absent "value" 😀'),
  column(schemas.optionalBoolean, 'boolean', (bytes, start) => bytes[start] === 0x74),
  column(decimalSchema(2, { optional: true }), 'decimal', (bytes, start, end) => Decimal.parse(textOf(bytes, start, end), 2)),
  column(schemas.optionalFloat64, 'other', (bytes, start, end) => Number(textOf(bytes, start, end))),
  column(schemaOf('string', { optional: true, defaultValue: 'fallback' }), 'text', textOf),
  // Forms that do not go with their schemas are written by value.
  column(timestampSchema({ optional: true }), 'integer', (bytes, start, end) => new Date(Number(textOf(bytes, start, end)))),
];
const rowSchema = structSchema(
  columns.map(({ schema }, i) => [`c"${i}é`, schema]),
  { name: 'row', optional: true },
);
const sourceSchema = structSchema([
  ['name', schemas.string],
  ['ts', schemas.int64],
  ['where', schemas.optionalString],
  ['lsn', schemas.optionalInt64],
  ['none', schemas.optionalString],
]);
const envelopeSchema = structSchema(
  [
    ['before', rowSchema],
    ['after', rowSchema],
    ['source', sourceSchema],
    ['at', schemas.optionalInt64],
    ['empty', structSchema([])],
  ],
  { name: 'envelope' },
);

const constant = (schema: Schema, value: unknown): WireNode => ({ kind: 'constant', schema, value });
const tree: StructNode = {
  kind: 'struct',
  schema: envelopeSchema,
  fields: [
    constant(rowSchema, null),
    { kind: 'struct', schema: rowSchema, fields: columns.map((node, slot) => ({ ...node, slot })) },
    {
      kind: 'struct',
      schema: sourceSchema,
      fields: [
        constant(schemas.string, 'shop'),
        { kind: 'scope', schema: schemas.int64, scope: 0, index: 0 },
        {
          kind: 'text',
          schema: schemas.optionalString,
          parts: [
            { kind: 'constant', schema: schemas.string, value: '["' },
            { kind: 'scope', schema: schemas.int64, scope: 0, index: 1 },
            { kind: 'constant', schema: schemas.string, value: '","' },
            { kind: 'own', schema: schemas.int64, index: 0 },
            { kind: 'scope', schema: schemas.string, scope: 1, index: 0 },
          ],
        },
        { kind: 'own', schema: schemas.optionalInt64, index: 0 },
        { kind: 'own', schema: schemas.optionalString, index: 1 },
      ],
    },
    { kind: 'scope', schema: schemas.optionalInt64, scope: 1, index: 1 },
    { kind: 'struct', schema: structSchema([]), fields: [] },
  ],
};

const texts = [
  '',
  'plain',
  'quote " and \\',
  'tab\tline\n\u0000',
  'é ü 漢字',
  'emoji 😀 end',
  'x'.repeat(200),
  `${'y'.repeat(100)}"😀`,
  '\u2028',
];

function randomText(random: () => number, index: number): string {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const whole = (limit: number): string => String(Math.floor((random() - 0.5) * 2 * limit));
  switch (index) {
    case 0:
      return whole(2 ** 31);
    case 1:
      return pick(['0', '-1', '9007199254740993', '9223372036854775807', '-9223372036854775808', whole(1e15)]);
    case 3:
      return pick(['t', 'f']);
    case 4:
      return pick([
        '0.00',
        '-0.01',
        '12.30',
        '-128.00',
        '1.27',
        '1.28',
        '123456789012345678901234.56',
        (Math.floor((random() - 0.5) * 1e12) / 100).toFixed(2),
      ]);
    case 5:
      return pick(['0', '-0', '1e-7', '1.5', '123456789', 'NaN', '-Infinity', String(random() * 1e10)]);
    case 7:
      return whole(4e12);
    default:
      return pick(texts);
  }
}

function randomRow(random: () => number, scopes: readonly (readonly unknown[])[]): WireRow {
  const slots = new Int32Array(2 + columns.length * 2);
  const bytes: Buffer[] = [Buffer.from('##')];
  let at = 2;
  columns.forEach((_, i) => {
    const base = 2 + i * 2;
    const kind = random();
    if (kind < 0.1) slots[base] = slotNull;
    else if (kind < 0.2) slots[base] = slotAbsent;
    else {
      const text = Buffer.from(randomText(random, i));
      bytes.push(text);
      slots[base] = at;
      at += text.length;
      slots[base + 1] = at;
    }
  });
  return {
    bytes: new Uint8Array(Buffer.concat(bytes)),
    slots,
    base: 2,
    scopes,
    own: [BigInt(Math.floor(random() * 1e15)), random() < 0.5 ? null : texts[2]],
  };
}

function asValues(struct: Struct): ValueStruct {
  const values = struct.schema.fields.map(({ index }) => {
    const value = struct.at(index);
    return isStruct(value) ? asValues(value) : value;
  });
  return new ValueStruct(struct.schema, values);
}

describe('the wire writer', () => {
  for (const schemasEnable of [false, true]) {
    for (const decimalFormat of ['BASE64', 'NUMERIC'] as const) {
      for (const replaceNull of [true, false]) {
        it(`gives the bytes that values give (schemas ${schemasEnable}, decimals ${decimalFormat}, defaults ${replaceNull})`, () => {
          const converter = createJsonConverter({ schemasEnable, cacheSize: 10, decimalFormat, replaceNull });
          const random = randomFrom(42);
          let transaction: unknown[] = [1, 2n];
          const wire = new ByteSink(8);
          const values = new ByteSink(8);
          for (let i = 0; i < 500; i++) {
            if (random() < 0.3) transaction = [Math.floor(random() * 1e12), BigInt(i)];
            const struct = new WireStruct(tree, randomRow(random, [transaction, ['"]', i]]));
            wire.clear();
            values.clear();
            equal(converter.write('t', envelopeSchema, struct, wire), true);
            converter.write('t', envelopeSchema, asValues(struct), values);
            equal(Buffer.from(wire.written()).toString(), Buffer.from(values.written()).toString());
            JSON.parse(Buffer.from(wire.written()).toString());
          }
        });
      }
    }
  }

  it('names the field of a null that must not be, and leaves nothing behind', () => {
    const schema = structSchema(
      [
        ['a', schemas.string],
        ['b', schemas.int32],
      ],
      { name: 'needy' },
    );
    const node: StructNode = {
      kind: 'struct',
      schema,
      fields: [
        constant(schemas.string, 'x'),
        { kind: 'slot', slot: 0, schema: schemas.int32, form: 'integer', decode: () => 0, absent: null },
      ],
    };
    const out = new ByteSink(8);
    const row: WireRow = { bytes: new Uint8Array(0), slots: Int32Array.of(slotNull, 0), base: 0, scopes: [], own: [] };
    const converter = createJsonConverter({ schemasEnable: false, cacheSize: 10, decimalFormat: 'BASE64', replaceNull: true });
    throws(() => converter.write('t', schema, new WireStruct(node, row), out), {
      name: 'DataError',
      message: /needy\.b: null for a required int32/,
    });
    equal(out.position, 0);
  });
});
