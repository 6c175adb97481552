import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ValueStruct, WireStruct, isStruct, noHeaders, schemas, structSchema } from '../api/index.ts';
import type { ConnectRecord, Struct, StructNode, Transform } from '../api/index.ts';
import plugin from './extract-new-record-state.ts';

const row = structSchema(
  [
    ['id', schemas.int32],
    ['v', schemas.optionalString],
  ],
  { name: 's.t.Value', optional: true },
);
const source = structSchema([
  ['table', schemas.string],
  ['lsn', schemas.optionalInt64],
  ['ts_ms', schemas.int64],
]);
const transaction = structSchema([['id', schemas.string]], { optional: true });
const envelope = structSchema(
  [
    ['before', row],
    ['after', row],
    ['source', source],
    ['transaction', transaction],
    ['op', schemas.string],
  ],
  { name: 's.t.Envelope' },
);

const before = new ValueStruct(row, [1, null]);
const after = new ValueStruct(row, [1, 'x']);

function change(op: string): ConnectRecord {
  const values = [op === 'd' ? before : null, op === 'd' ? null : after, new ValueStruct(source, ['t', 5n, 7]), null, op];
  return {
    topic: 's.t',
    partition: null,
    keySchema: schemas.int32,
    key: 1,
    valueSchema: envelope,
    value: new ValueStruct(envelope, values),
    timestamp: 1,
    headers: noHeaders,
  };
}

const tombstone: ConnectRecord = { ...change('d'), valueSchema: null, value: null };

function unwrap(values: Record<string, unknown> = {}): Transform {
  const defaults = Object.entries(plugin.config).map(([key, { default: fallback }]) => [key, fallback]);
  return plugin.create({ ...Object.fromEntries(defaults), ...values } as never);
}

function shown(record: ConnectRecord | null): unknown {
  if (record === null) return 'dropped';
  if (!isStruct(record.value)) return record.value;
  const struct: Struct = record.value;
  return Object.fromEntries(struct.schema.fields.map(({ name, index }) => [name, struct.at(index)]));
}

describe('ExtractNewRecordState', () => {
  it('gives the row, required and of the same name', () => {
    const record = unwrap()(change('c'));
    deepEqual(shown(record), { id: 1, v: 'x' });
    deepEqual([record?.valueSchema?.name, record?.valueSchema?.optional, record?.topic], ['s.t.Value', false, 's.t']);
    equal(isStruct(record?.value) && record.value.schema, record?.valueSchema);
  });

  const deleted = { id: 1, v: null, __deleted: 'true' };
  const modes = [
    ['tombstone', null, 'dropped'],
    ['drop', 'dropped', 'dropped'],
    ['rewrite', deleted, 'dropped'],
    ['rewrite-with-tombstone', deleted, null],
    ['delete-to-tombstone', null, 'dropped'],
  ] as const;
  for (const [mode, ofDelete, ofTombstone] of modes) {
    it(`handles deletes and tombstones: ${mode}`, () => {
      const transform = unwrap({ 'delete.tombstone.handling.mode': mode });
      deepEqual(shown(transform(change('d'))), ofDelete);
      deepEqual(shown(transform(tombstone)), ofTombstone);
      deepEqual(shown(transform(change('u'))), { id: 1, v: 'x', ...(mode.startsWith('rewrite') ? { __deleted: 'false' } : {}) });
    });
  }

  it('makes of a delete a null that keeps the schema of its row, or has none', () => {
    const schemaIn = (mode: string) => unwrap({ 'delete.tombstone.handling.mode': mode })(change('d'))?.valueSchema;
    deepEqual([schemaIn('tombstone')?.name, schemaIn('tombstone')?.optional], ['s.t.Value', true]);
    equal(schemaIn('delete-to-tombstone'), null);
  });

  it('routes deletes by the row that was, and stays where the field is null', () => {
    const route = (field: string) => unwrap({ 'delete.tombstone.handling.mode': 'rewrite', 'route.by.field': field })(change('d'))?.topic;
    deepEqual([route('id'), route('v')], ['1', 's.t']);
  });

  it('marks tombstones with the operation that made them, and leaves out what is not there', () => {
    const marked = unwrap({ 'delete.tombstone.handling.mode': 'rewrite-with-tombstone', 'add.headers': ['op', 'db', 'source.nope'] });
    deepEqual(
      marked(tombstone)?.headers.map(({ key, value }) => [key, value]),
      [['__op', 'd']],
    );
    deepEqual(
      marked(change('c'))?.headers.map(({ key }) => key),
      ['__op'],
    );
  });

  it('adds fields and headers from the envelope and its source', () => {
    const transform = unwrap({
      'add.fields': ['op', 'table', 'lsn', 'source.ts_ms', 'transaction.id:txid'],
      'add.headers': ['op:kind'],
      'add.headers.prefix': 'h_',
    });
    const record = transform(change('c'));
    deepEqual(shown(record), { id: 1, v: 'x', __op: 'c', __table: 't', __lsn: 5n, __source_ts_ms: 7, __txid: null });
    deepEqual(
      record?.headers.map(({ key, value }) => [key, value]),
      [['h_kind', 'c']],
    );
    equal(
      record?.valueSchema?.fields?.every(({ schema, index }) => schema.optional === index > 0),
      true,
    );
    equal(transform(change('c'))?.valueSchema, record?.valueSchema);
  });

  it('routes by a field, drops truncates, and passes on what is no change', () => {
    equal(unwrap({ 'route.by.field': 'v' })(change('c'))?.topic, 'x');
    equal(unwrap()({ ...change('t'), value: new ValueStruct(envelope, [null, null, null, null, 't']) }), null);
    const other = { ...change('c'), valueSchema: schemas.string, value: 'x' };
    equal(unwrap()(other), other);
  });

  describe('drops the fields that a header names', () => {
    const keySchema = structSchema([
      ['id', schemas.int32],
      ['v', schemas.optionalString],
    ]);
    const withKey = (): ConnectRecord => ({
      ...change('c'),
      keySchema,
      key: new ValueStruct(keySchema, [1, 'x']),
      headers: [{ key: 'dropped', schema: null, value: ['id', 'v'] }],
    });
    const keyOf = (record: ConnectRecord | null): unknown => shown(record === null ? null : { ...record, value: record.key });
    const cases = [
      [{}, { id: 1 }, { id: 1, v: 'x' }],
      [{ 'drop.fields.from.key': true }, { id: 1 }, { id: 1 }],
      [{ 'drop.fields.from.key': true, 'drop.fields.keep.schema.compatible': false }, {}, {}],
    ] as const;
    for (const [values, left, key] of cases) {
      it(JSON.stringify(values), () => {
        const transform = unwrap({ 'drop.fields.header.name': 'dropped', ...values });
        const [a, b] = [transform(withKey()), transform(withKey())];
        deepEqual(shown(a), left);
        deepEqual(keyOf(a), key);
        equal(a?.valueSchema, b?.valueSchema);
        equal(a?.keySchema, b?.keySchema);
        equal(isStruct(a?.key) && a.key.schema, a?.keySchema);
      });
    }

    it('and leaves keys alone that are no structs, or have none of them', () => {
      const transform = unwrap({ 'drop.fields.header.name': 'dropped', 'drop.fields.from.key': true });
      const plain = { ...change('c'), headers: withKey().headers };
      equal(transform(plain)?.key, 1);
      const other = structSchema([['other', schemas.optionalInt32]]);
      const key = new ValueStruct(other, [1]);
      equal(transform({ ...plain, keySchema: other, key })?.key, key);
    });
  });

  it('leaves a row where its bytes are', () => {
    const node: StructNode = {
      kind: 'struct',
      schema: envelope,
      fields: [
        { kind: 'constant', schema: row, value: null },
        {
          kind: 'struct',
          schema: row,
          fields: [
            { kind: 'own', schema: schemas.int32, index: 0 },
            { kind: 'own', schema: schemas.optionalString, index: 1 },
          ],
        },
        { kind: 'constant', schema: source, value: new ValueStruct(source, ['t', 5n, 7]) },
        { kind: 'constant', schema: transaction, value: null },
        { kind: 'constant', schema: schemas.string, value: 'c' },
      ],
    };
    const transform = unwrap();
    const wire = (): ConnectRecord => ({
      ...change('c'),
      value: new WireStruct(node, { bytes: new Uint8Array(0), slots: new Int32Array(0), base: 0, scopes: [], own: [3, 'w'] }),
    });
    const [a, b] = [transform(wire()), transform(wire())];
    ok(a?.value instanceof WireStruct && b?.value instanceof WireStruct);
    equal(a.value.node, b.value.node);
    deepEqual(shown(a), { id: 3, v: 'w' });
  });
});
