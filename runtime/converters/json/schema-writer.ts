import { DataError, Decimal, WireStruct, isStruct, javaDecimal, javaDouble, javaFloat, logical, sameSchema } from '../../api/index.ts';
import type { ByteSink, Schema, Struct, StructNode } from '../../api/index.ts';
import { fieldLead, inField } from './field-name.ts';
import { writeBase64, writeDecimalBytes } from './bytes.ts';
import { writeSchemaless } from './schemaless-writer.ts';
import type { JsonSettings } from './settings.ts';
import { writeBigint, writeDouble, writeInteger, writeString } from './text.ts';
import { compileWireWriter } from './wire-writer.ts';
import type { JsonWriters, RowWriter, ValueWriter } from './writer-types.ts';

export function createWriters(settings: JsonSettings): JsonWriters {
  const bySchema = new WeakMap<Schema, ValueWriter>();
  const byNode = new WeakMap<StructNode, RowWriter>();
  const writers: JsonWriters = {
    settings,
    forSchema(schema) {
      let writer = bySchema.get(schema);
      if (writer === undefined) bySchema.set(schema, (writer = compile(schema, writers)));
      return writer;
    },
    forNode(node) {
      let writer = byNode.get(node);
      if (writer === undefined) byNode.set(node, (writer = compileWireWriter(node, writers)));
      return writer;
    },
    schemaless(value, out) {
      writeSchemaless(value, out, settings, (schema, inner) => writers.forSchema(schema)(inner, out));
    },
  };
  return writers;
}

function compile(schema: Schema, writers: JsonWriters): ValueWriter {
  const write = logicalWriter(schema, writers) ?? typeWriter(schema, writers);
  const fallback = schema.defaultValue ?? null;
  if (fallback !== null && writers.settings.replaceNull) {
    return (value, out) => write(value === null || value === undefined ? fallback : value, out);
  }
  if (schema.optional) {
    return (value, out) => {
      if (value === null || value === undefined) out.text('null');
      else write(value, out);
    };
  }
  return (value, out) => {
    if (value === null || value === undefined) {
      throw new DataError(`null for a required ${schema.name ?? schema.type} that has no default value`);
    }
    write(value, out);
  };
}

function logicalWriter(schema: Schema, writers: JsonWriters): ValueWriter | undefined {
  switch (schema.name) {
    case logical.decimal:
      return decimalWriter(schema, writers.settings);
    case logical.date:
      return dateWriter(schema, 86_400_000);
    case logical.time:
    case logical.timestamp:
      return dateWriter(schema, 1);
    default:
      return undefined;
  }
}

function decimalWriter(schema: Schema, { decimalFormat }: JsonSettings): ValueWriter {
  const scale = Number(schema.parameters?.['scale']);
  return (value, out) => {
    if (!(value instanceof Decimal)) throw unfit(schema, value, 'a Decimal');
    if (decimalFormat === 'NUMERIC') return out.text(javaDecimal(value));
    if (value.scale === scale) return writeDecimalBytes(out, value.unscaled);
    try {
      writeDecimalBytes(out, value.withScale(scale).unscaled);
    } catch (cause) {
      throw new DataError(`a Decimal of scale ${value.scale} does not fit a schema of scale ${scale}`, { cause });
    }
  };
}

function dateWriter(schema: Schema, unitMs: number): ValueWriter {
  return (value, out) => {
    if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw unfit(schema, value, 'a Date');
    writeInteger(out, Math.floor(value.getTime() / unitMs));
  };
}

function typeWriter(schema: Schema, writers: JsonWriters): ValueWriter {
  switch (schema.type) {
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
      return (value, out) => {
        if (typeof value === 'number' && Number.isSafeInteger(value)) writeInteger(out, value);
        else if (typeof value === 'bigint') writeBigint(out, value);
        else throw unfit(schema, value, 'a whole number');
      };
    case 'float32':
    case 'float64': {
      const print = schema.type === 'float32' ? javaFloat : javaDouble;
      return (value, out) => {
        if (typeof value !== 'number') throw unfit(schema, value, 'a number');
        writeDouble(out, value, print(value));
      };
    }
    case 'boolean':
      return (value, out) => {
        if (typeof value !== 'boolean') throw unfit(schema, value, 'a boolean');
        out.text(value ? 'true' : 'false');
      };
    case 'string':
      return (value, out) => {
        if (typeof value !== 'string') throw unfit(schema, value, 'a string');
        writeString(out, value);
      };
    case 'bytes':
      return (value, out) => {
        if (!(value instanceof Uint8Array)) throw unfit(schema, value, 'bytes');
        writeBase64(out, value);
      };
    case 'array':
      return arrayWriter(schema, writers);
    case 'map':
      return mapWriter(schema, writers);
    case 'struct':
      return structWriter(schema, writers);
  }
}

function arrayWriter(schema: Schema, writers: JsonWriters): ValueWriter {
  const item = partWriter(schema.valueSchema, writers);
  return (value, out) => {
    if (!Array.isArray(value)) throw unfit(schema, value, 'an array');
    out.byte(0x5b);
    for (let i = 0; i < value.length; i++) {
      if (i > 0) out.byte(0x2c);
      item(value[i], out);
    }
    out.byte(0x5d);
  };
}

/** With string keys an object, else a list of [key, value]. */
function mapWriter(schema: Schema, writers: JsonWriters): ValueWriter {
  const asObject = schema.keySchema?.type === 'string';
  const key = partWriter(schema.keySchema, writers);
  const item = partWriter(schema.valueSchema, writers);
  return (value, out) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unfit(schema, value, 'a map');
    out.byte(asObject ? 0x7b : 0x5b);
    let first = true;
    for (const [name, inner] of value instanceof Map ? value : Object.entries(value)) {
      if (!first) out.byte(0x2c);
      first = false;
      if (!asObject) out.byte(0x5b);
      key(name, out);
      out.byte(asObject ? 0x3a : 0x2c);
      item(inner, out);
      if (!asObject) out.byte(0x5d);
    }
    out.byte(asObject ? 0x7d : 0x5d);
  };
}

function partWriter(schema: Schema | undefined, writers: JsonWriters): ValueWriter {
  return schema === undefined ? (value, out) => writers.schemaless(value, out) : writers.forSchema(schema);
}

function structWriter(schema: Schema, writers: JsonWriters): ValueWriter {
  const fields = (schema.fields ?? []).map(({ name, index, schema: fieldSchema }) => ({
    name,
    index,
    lead: fieldLead(name, index),
    write: writers.forSchema(fieldSchema),
  }));
  return (value, out) => {
    if (!isStruct(value)) throw unfit(schema, value, 'a struct');
    if (value.schema !== schema && !sameSchema(value.schema, schema)) {
      throw new DataError(`a struct of ${value.schema.name ?? 'another schema'} where one of ${schema.name ?? 'this schema'} is expected`);
    }
    if (value instanceof WireStruct) return writers.forNode(value.node)(value.row, out);
    writeFields(value, fields, out);
  };
}

interface FieldWriter {
  readonly name: string;
  readonly index: number;
  readonly lead: Uint8Array;
  readonly write: ValueWriter;
}

function writeFields(value: Struct, fields: readonly FieldWriter[], out: ByteSink): void {
  if (fields.length === 0) out.byte(0x7b);
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] as FieldWriter;
    out.copy(field.lead);
    try {
      field.write(value.at(field.index), out);
    } catch (error) {
      throw inField(error, field.name);
    }
  }
  out.byte(0x7d);
}

function unfit(schema: Schema, value: unknown, expected: string): DataError {
  const found = typeof value === 'object' && value !== null ? (value.constructor?.name ?? 'an object') : typeof value;
  return new DataError(`${schema.name ?? schema.type} needs ${expected}, found ${found}`);
}
