/**
 * Parquet files. Rows wait as Avro bytes, which are small and can be put aside, until they are enough for a row
 * group; only then they become columns.
 */
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { DataError, logical, sameSchema } from '@millrace/runtime/api';
import type { Schema } from '@millrace/runtime/api';
import { avroTypes } from './avro-type.ts';
import type { AvroType } from './avro-type.ts';
import type { AvroSchemaOptions } from './avro-schema.ts';
import { noSchema } from './avro.ts';
import type { FileEncoder, FileFormat } from './file-format.ts';
import { parquetSchema } from './parquet-schema.ts';

type Codec = NonNullable<ConstructorParameters<typeof ParquetWriter>[0]['codec']>;

/** Raw bytes of a row group: what becomes columns at once, and so what a group costs in memory. */
const rowGroupBytes = 8 << 20;

const codecs: Readonly<Record<string, { readonly codec: Codec; readonly extension: string }>> = {
  none: { codec: 'UNCOMPRESSED', extension: '' },
  snappy: { codec: 'SNAPPY', extension: '.snappy' },
  gzip: { codec: 'GZIP', extension: '.gz' },
  brotli: { codec: 'BROTLI', extension: '.br' },
  zstd: { codec: 'ZSTD', extension: '.zstd' },
};

const compressors = {
  GZIP: (raw: Uint8Array) => gzipSync(raw),
  BROTLI: (raw: Uint8Array) => brotliCompressSync(raw),
  ZSTD: (raw: Uint8Array) => zstdCompressSync(raw),
};

/** Source: io.confluent.connect.s3.format.parquet.ParquetRecordWriterProvider. */
export function parquetFormat(codecName: string, avro: AvroSchemaOptions): FileFormat {
  const { codec, extension } = codecs[codecName] as { codec: Codec; extension: string };
  const typeOf = avroTypes({ ...avro, metaData: false });
  return {
    extension: `${extension}.parquet`,
    needsSchema: true,
    envelope: 'always',
    open(schema) {
      if (schema === null) throw noSchema('ParquetFormat');
      if (schema.type !== 'struct') {
        throw new DataError(`ParquetFormat writes structs, and the record is of type ${schema.type}.`, {
          hint: 'Wrap it with the transform HoistField$Value.',
        });
      }
      return parquetFile(schema, typeOf(schema), codec);
    },
  };
}

function parquetFile(schema: Schema, { type, write }: AvroType, codec: Codec): FileEncoder {
  const elements = parquetSchema(schema);
  const fields = (schema.fields ?? []).map(({ name, schema: own }) => ({ name, statistics: !hasDecimals(own) }));
  const bytes = new ByteWriter();
  const writer = new ParquetWriter({ writer: bytes, schema: elements, codec, compressors, createdBy: 'Millrace' });
  const taken = (): Uint8Array => {
    const written = bytes.getBytes().slice();
    bytes.index = 0;
    return written;
  };
  return {
    blockBytes: rowGroupBytes,
    header: taken(),
    encode(own, value, out) {
      if (own !== schema && !sameSchema(own, schema)) throw new DataError('the record has another schema than its file');
      if (value === null) throw new DataError('ParquetFormat writes structs, and the record is null');
      write(value, out);
    },
    block(raw, records) {
      const columns = fields.map((field) => ({ ...field, data: [] as unknown[] }));
      const buffer = Buffer.from(raw.buffer, raw.byteOffset, raw.length);
      for (let at = 0; at < buffer.length;) {
        const { value, offset } = type.decode(buffer, at);
        for (const { name, data } of columns) data.push((value as Record<string, unknown>)[name]);
        at = offset;
      }
      void writer.write({ columnData: columns, rowGroupSize: records });
      return taken();
    },
    end() {
      void writer.finish();
      return taken();
    },
  };
}

/** The library compares bytes from the left, which is not the order of signed numbers: no bounds are better than wrong ones. */
function hasDecimals({ name, fields, keySchema, valueSchema }: Schema): boolean {
  if (name === logical.decimal) return true;
  const held = [...(fields ?? []).map(({ schema }) => schema), ...[keySchema, valueSchema].filter((each) => each !== undefined)];
  return held.some(hasDecimals);
}
