import { DataError, isStruct } from '../api/index.ts';
import type { ConnectRecord, Schema, SchemaOptions, Struct } from '../api/index.ts';

/** The half of a record that a transform works on: `…$Key` or `…$Value`. */
export interface RecordSide {
  readonly name: 'key' | 'value';
  schemaOf(record: ConnectRecord): Schema | null;
  valueOf(record: ConnectRecord): unknown;
  replace<R extends ConnectRecord>(record: R, schema: Schema | null, value: unknown): R;
}

export const keySide: RecordSide = {
  name: 'key',
  schemaOf: (record) => record.keySchema,
  valueOf: (record) => record.key,
  replace: (record, keySchema, key) => ({ ...record, keySchema, key }),
};

export const valueSide: RecordSide = {
  name: 'value',
  schemaOf: (record) => record.valueSchema,
  valueOf: (record) => record.value,
  replace: (record, valueSchema, value) => ({ ...record, valueSchema, value }),
};

/** A result made once for each object (a schema, mostly), and kept as long as that lives. */
export function perSchema<S extends object, T>(make: (schema: S) => T): (schema: S) => T {
  const made = new WeakMap<S, T>();
  return (schema) => {
    let found = made.get(schema);
    if (found === undefined) made.set(schema, (found = make(schema)));
    return found;
  };
}

/** What a changed struct keeps of its schema (SchemaUtil.copySchemaBasics): not whether it is optional, nor its default. */
export function basicsOf({ name, version, doc, parameters }: Schema): SchemaOptions {
  return { name, version, doc, parameters };
}

/** `what` names the transform in the error of a record that holds no struct. */
export function mustBeStruct(value: unknown, what: string): Struct {
  if (isStruct(value)) return value;
  throw new DataError(`Only Struct objects supported for [${what}], found: ${kindOf(value)}`);
}

/** Data without schema: a plain object, from which a changed copy is made. */
export function mustBeMap(value: unknown, what: string): Record<string, unknown> {
  if (value instanceof Map) return Object.fromEntries(value);
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array) && !isStruct(value)) {
    return value as Record<string, unknown>;
  }
  throw new DataError(`Only Map objects supported in absence of schema for [${what}], found: ${kindOf(value)}`);
}

export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  return typeof value === 'object' ? value.constructor.name : typeof value;
}

/** A struct field as Struct.get gives it: the schema's default in place of null, where that is wanted. */
export function fieldValue(struct: Struct, index: number, replaceNull: boolean): unknown {
  const value = struct.at(index);
  return value === null && replaceNull ? (struct.schema.fields[index]?.schema.defaultValue ?? null) : value;
}

/** `replace.null.with.default`, which many transforms share. */
export const replaceNullKey = {
  type: 'boolean',
  default: true,
  importance: 'medium',
  doc: 'Whether to replace fields that have a default value and that are null to the default value. When set to true, the default value is used, otherwise null is used.',
} as const;
