/** Avro object container files (Avro specification, "Object Container Files"). */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { crc32, deflateRaw, zstdCompress } from 'node:zlib';
import { snappyCompress } from 'hyparquet-writer/src/snappy.js';
import { DataError, sameSchema } from '@millrace/runtime/api';
import { avroTypes, zigzag } from './avro-type.ts';
import type { AvroSchemaOptions } from './avro-schema.ts';
import type { FileFormat } from './file-format.ts';

type Codec = (raw: Uint8Array) => Uint8Array | Promise<Uint8Array>;

/** As Avro's own writer has it. */
const blockBytes = 64_000;

const codecs: Readonly<Record<string, Codec>> = {
  null: (raw) => raw,
  deflate: promisify(deflateRaw) as Codec,
  zstandard: promisify(zstdCompress) as Codec,
  snappy(raw) {
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(raw) >>> 0);
    return Buffer.concat([snappyCompress(raw), sum]);
  },
};

/** Source: io.confluent.connect.s3.format.avro.AvroRecordWriterProvider. */
export function avroFormat(codec: string, options: AvroSchemaOptions): FileFormat {
  const typeOf = avroTypes(options);
  const compress = codecs[codec] as Codec;
  return {
    extension: '.avro',
    needsSchema: true,
    envelope: 'never',
    open(schema, name) {
      if (schema === null) throw noSchema('AvroFormat');
      const { json, write } = typeOf(schema);
      // Java's writer takes random bytes here; a second writing of the same records must be the same.
      const sync = createHash('md5').update(name).digest();
      return {
        blockBytes,
        header: Buffer.concat([
          Buffer.from('Obj\u0001', 'latin1'),
          metadata({ 'avro.schema': JSON.stringify(json), 'avro.codec': codec }),
          sync,
        ]),
        encode(own, value, out) {
          if (own !== schema && !sameSchema(own, schema)) throw new DataError('the record has another schema than its file');
          write(value, out);
        },
        async block(raw, records) {
          const data = await compress(raw);
          return Buffer.concat([Buffer.from([...zigzag(records), ...zigzag(data.length)]), data, sync]);
        },
      };
    },
  };
}

export function noSchema(format: string): DataError {
  return new DataError(`${format} needs a schema, and the record has none.`, {
    hint: 'Use a converter that gives one, such as JsonConverter with schemas.enable=true.',
  });
}

/** A map of bytes, as one block. */
function metadata(entries: Readonly<Record<string, string>>): Buffer {
  const parts: Buffer[] = [Buffer.from(zigzag(Object.keys(entries).length))];
  for (const text of Object.entries(entries).flat()) {
    const bytes = Buffer.from(text);
    parts.push(Buffer.from(zigzag(bytes.length)), bytes);
  }
  return Buffer.concat([...parts, Buffer.from([0])]);
}
