import { equal, ok } from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ByteSink,
  ValueStruct,
  WireStruct,
  isStruct,
  noHeaders,
  schemaOf,
  schemas,
  slotAbsent,
  slotNull,
  structSchema,
} from '../api/index.ts';
import type { ConnectRecord, Schema, SlotNode, Struct, StructNode, StructSchema, Transform, WireForm, WireNode } from '../api/index.ts';
import { createJsonConverter } from '../converters/json/json-converter.ts';
import unwrapPlugin from './extract-new-record-state.ts';
import { value as hoistPlugin } from './hoist-field.ts';
import { value as insertPlugin } from './insert-field.ts';
import { value as replacePlugin } from './replace-field.ts';
import valueToKeyPlugin from './value-to-key.ts';

const text = (bytes: Uint8Array, start: number, end: number): string => Buffer.from(bytes.subarray(start, end)).toString();
const column = (slot: number, schema: Schema, form: WireForm, decode: SlotNode['decode'] = text): SlotNode => ({
  ...{ kind: 'slot', schema, slot, form, decode },
  absent: 'absent',
});
const optionalWithDefault = schemaOf('string', { optional: true, defaultValue: 'usual' });

// The third value has a default, and the fourth is null where its bytes are "NaN".
const columns = [
  column(0, schemas.int32, 'integer', (...at) => Number(text(...at))),
  column(1, schemas.optionalString, 'text'),
  column(2, optionalWithDefault, 'text'),
  column(3, schemaOf('float64', { optional: true, defaultValue: 1 }), 'other', (...at) =>
    text(...at) === 'NaN' ? null : Number(text(...at)),
  ),
];
const rowSchema = structSchema(
  columns.map(({ schema }, index) => [`c${index}`, schema]),
  { name: 's.t.Value', optional: true },
);
const sourceSchema = structSchema([
  ['table', schemas.string],
  ['lsn', schemas.optionalInt64],
  ['snapshot', optionalWithDefault],
  ['ts_ms', schemas.int64],
]);
const transactionSchema = structSchema([['id', schemas.string]], { optional: true });
const envelopeSchema = structSchema(
  [
    ['before', rowSchema],
    ['after', rowSchema],
    ['source', sourceSchema],
    ['transaction', transactionSchema],
    ['op', schemas.string],
  ],
  { name: 's.t.Envelope' },
);
const constant = (schema: Schema, value: unknown): WireNode => ({ kind: 'constant', schema, value });
const struct = (schema: StructSchema, fields: readonly WireNode[]): StructNode => ({ kind: 'struct', schema, fields });
const row = struct(rowSchema, columns);

function event(op: string): StructNode {
  const none = constant(rowSchema, null);
  const source = struct(sourceSchema, [
    constant(schemas.string, 't'),
    { kind: 'own', schema: schemas.optionalInt64, index: 0 },
    constant(optionalWithDefault, null),
    { kind: 'scope', schema: schemas.int64, scope: 0, index: 0 },
  ]);
  const rows = op === 'd' ? [row, none] : [none, row];
  return struct(envelopeSchema, [...rows, source, constant(transactionSchema, null), constant(schemas.string, op)]);
}

type Values = readonly (string | null | undefined)[];

function wireEvent(op: string, values: Values): WireStruct {
  const bytes = Buffer.from(values.join(''));
  let at = 0;
  const slots = values.flatMap((value) => {
    if (value === null) return [slotNull, 0];
    if (value === undefined) return [slotAbsent, 0];
    return [at, (at += value.length)];
  });
  return new WireStruct(event(op), { bytes, slots: Int32Array.from(slots), base: 0, scopes: [[77]], own: [5n] });
}

/** The same struct, of values. */
function decoded(given: Struct): ValueStruct {
  const values = given.schema.fields.map(({ index }) => given.at(index));
  return new ValueStruct(
    given.schema,
    values.map((value) => (isStruct(value) ? decoded(value) : value)),
  );
}

const recordOf = (value: Struct): ConnectRecord => ({
  ...{ topic: 's.t', partition: null, keySchema: schemas.int32, key: 1, valueSchema: value.schema, value },
  ...{ timestamp: 1, headers: noHeaders },
});

interface Plugin {
  readonly config: Readonly<Record<string, object>>;
  create(values: never): Transform;
}

function made(plugin: Plugin, values: Readonly<Record<string, unknown>>): Transform {
  const defaults = Object.entries(plugin.config).map(([key, definition]) => [key, 'default' in definition ? definition.default : null]);
  return plugin.create({ ...Object.fromEntries(defaults), ...values } as never);
}

/** Key and value with their schemas, as a converter that puts no defaults in place of null writes them. */
function written(record: ConnectRecord | null): string {
  const converter = createJsonConverter({ schemasEnable: true, decimalFormat: 'BASE64', replaceNull: false } as never);
  const out = new ByteSink();
  converter.write('t', record?.keySchema ?? null, record?.key, out);
  converter.write('t', record?.valueSchema ?? null, record?.value, out);
  return Buffer.from(out.written()).toString();
}

const afterUnwrap = (plugin: Plugin, values: Readonly<Record<string, unknown>>): Transform => {
  const [first, second] = [made(unwrapPlugin, {}), made(plugin, values)];
  return (record) => {
    const between = first(record);
    return between === null || between.value === null ? between : second(between);
  };
};
const rewrite = { 'delete.tombstone.handling.mode': 'rewrite' };
const chains: readonly (readonly [string, Transform, { readonly defaults: boolean }])[] = [
  ['unwrap', made(unwrapPlugin, {}), { defaults: false }],
  ['unwrap, rewrite', made(unwrapPlugin, rewrite), { defaults: true }],
  [
    'unwrap, fields added',
    made(unwrapPlugin, { 'add.fields': ['op', 'table', 'lsn', 'source.snapshot', 'source.ts_ms', 'transaction.id:txid', 'nope'] }),
    { defaults: false },
  ],
  ['InsertField', afterUnwrap(insertPlugin, { 'static.field': 'region', 'static.value': 'eu' }), { defaults: true }],
  ['ReplaceField', afterUnwrap(replacePlugin, { exclude: ['c1'], include: [], renames: ['c0:id'] }), { defaults: true }],
  ['HoistField', afterUnwrap(hoistPlugin, { field: 'row' }), { defaults: false }],
  ['ValueToKey', afterUnwrap(valueToKeyPlugin, { fields: ['c2', 'c0'] }), { defaults: true }],
];
const rows: readonly (readonly [string, Values, { readonly lacksDefault: boolean }])[] = [
  ['whole', ['1', 'x"', 'y', '2.5'], { lacksDefault: false }],
  ['with a null', ['1', null, 'y', '2.5'], { lacksDefault: false }],
  ['with a value that was not sent', ['1', undefined, undefined, '2.5'], { lacksDefault: false }],
  ['with a null where there is a default', ['1', 'x', null, '2.5'], { lacksDefault: true }],
  ['with bytes that stand for null where there is a default', ['1', 'x', 'y', 'NaN'], { lacksDefault: true }],
];

describe('transforms of rows in their bytes', () => {
  for (const [chain, transform, { defaults }] of chains) {
    for (const [which, values, { lacksDefault }] of rows) {
      it(`${chain}: a row ${which} is written as one of values`, () => {
        for (const op of ['c', 'd']) {
          const wire = wireEvent(op, values);
          const result = transform(recordOf(wire));
          equal(written(result), written(transform(recordOf(decoded(wire)))));
          const changed = chain === 'ValueToKey' ? result?.key : result?.value;
          if (isStruct(changed)) equal(inBytes(changed), !(defaults && lacksDefault));
        }
      });
    }
  }

  it('makes a tree once', () => {
    const transform = made(unwrapPlugin, rewrite);
    const wire = wireEvent('c', ['1', 'x', 'y', '2']);
    const [a, b] = [transform(recordOf(wire)), transform(recordOf(new WireStruct(wire.node, wire.row)))];
    ok(a?.value instanceof WireStruct && b?.value instanceof WireStruct);
    equal(a.value.node, b.value.node);
  });
});

function inBytes(value: Struct): boolean {
  return value instanceof WireStruct || (value.schema.fields.length === 1 && value.at(0) instanceof WireStruct);
}
