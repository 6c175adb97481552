/**
 * Connect's data model: a schema describes a value, and values are plain JavaScript.
 *
 * | schema type | value |
 * | --- | --- |
 * | int8, int16, int32, float32, float64 | number |
 * | int64 | bigint, or a number that is a safe integer |
 * | boolean, string | boolean, string |
 * | bytes | Uint8Array; `Decimal` under the logical name Decimal |
 * | array | array |
 * | map | Map; a schemaless map is a plain object |
 * | struct | {@link Struct} |
 *
 * Logical types keep their value class: Decimal is `Decimal`; Date, Time and Timestamp (all Connect's, with
 * millisecond precision) are JavaScript `Date`s. Source: org.apache.kafka.connect.data.Schema.
 */
export type SchemaType =
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'float32'
  | 'float64'
  | 'boolean'
  | 'string'
  | 'bytes'
  | 'array'
  | 'map'
  | 'struct';

export interface Field {
  readonly name: string;
  readonly index: number;
  readonly schema: Schema;
}

/** Frozen once built; compare with {@link sameSchema}, cache by identity. */
export interface Schema {
  readonly type: SchemaType;
  readonly optional: boolean;
  readonly name?: string;
  readonly version?: number;
  readonly doc?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** Absent when the schema has no default; null is a legal default of an optional schema. */
  readonly defaultValue?: unknown;
  /** Of a struct, in order. */
  readonly fields?: readonly Field[];
  /** Of a map. */
  readonly keySchema?: Schema;
  /** Of a map's values or an array's items. */
  readonly valueSchema?: Schema;
}

export interface StructSchema extends Schema {
  readonly type: 'struct';
  readonly fields: readonly Field[];
}

export interface SchemaAndValue {
  readonly schema: Schema | null;
  readonly value: unknown;
}

export interface SchemaOptions {
  readonly optional?: boolean | undefined;
  readonly name?: string | undefined;
  readonly version?: number | undefined;
  readonly doc?: string | undefined;
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  readonly defaultValue?: unknown;
}

type Primitive = Exclude<SchemaType, 'array' | 'map' | 'struct'>;

function base(type: SchemaType, options: SchemaOptions): Schema {
  const { optional = false, name, version, doc, parameters } = options;
  return {
    type,
    optional,
    ...(name === undefined ? {} : { name }),
    ...(version === undefined ? {} : { version }),
    ...(doc === undefined ? {} : { doc }),
    ...(parameters === undefined ? {} : { parameters }),
    ...(options.defaultValue === undefined ? {} : { defaultValue: options.defaultValue }),
  };
}

/** Builds a schema of a type that holds no other: `schemaOf('int64', { optional: true })`. */
export function schemaOf(type: Primitive, options: SchemaOptions = {}): Schema {
  return Object.freeze(base(type, options));
}

export function arraySchema(items: Schema, options: SchemaOptions = {}): Schema {
  return Object.freeze({ ...base('array', options), valueSchema: items });
}

export function mapSchema(keys: Schema, values: Schema, options: SchemaOptions = {}): Schema {
  return Object.freeze({ ...base('map', options), keySchema: keys, valueSchema: values });
}

/** Builds a struct schema from its fields, in order. Throws a TypeError when a name occurs twice. */
export function structSchema(fields: Iterable<readonly [name: string, schema: Schema]>, options: SchemaOptions = {}): StructSchema {
  const list: Field[] = [];
  const seen = new Set<string>();
  for (const [name, schema] of fields) {
    if (seen.has(name)) throw new TypeError(`struct ${options.name ?? ''}: field "${name}" occurs twice`);
    seen.add(name);
    list.push(Object.freeze({ name, index: list.length, schema }));
  }
  return Object.freeze({ ...base('struct', options), type: 'struct', fields: Object.freeze(list) });
}

/** The same schema with some of its options replaced. */
export function withOptions<S extends Schema>(schema: S, options: SchemaOptions): S {
  const optional = options.optional ?? schema.optional;
  return Object.freeze({ ...base(schema.type, { ...schema, ...options, optional }), ...partsOf(schema) }) as S;
}

/** What a schema holds beside its options. */
function partsOf({ fields, keySchema, valueSchema }: Schema): Partial<Schema> {
  return {
    ...(fields === undefined ? {} : { fields }),
    ...(keySchema === undefined ? {} : { keySchema }),
    ...(valueSchema === undefined ? {} : { valueSchema }),
  };
}

const indexes = new WeakMap<Schema, Map<string, Field>>();

/** The field of that name, or undefined; the name table is made once for each schema. */
export function fieldOf(schema: Schema, name: string): Field | undefined {
  let index = indexes.get(schema);
  if (index === undefined) {
    index = new Map((schema.fields ?? []).map((field) => [field.name, field]));
    indexes.set(schema, index);
  }
  return index.get(name);
}

const knownEqual = new WeakMap<Schema, WeakSet<Schema>>();

/** Deep equality, remembered by identity: two schema objects are walked once, whatever the number of records. */
export function sameSchema(a: Schema | null | undefined, b: Schema | null | undefined): boolean {
  if (a === b) return true;
  if (!a || !b) return (a ?? null) === (b ?? null);
  if (knownEqual.get(a)?.has(b)) return true;
  if (!equalSchemas(a, b)) return false;
  const known = knownEqual.get(a) ?? new WeakSet();
  known.add(b);
  knownEqual.set(a, known);
  return true;
}

function equalSchemas(a: Schema, b: Schema): boolean {
  if (a.type !== b.type || a.optional !== b.optional || a.name !== b.name) return false;
  if (a.version !== b.version || a.doc !== b.doc) return false;
  if (!sameParameters(a.parameters, b.parameters)) return false;
  if (!sameValue(a.defaultValue, b.defaultValue)) return false;
  if (!sameSchema(a.keySchema, b.keySchema) || !sameSchema(a.valueSchema, b.valueSchema)) return false;
  const left = a.fields ?? [];
  const right = b.fields ?? [];
  return (
    left.length === right.length && left.every((field, i) => field.name === right[i]?.name && sameSchema(field.schema, right[i].schema))
  );
}

function sameParameters(a: Schema['parameters'], b: Schema['parameters']): boolean {
  const left = Object.entries(a ?? {});
  return left.length === Object.keys(b ?? {}).length && left.every(([key, value]) => b?.[key] === value);
}

/** Equality of two values of the data model (bytes, decimals, dates, arrays, maps and structs by content). */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  if (a instanceof Date) return b instanceof Date && a.getTime() === b.getTime();
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameValue(item, b[i]));
  if (a instanceof Map) {
    return b instanceof Map && a.size === b.size && [...a].every(([key, value]) => sameValue(value, b.get(key)));
  }
  const left = a as { equals?: (other: unknown) => boolean };
  if (typeof left.equals === 'function') return left.equals(b);
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => sameValue((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
  );
}

/** Schemas without options, shared so that caches by identity meet. */
export const schemas = {
  int8: schemaOf('int8'),
  int16: schemaOf('int16'),
  int32: schemaOf('int32'),
  int64: schemaOf('int64'),
  float32: schemaOf('float32'),
  float64: schemaOf('float64'),
  boolean: schemaOf('boolean'),
  string: schemaOf('string'),
  bytes: schemaOf('bytes'),
  optionalInt8: schemaOf('int8', { optional: true }),
  optionalInt16: schemaOf('int16', { optional: true }),
  optionalInt32: schemaOf('int32', { optional: true }),
  optionalInt64: schemaOf('int64', { optional: true }),
  optionalFloat32: schemaOf('float32', { optional: true }),
  optionalFloat64: schemaOf('float64', { optional: true }),
  optionalBoolean: schemaOf('boolean', { optional: true }),
  optionalString: schemaOf('string', { optional: true }),
  optionalBytes: schemaOf('bytes', { optional: true }),
} as const;

/** Connect's own logical type names (org.apache.kafka.connect.data.*). */
export const logical = {
  decimal: 'org.apache.kafka.connect.data.Decimal',
  date: 'org.apache.kafka.connect.data.Date',
  time: 'org.apache.kafka.connect.data.Time',
  timestamp: 'org.apache.kafka.connect.data.Timestamp',
} as const;

/** Connect's Decimal: bytes named Decimal, version 1, its scale in the parameters. */
export function decimalSchema(scale: number, options: SchemaOptions = {}): Schema {
  return schemaOf('bytes', {
    ...options,
    name: logical.decimal,
    version: 1,
    parameters: { scale: String(scale), ...options.parameters },
  });
}

export function dateSchema(options: SchemaOptions = {}): Schema {
  return schemaOf('int32', { ...options, name: logical.date, version: 1 });
}

export function timeSchema(options: SchemaOptions = {}): Schema {
  return schemaOf('int32', { ...options, name: logical.time, version: 1 });
}

export function timestampSchema(options: SchemaOptions = {}): Schema {
  return schemaOf('int64', { ...options, name: logical.timestamp, version: 1 });
}
