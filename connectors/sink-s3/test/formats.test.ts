import { deepEqual, equal, match, rejects, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import avsc from 'avsc';
import { parquetReadObjects } from 'hyparquet';
import {
  ByteSink,
  Decimal,
  SerializedValue,
  arraySchema,
  dateSchema,
  decimalSchema,
  mapSchema,
  schemaOf,
  schemas,
  structOf,
  structSchema,
  timestampSchema,
} from '@millrace/runtime/api';
import type { Schema } from '@millrace/runtime/api';
import { avroFormat } from '../formats/avro.ts';
import { compressed } from '../formats/compression.ts';
import type { FileFormat } from '../formats/file-format.ts';
import { bytesFormat, jsonFormat } from '../formats/lines.ts';
import { parquetFormat } from '../formats/parquet.ts';
import { readAvro } from './avro-reader.ts';

const inner = structSchema([['x', schemas.float64]], { optional: true, name: 'shop.Inner' });
const row = structSchema(
  [
    ['id', schemas.int64],
    ['name', schemas.optionalString],
    ['ok', schemas.boolean],
    ['small', schemas.int16],
    ['amount', decimalSchema(2)],
    ['day', dateSchema()],
    ['at', timestampSchema({ optional: true })],
    ['raw', schemas.optionalBytes],
    ['tags', arraySchema(schemas.optionalString)],
    ['counts', mapSchema(schemas.string, schemas.int32)],
    ['byNumber', mapSchema(schemas.int32, schemas.string, { optional: true })],
    ['inner', inner],
  ],
  { name: 'shop.Row', version: 3 },
);

const rows = [
  structOf(row, {
    id: 9_007_199_254_740_993n,
    name: 'é',
    ok: true,
    small: -3,
    amount: Decimal.parse('-1.20'),
    day: new Date(86_400_000 * 2),
    at: new Date(1234),
    raw: Uint8Array.of(0, 255),
    tags: ['a', null],
    counts: new Map([['k', 1]]),
    byNumber: new Map([[7, 'seven']]),
    inner: structOf(inner, { x: 1.5 }),
  }),
  structOf(row, { id: 1, ok: false, small: 1, amount: Decimal.parse('0.00'), day: new Date(0), tags: [], counts: new Map() }),
];

/** A file as an object file puts it together. */
async function fileOf(format: FileFormat, schema: Schema | null, values: readonly unknown[], records = 1, name = 'name'): Promise<Buffer> {
  const encoder = format.open(schema, name);
  const parts: Uint8Array[] = encoder.header === undefined ? [] : [encoder.header];
  let out = new ByteSink();
  let count = 0;
  const cut = async (): Promise<void> => {
    if (count > 0) parts.push((await encoder.block?.(out.written(), count)) ?? out.written());
    out = new ByteSink();
    count = 0;
  };
  for (const value of values) {
    encoder.encode(schema, value, out);
    if (++count === records) await cut();
  }
  await cut();
  if (encoder.end !== undefined) parts.push(await encoder.end());
  return Buffer.concat(parts);
}

const avroOptions = { metaData: true, enhanced: true, optionalMapKeys: false };

describe('JSON files', () => {
  const cases: readonly (readonly [value: unknown, line: string, schema?: Schema])[] = [
    [null, 'null'],
    ['te"xt', '"te\\"xt"'],
    [{ a: [1, 1.5, 9_007_199_254_740_993n, null, true], b: { c: new Date(5) } }, '{"a":[1,1.5,9007199254740993,null,true],"b":{"c":5}}'],
    [new Map([['k', Uint8Array.of(1)]]), '{"k":"AQ=="}'],
    [1, '1.0', schemas.float64],
    [
      rows[0],
      '{"id":9007199254740993,"name":"é","ok":true,"small":-3,"amount":"iA==","day":2,"at":1234,"raw":"AP8=","tags":["a",null],"counts":{"k":1},"byNumber":[[7,"seven"]],"inner":{"x":1.5}}',
      row,
    ],
  ];
  for (const [value, line, schema = null] of cases) {
    it(`writes ${line}`, async () => equal((await fileOf(jsonFormat('BASE64'), schema, [value])).toString(), `${line}\n`));
  }

  it('copies what was left in its bytes', async () => {
    const value = new SerializedValue(Buffer.from('{"a":1.0}'), () => null);
    equal((await fileOf(jsonFormat('BASE64'), null, [value, { b: 1 }])).toString(), '{"a":1.0}\n{"b":1}\n');
  });

  it('writes decimals as numbers where asked to', async () => {
    match((await fileOf(jsonFormat('NUMERIC'), row, rows)).toString(), /"amount":-1\.20.*\n.*"amount":0\.00/);
  });

  it('refuses what is nested beyond reason, and what is not of its schema', async () => {
    let deep: unknown = 1;
    for (let i = 0; i < 10_000; i++) deep = [deep];
    await rejects(fileOf(jsonFormat('BASE64'), null, [deep]), { name: 'DataError', message: /nested more than 1000 deep/ });
    const one = structSchema([['n', schemas.int32]]);
    await rejects(fileOf(jsonFormat('BASE64'), one, [structOf(one, { n: 'x' })]), /an integer field holds a value of type string/);
    await rejects(fileOf(jsonFormat('BASE64'), one, [structOf(one, {})]), /null where the schema allows none/);
  });
});

describe('compressed files', () => {
  const values = Array.from({ length: 100 }, (_, i) => Buffer.from(`value ${i}`));
  const expected = `${values.map(String).join('\n')}\n`;

  it('are one gzip member', async () => {
    const format = compressed(bytesFormat('.bin', '\n'), 'gzip', 9);
    equal(format.extension, '.bin.gz');
    const file = await fileOf(format, null, values, 7);
    equal(gunzipSync(file).toString(), expected);
    // A second member would begin like the first.
    equal(file.indexOf(Buffer.from([0x1f, 0x8b, 8]), 3), -1);
    equal(gunzipSync(await fileOf(format, null, [])).toString(), '');
  });

  it('are one zstd frame', async () => {
    const format = compressed(bytesFormat('.bin', '\n'), 'zstd', -1);
    equal(format.extension, '.bin.zst');
    equal(zstdDecompressSync(await fileOf(format, null, values, 50)).toString(), expected);
  });
});

describe('Avro files', () => {
  for (const codec of ['null', 'deflate', 'snappy', 'zstandard']) {
    it(`are read by avsc, codec ${codec}`, async () => {
      const { schema, values } = await readAvro(await fileOf(avroFormat(codec, avroOptions), row, rows), codec);
      deepEqual([schema.name, schema.namespace, schema['connect.version'], schema['connect.name']], ['Row', 'shop', 3, 'shop.Row']);
      deepEqual(values, [
        {
          id: 9_007_199_254_740_993n,
          name: 'é',
          ok: true,
          small: -3,
          amount: Buffer.from([0x88]),
          day: 2,
          at: 1234n,
          raw: Buffer.from([0, 255]),
          tags: ['a', null],
          counts: { k: 1 },
          byNumber: [{ key: 7, value: 'seven' }],
          inner: { x: 1.5 },
        },
        {
          id: 1n,
          name: null,
          ok: false,
          small: 1,
          amount: Buffer.from([0]),
          day: 0,
          at: null,
          raw: null,
          tags: [],
          counts: {},
          byNumber: null,
          inner: null,
        },
      ]);
    });
  }

  it('hold single values too, and tell one file from another', async () => {
    const format = avroFormat('null', avroOptions);
    const file = await fileOf(format, schemas.string, ['a', 'b']);
    deepEqual((await readAvro(file, 'null')).values, ['a', 'b']);
    deepEqual(file, await fileOf(format, schemas.string, ['a', 'b']));
    equal(file.equals(await fileOf(format, schemas.string, ['a', 'b'], 1, 'other')), false);
  });

  it('hold enumerations', async () => {
    const parameters = {
      'io.confluent.connect.avro.Enum': 'shop.Color',
      'io.confluent.connect.avro.Enum.RED': 'RED',
      'io.confluent.connect.avro.Enum.BLUE': 'BLUE',
    };
    const colour = schemaOf('string', { parameters });
    const { schema, values } = await readAvro(await fileOf(avroFormat('null', avroOptions), colour, ['BLUE']), 'null');
    deepEqual([schema.type, schema['symbols'], values], ['enum', ['RED', 'BLUE'], ['BLUE']]);
  });

  it('refuse what they cannot hold', async () => {
    throws(() => avroFormat('null', avroOptions).open(null, 'n'), { name: 'DataError', message: /AvroFormat needs a schema/ });
    const dashed = structSchema([['a-b', schemas.int32]]);
    throws(() => avroFormat('null', avroOptions).open(dashed, 'n'), /the schema is none that Avro allows/);
    await rejects(fileOf(avroFormat('null', avroOptions), schemas.int32, ['x']), /does not fit its Avro schema/);
    equal(avsc.Type.isType(null), false);
  });
});

describe('Parquet files', () => {
  const plain = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? String(each) : each)));

  for (const [codec, extension] of [
    ['none', '.parquet'],
    ['snappy', '.snappy.parquet'],
  ] as const) {
    it(`are read by hyparquet, codec ${codec}`, async () => {
      const format = parquetFormat(codec, avroOptions);
      equal(format.extension, extension);
      const file = await fileOf(format, row, rows);
      const found = await parquetReadObjects({ file: file.buffer.slice(file.byteOffset, file.byteOffset + file.length) as ArrayBuffer });
      const [first, second] = plain(found) as Record<string, unknown>[];
      deepEqual(
        [first?.['id'], first?.['name'], first?.['ok'], first?.['small'], first?.['day'], first?.['at']],
        ['9007199254740993', 'é', true, -3, '1970-01-03T00:00:00.000Z', '1970-01-01T00:00:01.234Z'],
      );
      deepEqual([first?.['tags'], first?.['counts'], first?.['inner']], [['a', null], { k: 1 }, { x: 1.5 }]);
      deepEqual(
        [second?.['id'], second?.['name'], second?.['at'], second?.['tags'], second?.['inner'] ?? null],
        ['1', null, null, [], null],
      );
      deepEqual(file, await fileOf(format, row, rows));
    });
  }

  it('hold structs only', () => {
    throws(
      () => parquetFormat('none', avroOptions).open(schemas.string, 'n'),
      /ParquetFormat writes structs, and the record is of type string.*HoistField/,
    );
    throws(() => parquetFormat('none', avroOptions).open(null, 'n'), /ParquetFormat needs a schema/);
    throws(() => parquetFormat('none', avroOptions).open(structSchema([]), 'n'), /this schema has none/);
  });
});
