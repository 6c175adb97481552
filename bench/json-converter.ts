/**
 * What CPU one row costs in the JSON converter: `node bench/json-converter.ts [rows]`. Rows are Debezium-like envelopes
 * of a six-column table, as wire structs; the same rows as objects come after for comparison, and reading them back.
 */
import { ByteSink, Decimal, ValueStruct, WireStruct, decimalSchema, isStruct, schemas, structSchema } from '../runtime/api/index.ts';
import type { Struct, StructNode, StructSchema, WireForm, WireNode, WireRow } from '../runtime/api/index.ts';
import { createJsonConverter } from '../runtime/converters/json/json-converter.ts';

const rows = Number(process.argv[2] ?? 1_000_000);
const perTransaction = 1000;

const decodeText = (bytes: Uint8Array, start: number, end: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');

const amount = decimalSchema(2, { optional: true, parameters: { 'connect.decimal.precision': '12' } });
const rowSchema = structSchema(
  [
    ['id', schemas.int64],
    ['customer_id', schemas.optionalInt32],
    ['status', schemas.optionalString],
    ['amount', amount],
    ['note', schemas.optionalString],
    ['created_at', schemas.optionalString],
  ],
  { name: 'shop.public.orders.Value', optional: true },
);
const sourceSchema = structSchema(
  [
    ['version', schemas.string],
    ['connector', schemas.string],
    ['name', schemas.string],
    ['ts_ms', schemas.int64],
    ['snapshot', schemas.optionalString],
    ['db', schemas.string],
    ['sequence', schemas.optionalString],
    ['ts_us', schemas.optionalInt64],
    ['ts_ns', schemas.optionalInt64],
    ['schema', schemas.string],
    ['table', schemas.string],
    ['txId', schemas.optionalInt64],
    ['lsn', schemas.optionalInt64],
    ['xmin', schemas.optionalInt64],
  ],
  { name: 'io.debezium.connector.postgresql.Source' },
);
const envelopeSchema = structSchema(
  [
    ['before', rowSchema],
    ['after', rowSchema],
    ['source', sourceSchema],
    ['transaction', schemas.optionalString],
    ['op', schemas.string],
    ['ts_ms', schemas.optionalInt64],
    ['ts_us', schemas.optionalInt64],
    ['ts_ns', schemas.optionalInt64],
  ],
  { name: 'shop.public.orders.Envelope', version: 2 },
);

const forms: WireForm[] = ['integer', 'integer', 'text', 'decimal', 'text', 'text'];
const columns: WireNode[] = rowSchema.fields.map(({ schema }, slot) => ({
  kind: 'slot',
  schema,
  slot,
  form: forms[slot] as WireForm,
  absent: null,
  decode: (bytes, start, end) => {
    const text = decodeText(bytes, start, end);
    if (forms[slot] === 'decimal') return Decimal.parse(text, 2);
    return forms[slot] === 'integer' ? Number(text) : text;
  },
}));
const fieldOf = (schema: StructSchema, name: string) => schema.fields.find((field) => field.name === name)!.schema;
const constant = (schema: StructSchema, name: string, value: unknown): WireNode => ({
  kind: 'constant',
  schema: fieldOf(schema, name),
  value,
});
const scope = (schema: StructSchema, name: string, number: number, index: number): WireNode => ({
  kind: 'scope',
  schema: fieldOf(schema, name),
  scope: number,
  index,
});

const source: StructNode = {
  kind: 'struct',
  schema: sourceSchema,
  fields: [
    constant(sourceSchema, 'version', '3.3.2.Final'),
    constant(sourceSchema, 'connector', 'postgresql'),
    constant(sourceSchema, 'name', 'shop'),
    scope(sourceSchema, 'ts_ms', 0, 0),
    constant(sourceSchema, 'snapshot', null),
    constant(sourceSchema, 'db', 'shop'),
    {
      kind: 'text',
      schema: schemas.optionalString,
      parts: [
        { kind: 'constant', schema: schemas.string, value: '["' },
        { kind: 'scope', schema: schemas.int64, scope: 0, index: 3 },
        { kind: 'constant', schema: schemas.string, value: '","' },
        { kind: 'own', schema: schemas.int64, index: 0 },
        { kind: 'constant', schema: schemas.string, value: '"]' },
      ],
    },
    scope(sourceSchema, 'ts_us', 0, 1),
    scope(sourceSchema, 'ts_ns', 0, 2),
    constant(sourceSchema, 'schema', 'public'),
    constant(sourceSchema, 'table', 'orders'),
    scope(sourceSchema, 'txId', 0, 4),
    { kind: 'own', schema: fieldOf(sourceSchema, 'lsn'), index: 0 },
    constant(sourceSchema, 'xmin', null),
  ],
};
const envelope: StructNode = {
  kind: 'struct',
  schema: envelopeSchema,
  fields: [
    constant(envelopeSchema, 'before', null),
    { kind: 'struct', schema: rowSchema, fields: columns },
    source,
    constant(envelopeSchema, 'transaction', null),
    constant(envelopeSchema, 'op', 'c'),
    scope(envelopeSchema, 'ts_ms', 1, 0),
    scope(envelopeSchema, 'ts_us', 1, 1),
    scope(envelopeSchema, 'ts_ns', 1, 2),
  ],
};

/** A batch of rows over one buffer, in transactions of `size` rows. */
function batch(count: number, size: number): WireStruct[] {
  const texts: Buffer[] = [];
  const slots = new Int32Array(count * 12);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const note = (i * 2654435761).toString(16).padStart(32, 'a').slice(0, 32);
    const values = [
      String(1_000_000 + i),
      String(i % 99_999),
      'new',
      `${i % 1000}.${String(i % 100).padStart(2, '0')}`,
      note,
      '2024-02-29T11:14:15.123456Z',
    ];
    values.forEach((value, slot) => {
      slots[(i * 6 + slot) * 2] = at;
      at += value.length;
      slots[(i * 6 + slot) * 2 + 1] = at;
      texts.push(Buffer.from(value));
    });
  }
  const bytes = new Uint8Array(Buffer.concat(texts));
  const poll = [1795303096020, 1795303096020346n, 1795303096020346000n];
  let transaction: unknown[] = [];
  return Array.from({ length: count }, (_, i) => {
    if (i % size === 0) transaction = [1795303096000 + i, 1795303096020346n, 1795303096020346000n, 271387784 + i, 997 + i];
    const row: WireRow = { bytes, slots, base: i * 12, scopes: [transaction, poll], own: [271387784 + i * 100] };
    return new WireStruct(envelope, row);
  });
}

function asValues(struct: Struct): ValueStruct {
  return new ValueStruct(
    struct.schema,
    struct.schema.fields.map(({ index }) => {
      const value = struct.at(index);
      return isStruct(value) ? asValues(value) : value;
    }),
  );
}

const settings = { cacheSize: 1000, decimalFormat: 'BASE64', replaceNull: true } as const;

function measure(name: string, structs: readonly Struct[], schemasEnable: boolean, count: number): void {
  const converter = createJsonConverter({ ...settings, schemasEnable });
  const out = new ByteSink(1 << 20);
  let bytes = 0;
  const run = (times: number): void => {
    for (let done = 0; done < times;) {
      for (let i = 0; i < structs.length && done < times; i++, done++) {
        if (out.position > 900_000) {
          bytes += out.position;
          out.clear();
        }
        converter.write('t', envelopeSchema, structs[i], out);
      }
    }
  };
  run(count / 10);
  bytes = 0;
  out.clear();
  const before = process.cpuUsage();
  run(count);
  const { user, system } = process.cpuUsage(before);
  const ns = (user + system) * 1000;
  bytes += out.position;
  console.log(`${name.padEnd(52)} ${(ns / count).toFixed(0).padStart(6)} ns CPU/row ${(bytes / count).toFixed(0).padStart(5)} bytes/row`);
}

function measureRead(name: string, struct: Struct, schemasEnable: boolean, count: number): void {
  const converter = createJsonConverter({ ...settings, schemasEnable });
  const out = new ByteSink();
  converter.write('t', envelopeSchema, struct, out);
  const bytes = out.written();
  for (let i = 0; i < count / 10; i++) converter.read('t', bytes);
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) converter.read('t', bytes);
  const { user, system } = process.cpuUsage(before);
  const ns = (user + system) * 1000;
  console.log(`${name.padEnd(52)} ${(ns / count).toFixed(0).padStart(6)} ns CPU/row ${String(bytes.length).padStart(5)} bytes/row`);
}

const large = batch(10_000, perTransaction);
const small = batch(10_000, 1);
measure('wire structs, transactions of 1000 rows', large, false, rows);
measure('wire structs, transactions of 1 row', small, false, rows);
measure('wire structs, schemas.enable=true', large, true, rows / 10);
measure('values in objects', large.map(asValues), false, rows / 5);
measureRead('reading, schemas.enable=false', large[0]!, false, rows / 10);
measureRead('reading, schemas.enable=true', large[0]!, true, rows / 10);
