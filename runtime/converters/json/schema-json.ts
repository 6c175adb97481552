import { ByteSink } from '../../api/index.ts';
import type { Schema, SchemaType } from '../../api/index.ts';
import { writeInteger, writeString } from './text.ts';
import type { JsonWriters } from './writer-types.ts';

/** Names of types in JSON; the others are called there as they are here. */
const typeNames: Partial<Record<SchemaType, string>> = { float32: 'float', float64: 'double' };

/** Writes a schema as JsonConverter.asJsonSchema orders it: type, its parts, optional, name, version, doc, parameters, default, field. */
export function writeSchema(schema: Schema, out: ByteSink, writers: JsonWriters, field?: string): void {
  out.text(`{"type":"${typeNames[schema.type] ?? schema.type}"`);
  if (schema.type === 'array') part('items', schema.valueSchema, out, writers);
  if (schema.type === 'map') {
    part('keys', schema.keySchema, out, writers);
    part('values', schema.valueSchema, out, writers);
  }
  if (schema.type === 'struct') {
    out.text(',"fields":[');
    for (const { name, index, schema: inner } of schema.fields ?? []) {
      if (index > 0) out.byte(0x2c);
      writeSchema(inner, out, writers, name);
    }
    out.byte(0x5d);
  }
  out.text(`,"optional":${schema.optional}`);
  if (schema.name !== undefined) text('name', schema.name, out);
  if (schema.version !== undefined) {
    out.text(',"version":');
    writeInteger(out, schema.version);
  }
  if (schema.doc !== undefined) text('doc', schema.doc, out);
  if (schema.parameters !== undefined) {
    out.text(',"parameters":{');
    Object.entries(schema.parameters).forEach(([key, value], index) => {
      if (index > 0) out.byte(0x2c);
      writeString(out, key);
      out.byte(0x3a);
      writeString(out, value);
    });
    out.byte(0x7d);
  }
  if (schema.defaultValue !== undefined && schema.defaultValue !== null) {
    out.text(',"default":');
    writers.forSchema(schema)(schema.defaultValue, out);
  }
  if (field !== undefined) text('field', field, out);
  out.byte(0x7d);
}

function part(key: string, schema: Schema | undefined, out: ByteSink, writers: JsonWriters): void {
  out.text(`,"${key}":`);
  if (schema === undefined) out.text('null');
  else writeSchema(schema, out, writers);
}

function text(key: string, value: string, out: ByteSink): void {
  out.text(`,"${key}":`);
  writeString(out, value);
}

/** What comes before the payload in an envelope: `{"schema":…,"payload":`. */
export function envelopeHead(schema: Schema | null, writers: JsonWriters): Uint8Array {
  const out = new ByteSink(1024);
  out.text('{"schema":');
  if (schema === null) out.text('null');
  else writeSchema(schema, out, writers);
  out.text(',"payload":');
  return out.written().slice();
}
