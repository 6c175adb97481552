import { ValueStruct, arraySchema, schemaOf, schemas, structSchema } from '../../api/index.ts';
import type { Schema, SchemaAndValue, StructSchema } from '../../api/index.ts';

export interface ExpandOptions {
  /** Keep null fields as optional bytes; otherwise they are left out. */
  readonly nullAsBytes: boolean;
  /** What fields are called, for data formats that do not take any name. */
  readonly fieldName?: ((name: string) => string) | undefined;
}

/** A number written with a fraction or an exponent of its own: a double, even where it is whole. */
class Floating {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

type Json = string | boolean | null | number | bigint | Floating | Json[] | { [name: string]: Json };

/** Data that no schema can be made for; the payload then stays text. */
class NoSchema extends Error {}

/**
 * The struct that a JSON object stands for (io.debezium.transforms.outbox's JSON expansion): a schema called
 * `name`, its parts `name.field`; without a name, `field`. Undefined where the text is no object, or holds what has no schema (mixed arrays).
 */
export function expandJson(text: string, name: string | undefined, options: ExpandOptions): SchemaAndValue | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const parsed = parse(text);
    const json = options.fieldName === undefined ? parsed : renamed(parsed, options.fieldName);
    const schema = schemaFor(json, name, true, options);
    return schema === undefined ? undefined : { schema, value: valueFor(schema, json) };
  } catch (error) {
    // Not JSON, too deep, or without a schema: the text is handed on.
    if (error instanceof NoSchema || error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

type SourceReviver = (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown;

function parse(text: string): Json {
  const revive: SourceReviver = (_key, value, { source = '' }) => {
    if (typeof value !== 'number') return value;
    if (source.includes('.')) return new Floating(value);
    return Number.isSafeInteger(value) || /[eE]/.test(source) ? value : BigInt(source);
  };
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown) as Json;
}

/** Of two names that become one, the first counts. */
function renamed(json: Json, fieldName: (name: string) => string): Json {
  if (Array.isArray(json)) return json.map((item) => renamed(item, fieldName));
  if (!isObject(json)) return json;
  const fields: { [name: string]: Json } = {};
  for (const [name, value] of Object.entries(json)) fields[fieldName(name)] ??= renamed(value, fieldName);
  return fields;
}

/** Undefined where the value leaves no trace: nulls (unless kept) and empty arrays. */
function schemaFor(json: Json, name: string | undefined, optional: boolean, options: ExpandOptions): Schema | undefined {
  switch (typeof json) {
    case 'string':
      return schemas.optionalString;
    case 'boolean':
      return schemas.optionalBoolean;
    case 'number':
      if (!Number.isInteger(json)) return schemas.optionalFloat64;
      return json === (json | 0) ? schemas.optionalInt32 : schemas.optionalInt64;
    case 'bigint':
      if (BigInt.asIntN(64, json) !== json) throw new NoSchema();
      return schemas.optionalInt64;
  }
  if (json === null) return options.nullAsBytes ? schemas.optionalBytes : undefined;
  if (json instanceof Floating) return schemas.optionalFloat64;
  if (Array.isArray(json)) return listSchema(json, name, options);
  const fields = Object.entries(json).flatMap(([field, value]): [string, Schema][] => {
    const schema = schemaFor(value, name === undefined ? field : `${name}.${field}`, true, options);
    return schema === undefined ? [] : [[field, schema]];
  });
  return structSchema(fields, { name, optional });
}

function listSchema(items: Json[], name: string | undefined, options: ExpandOptions): Schema | undefined {
  const present = items.filter((item) => item !== null);
  if (present.length === 0) return undefined;
  if (present.every(isObject)) {
    const merged = present
      .map((item) => schemaFor(item, name, false, options) as StructSchema)
      .reduce((all, next) => mergeStructs(all, next, name));
    return arraySchema(merged, { optional: true });
  }
  const kinds = present.map((item) => schemaFor(item, name, true, options));
  const item = kinds.reduce((all, next) => (all === undefined || next === undefined ? undefined : wider(all, next)));
  if (item === undefined) throw new NoSchema();
  return arraySchema(item, { optional: true });
}

function isObject(json: Json): json is { [name: string]: Json } {
  return typeof json === 'object' && json !== null && !Array.isArray(json) && !(json instanceof Floating);
}

/** The fields of the later element come first, as Debezium has them. */
function mergeStructs(all: StructSchema, next: StructSchema, name: string | undefined): StructSchema {
  const fields = new Map(next.fields.map((field) => [field.name, field.schema]));
  for (const field of all.fields) {
    const other = fields.get(field.name);
    fields.set(field.name, other === undefined ? field.schema : wider(field.schema, other));
  }
  return structSchema(fields, { name, optional: false });
}

const numbers: readonly Schema[] = [schemas.optionalInt32, schemas.optionalInt64, schemas.optionalFloat64];

function wider(a: Schema, b: Schema): Schema {
  if (a === b) return a;
  const widest = Math.max(numbers.indexOf(a), numbers.indexOf(b));
  if (numbers.includes(a) && numbers.includes(b)) return numbers[widest] as Schema;
  if (a.type === 'struct' && b.type === 'struct') {
    const merged = mergeStructs(a as StructSchema, b as StructSchema, a.name);
    return structSchema(
      merged.fields.map((field) => [field.name, field.schema]),
      { name: a.name, optional: a.optional },
    );
  }
  if (a.type === 'array' && b.type === 'array')
    return arraySchema(wider(a.valueSchema as Schema, b.valueSchema as Schema), { optional: true });
  // A null, kept as optional bytes, gives way to what it stands beside.
  if (a === schemas.optionalBytes) return b;
  if (b === schemas.optionalBytes) return a;
  throw new NoSchema();
}

function valueFor(schema: Schema, json: Json | undefined): unknown {
  if (json === undefined || json === null) return null;
  if (json instanceof Floating) return json.value;
  if (Array.isArray(json)) return json.map((item) => valueFor(schema.valueSchema ?? schemaOf('string'), item));
  if (!isObject(json)) return schema.type === 'float64' ? Number(json) : json;
  const struct = schema as StructSchema;
  return new ValueStruct(
    struct,
    struct.fields.map((field) => valueFor(field.schema, Object.hasOwn(json, field.name) ? json[field.name] : null)),
  );
}
