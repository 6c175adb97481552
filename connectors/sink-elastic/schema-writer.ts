/**
 * Writers of JSON compiled from schemas. Sources: DataConverter.preProcessValue, org.apache.kafka.connect.json.JsonConverter.
 */
import { DataError, Decimal, isStruct, logical } from '@millrace/runtime/api';
import type { ByteSink, Schema, StructSchema } from '@millrace/runtime/api';

import { deepest, tooDeep, writeBytes, writeFloating, writePlain, writeString } from './json-writer.ts';

/** Writes a value; throws a DataError for one that is not of the schema. */
export type ValueWriter = (out: ByteSink, value: unknown) => void;

export interface WriterOptions {
  /** Values are written to suit the mapping that is made from the schema; else as JsonConverter writes them. */
  readonly mapped: boolean;
  /** Maps with text keys as objects. Only where `mapped`; JsonConverter always does. */
  readonly compactMaps: boolean;
}

/** Writers by schema identity, made on first use. */
export function schemaWriters(options: WriterOptions): (schema: Schema) => ValueWriter {
  const known = new WeakMap<Schema, ValueWriter>();
  const writerOf = (schema: Schema, depth = 0): ValueWriter => {
    let writer = known.get(schema);
    if (writer === undefined) {
      if (depth > deepest) throw tooDeep();
      writer = orDefault(
        schema,
        plainWriter(schema, options, (inner) => writerOf(inner, depth + 1)),
      );
      known.set(schema, writer);
    }
    return writer;
  };
  return writerOf;
}

/** Nulls become the schema's default, where it has one. */
function orDefault(schema: Schema, write: ValueWriter): ValueWriter {
  return (out, value) => {
    if (value !== null && value !== undefined) return write(out, value);
    if (schema.defaultValue !== undefined && schema.defaultValue !== null) return write(out, schema.defaultValue);
    if (!schema.optional) throw new DataError('it is null, and its schema is neither optional nor has it a default');
    out.text('null');
  };
}

const dayMs = 86_400_000;

function plainWriter(schema: Schema, options: WriterOptions, writerOf: (schema: Schema) => ValueWriter): ValueWriter {
  switch (schema.name) {
    case logical.decimal:
      return (out, value) => {
        if (!(value instanceof Decimal)) throw wrong(schema, value);
        if (options.mapped) writeFloating(out, value.toNumber(), false);
        else writeBytes(out, value.toBytes());
      };
    case logical.date:
      // A mapped date is milliseconds to Elasticsearch; JsonConverter writes days.
      return (out, value) => out.text(String(options.mapped ? timeOf(schema, value) : Math.floor(timeOf(schema, value) / dayMs)));
    case logical.time:
    case logical.timestamp:
      return (out, value) => out.text(String(timeOf(schema, value)));
  }
  switch (schema.type) {
    case 'string':
      return (out, value) => {
        if (typeof value !== 'string') throw wrong(schema, value);
        writeString(out, value);
      };
    case 'boolean':
      return (out, value) => {
        if (typeof value !== 'boolean') throw wrong(schema, value);
        out.text(value ? 'true' : 'false');
      };
    case 'float32':
    case 'float64':
      return (out, value) => {
        if (typeof value !== 'number') throw wrong(schema, value);
        writeFloating(out, value, schema.type === 'float32');
      };
    case 'bytes':
      return (out, value) => {
        if (!(value instanceof Uint8Array)) throw wrong(schema, value);
        writeBytes(out, value);
      };
    case 'struct':
      return structWriter(schema as StructSchema, writerOf);
    case 'array':
      return arrayWriter(schema, writerOf);
    case 'map':
      return mapWriter(schema, options, writerOf);
    default:
      return (out, value) => {
        if (typeof value !== 'number' && typeof value !== 'bigint') throw wrong(schema, value);
        out.text(String(value));
      };
  }
}

function structWriter(schema: StructSchema, writerOf: (schema: Schema) => ValueWriter): ValueWriter {
  const fields = schema.fields.map(({ name, index, schema: inner }) => ({
    name,
    index,
    lead: Buffer.from(`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`),
    write: writerOf(inner),
  }));
  return (out, value) => {
    if (!isStruct(value)) throw wrong(schema, value);
    if (fields.length === 0) return out.text('{}');
    for (const { name, index, lead, write } of fields) {
      out.copy(lead);
      try {
        write(out, value.at(index));
      } catch (error) {
        throw error instanceof DataError ? new DataError(`field "${name}": ${error.message}`, { cause: error }) : error;
      }
    }
    out.byte(0x7d);
  };
}

function arrayWriter(schema: Schema, writerOf: (schema: Schema) => ValueWriter): ValueWriter {
  const write = schema.valueSchema === undefined ? writePlain : writerOf(schema.valueSchema);
  return (out, value) => {
    if (!Array.isArray(value)) throw wrong(schema, value);
    out.byte(0x5b);
    for (let i = 0; i < value.length; i++) {
      if (i > 0) out.byte(0x2c);
      write(out, value[i]);
    }
    out.byte(0x5d);
  };
}

/** `{"k": v}`, or [{"key": k, "value": v}] to suit the mapping, or [[k, v]] as JsonConverter. */
function mapWriter(schema: Schema, options: WriterOptions, writerOf: (schema: Schema) => ValueWriter): ValueWriter {
  const writeKey = schema.keySchema === undefined ? writePlain : writerOf(schema.keySchema);
  const writeItem = schema.valueSchema === undefined ? writePlain : writerOf(schema.valueSchema);
  const compact = schema.keySchema?.type === 'string' && (options.compactMaps || !options.mapped);
  const [open, between, close] = compact ? ['', ':', ''] : options.mapped ? ['{"key":', ',"value":', '}'] : ['[', ',', ']'];
  return (out, value) => {
    if (!(value instanceof Map)) throw wrong(schema, value);
    out.byte(compact ? 0x7b : 0x5b);
    let first = true;
    for (const [key, item] of value as Map<unknown, unknown>) {
      out.text(first ? open : `,${open}`);
      first = false;
      writeKey(out, key);
      out.text(between);
      writeItem(out, item);
      out.text(close);
    }
    out.byte(compact ? 0x7d : 0x5d);
  };
}

function timeOf(schema: Schema, value: unknown): number {
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw wrong(schema, value);
  return value.getTime();
}

function wrong(schema: Schema, value: unknown): DataError {
  const found = value instanceof Object ? value.constructor.name : typeof value;
  return new DataError(`its schema says ${schema.name ?? schema.type}, and it is a ${found}`);
}
