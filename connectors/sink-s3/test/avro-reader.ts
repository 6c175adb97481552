/** Reads Avro container files with avsc's own decoder, which our writer does not use. */
import { promisify } from 'node:util';
import { zstdDecompressSync } from 'node:zlib';
import avsc from 'avsc';
import { snappyUncompress } from 'hyparquet';

export interface AvroFile {
  readonly schema: { readonly name?: string; readonly namespace?: string; readonly type: string; readonly [key: string]: unknown };
  readonly values: unknown[];
}

const exactLong = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: () => 0,
});

function longsExact(schema: string | { readonly type?: string }): avsc.Type | undefined {
  return (typeof schema === 'string' ? schema : schema.type) === 'long' ? exactLong : undefined;
}

type Done = (error: Error | null, bytes?: Buffer) => void;
const codecs: Record<string, (bytes: Buffer, done: Done) => void> = {
  snappy(bytes, done) {
    const out = new Uint8Array(snappyLength(bytes));
    snappyUncompress(bytes.subarray(0, -4), out);
    done(null, Buffer.from(out));
  },
  zstandard: (bytes, done) => done(null, zstdDecompressSync(bytes)),
};

/** A snappy block begins with its length, seven bits a byte. */
function snappyLength(bytes: Buffer): number {
  let length = 0;
  for (let i = 0, shift = 0; ; i++, shift += 7) {
    const byte = bytes[i] as number;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) return length;
  }
}

export async function readAvro(file: Buffer, codec: string): Promise<AvroFile> {
  const own = codecs[codec];
  const decoder = new avsc.streams.BlockDecoder({
    ...(own === undefined ? {} : { codecs: { [codec]: own as never } }),
    parseHook: (schema) => avsc.Type.forSchema(schema, { typeHook: longsExact as never, omitRecordMethods: true }),
  });
  const values: unknown[] = [];
  let schema: AvroFile['schema'] | undefined;
  decoder.on('metadata', (_type: unknown, _codec: string, header: { meta: Record<string, Buffer> }) => {
    schema = JSON.parse((header.meta['avro.schema'] as Buffer).toString()) as AvroFile['schema'];
  });
  await promisify((done: (error: Error | null) => void) => {
    decoder.on('data', (value: unknown) => values.push(plain(value)));
    decoder.once('error', done);
    decoder.once('end', () => done(null));
    decoder.end(file);
  })();
  if (schema === undefined) throw new Error('the file has no header');
  return { schema: typeof schema === 'string' ? { type: schema } : schema, values };
}

/** Without avsc's own classes. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
