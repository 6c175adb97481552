/** Avro schemas for Connect's. Source: io.confluent.connect.avro.AvroData.fromConnectSchema. */
import { DataError, Decimal, isStruct, logical } from '@millrace/runtime/api';
import type { Schema } from '@millrace/runtime/api';

/** An Avro schema as JSON. */
export type AvroSchema = string | AvroSchema[] | { readonly [key: string]: unknown };

export interface AvroSchemaOptions {
  /** `connect.meta.data` */
  readonly metaData: boolean;
  /** `enhanced.avro.schema.support` */
  readonly enhanced: boolean;
  /** `allow.optional.map.keys` */
  readonly optionalMapKeys: boolean;
}

const namespace = 'io.confluent.connect.avro';
const enumParameter = 'io.confluent.connect.avro.Enum';

const primitives: Readonly<Partial<Record<Schema['type'], string>>> = {
  int8: 'int',
  int16: 'int',
  int32: 'int',
  int64: 'long',
  float32: 'float',
  float64: 'double',
  boolean: 'boolean',
  string: 'string',
  bytes: 'bytes',
};

const logicalTypes: Readonly<Record<string, string>> = {
  [logical.date]: 'date',
  [logical.time]: 'time-millis',
  [logical.timestamp]: 'timestamp-millis',
};

/** Whether a map becomes an Avro map; others become arrays of entries. */
export function isAvroMap({ keySchema }: Schema, { optionalMapKeys }: AvroSchemaOptions): boolean {
  return keySchema?.type === 'string' && (!keySchema.optional || optionalMapKeys);
}

/** The symbols of a string schema that stands for an enumeration, or undefined. */
export function enumSymbols({ type, parameters = {} }: Schema): string[] | undefined {
  if (type !== 'string' || parameters[enumParameter] === undefined) return undefined;
  const prefix = `${enumParameter}.`;
  return Object.keys(parameters).flatMap((key) => (key.startsWith(prefix) ? [key.slice(prefix.length)] : []));
}

/** Throws a DataError for a schema that Avro cannot express. */
export function avroSchema(schema: Schema, options: AvroSchemaOptions): AvroSchema {
  const defined = new Map<string, Schema>();

  function nullable(inner: Schema): AvroSchema {
    const type = required(inner);
    if (!inner.optional) return type;
    return inner.defaultValue === undefined || inner.defaultValue === null ? ['null', type] : [type, 'null'];
  }

  function required(inner: Schema): AvroSchema {
    if (inner.type === 'struct') return record(inner);
    if (inner.type === 'array') return withMeta({ type: 'array', items: nullable(part(inner.valueSchema)) }, inner);
    if (inner.type === 'map') return map(inner);
    const symbols = options.enhanced ? enumSymbols(inner) : undefined;
    if (symbols !== undefined) return enumeration(inner, symbols);
    const type = primitives[inner.type] as string;
    return withMeta({ type, ...logicalProperties(inner) }, inner);
  }

  function record(struct: Schema): AvroSchema {
    const full = nameOf(struct, 'ConnectDefault');
    if (defined.get(full) === struct) return full;
    // Nested structs without a name, or of one name and two shapes, cannot share it.
    const name = defined.has(full) ? `${full}${defined.size + 1}` : full;
    defined.set(name, struct);
    const fields = (struct.fields ?? []).map((field) => ({
      name: field.name,
      type: nullable(field.schema),
      ...(field.schema.doc === undefined ? {} : { doc: field.schema.doc }),
      ...defaultOf(field.schema),
    }));
    return { type: 'record', ...splitName(name), ...(struct.doc === undefined ? {} : { doc: struct.doc }), fields, ...meta(struct) };
  }

  function map(inner: Schema): AvroSchema {
    if (isAvroMap(inner, options)) return withMeta({ type: 'map', values: nullable(part(inner.valueSchema)) }, inner);
    const name = `${namespace}.${inner.name === undefined ? 'MapEntry' : nameOf(inner, 'MapEntry').replaceAll('.', '_')}${defined.size === 0 ? '' : defined.size}`;
    defined.set(name, inner);
    const fields = [
      { name: 'key', type: nullable(part(inner.keySchema)) },
      { name: 'value', type: nullable(part(inner.valueSchema)) },
    ];
    return withMeta({ type: 'array', items: { type: 'record', ...splitName(name), fields } }, inner);
  }

  function enumeration(inner: Schema, symbols: readonly string[]): AvroSchema {
    const full = inner.parameters?.[enumParameter] || 'ConnectEnum';
    if (defined.get(full) === inner) return full;
    const name = defined.has(full) ? `${full}${defined.size + 1}` : full;
    defined.set(name, inner);
    return { type: 'enum', ...splitName(name), symbols, ...meta(inner) };
  }

  function nameOf(inner: Schema, fallback: string): string {
    const name = inner.name ?? `${namespace}.${fallback}`;
    return options.enhanced ? name : name.slice(name.lastIndexOf('.') + 1);
  }

  function meta(inner: Schema): object {
    if (!options.metaData) return {};
    return {
      ...(inner.version === undefined ? {} : { 'connect.version': inner.version }),
      ...(inner.parameters === undefined ? {} : { 'connect.parameters': inner.parameters }),
      ...(inner.name === undefined ? {} : { 'connect.name': inner.name }),
    };
  }

  function withMeta(type: { readonly type: string; readonly [key: string]: unknown }, inner: Schema): AvroSchema {
    const small = inner.type === 'int8' || inner.type === 'int16' ? { 'connect.type': inner.type } : {};
    const all = { ...type, ...small, ...meta(inner) };
    return Object.keys(all).length === 1 ? type.type : all;
  }

  return nullable(schema);
}

function logicalProperties({ name, parameters = {} }: Schema): object {
  if (name === logical.decimal) {
    const precision = Number(parameters['connect.decimal.precision'] ?? 64);
    return { logicalType: 'decimal', precision, scale: Number(parameters['scale'] ?? 0) };
  }
  const logicalType = logicalTypes[name ?? ''];
  return logicalType === undefined ? {} : { logicalType };
}

function splitName(full: string): object {
  const dot = full.lastIndexOf('.');
  return dot < 0 ? { name: full } : { name: full.slice(dot + 1), namespace: full.slice(0, dot) };
}

function part(schema: Schema | undefined): Schema {
  if (schema === undefined) throw new DataError('an array or map has no schema for what it holds, and Avro needs one');
  return schema;
}

function defaultOf(schema: Schema): object {
  if (schema.optional && (schema.defaultValue === undefined || schema.defaultValue === null)) return { default: null };
  const value = schema.defaultValue;
  return value === undefined || value === null ? {} : plainDefault(value);
}

/** Defaults are for readers of other schemas; those that JSON holds no text for are left out. */
function plainDefault(value: unknown): object {
  if (typeof value === 'bigint') return { default: Number(value) };
  if (value instanceof Uint8Array) return { default: Buffer.from(value).toString('latin1') };
  if (value instanceof Decimal || value instanceof Date || value instanceof Map || isStruct(value)) return {};
  return typeof value === 'object' ? {} : { default: value };
}
