/** avsc's types for Connect's schemas. */
import avsc from 'avsc';
import { DataError } from '@millrace/runtime/api';
import type { ByteSink, Schema } from '@millrace/runtime/api';
import { avroSchema } from './avro-schema.ts';
import type { AvroSchema, AvroSchemaOptions } from './avro-schema.ts';
import { avroValues } from './avro-values.ts';
import type { ToAvro } from './avro-values.ts';

export interface AvroType {
  /** As it stands in files. */
  readonly json: AvroSchema;
  readonly type: avsc.Type;
  /** Appends the value's bytes. Throws a DataError. */
  write(value: unknown, out: ByteSink): void;
}

/** 64 bits whole: avsc's own long gives up beyond 2^53. */
const exactLong = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer(value: bigint | number) {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigInt64LE(BigInt(value));
    return bytes;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint' || Number.isSafeInteger(value),
  compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
});

/** In place of a registry, which longs with attributes (names, logical types) pass by. */
function longsExact(schema: AvroSchema): avsc.Type | undefined {
  const type = typeof schema === 'object' && !Array.isArray(schema) ? schema['type'] : schema;
  return type === 'long' ? exactLong : undefined;
}

/** Throws a DataError for a schema that Avro does not allow (a field named with a dash, say). */
function avscType(json: AvroSchema): avsc.Type {
  try {
    return avsc.Type.forSchema(json as never, { typeHook: longsExact as never, omitRecordMethods: true });
  } catch (cause) {
    throw new DataError(`the schema is none that Avro allows: ${(cause as Error).message}`, { cause });
  }
}

/** One for each schema and file format, kept by the schema's identity. */
export function avroTypes(options: AvroSchemaOptions): (schema: Schema) => AvroType {
  const known = new WeakMap<Schema, AvroType>();
  return (schema) => {
    let type = known.get(schema);
    if (type === undefined) known.set(schema, (type = avroType(schema, options)));
    return type;
  };
}

function avroType(schema: Schema, options: AvroSchemaOptions): AvroType {
  const json = avroSchema(schema, options);
  const type = avscType(json);
  const convert = avroValues(schema, options);
  return { json, type, write: (value, out) => write(type, convert, value, out) };
}

function write(type: avsc.Type, convert: ToAvro, value: unknown, out: ByteSink): void {
  const converted = convert(value);
  try {
    for (;;) {
      const buffer = Buffer.from(out.bytes.buffer, out.bytes.byteOffset, out.bytes.length);
      const end = type.encode(converted, buffer, out.position);
      if (end >= 0) {
        out.position = end;
        return;
      }
      out.ensure(out.bytes.length - out.position - end);
    }
  } catch (cause) {
    throw new DataError(`the value does not fit its Avro schema: ${(cause as Error).message}`, { cause });
  }
}

/** Avro's long: zigzag, in groups of seven bits. */
export function zigzag(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value) * 2n;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return bytes;
}
