/** Fields of a record's value by path, `a.b.c`. Source: io.confluent.connect.storage.util.DataUtils. */
import { DataError, fieldOf, isStruct, plainValue } from '@millrace/runtime/api';
import type { Schema } from '@millrace/runtime/api';

export interface FieldValue {
  /** Null for data without schema. */
  readonly schema: Schema | null;
  /** Null where the field is, or one above it. */
  readonly value: unknown;
}

/** Throws a DataError when the value has no fields, or not these. */
export function fieldValue(value: unknown, path: readonly string[]): FieldValue {
  let found: FieldValue = { schema: null, value: plainValue(value) };
  for (const [depth, name] of path.entries()) found = step(found, name, path.slice(0, depth + 1).join('.'), depth === 0);
  return found;
}

function step({ schema, value }: FieldValue, name: string, path: string, top: boolean): FieldValue {
  if (isStruct(value)) {
    const field = fieldOf(value.schema, name);
    if (field === undefined) throw new DataError(`the value has no field "${path}"`);
    return { schema: field.schema, value: value.get(name) };
  }
  if (value === null || value === undefined) {
    if (top) throw new DataError(`the value is null, and has no field "${path}"`);
    const field = schema?.type === 'struct' ? fieldOf(schema, name) : undefined;
    if (schema !== null && field === undefined) throw new DataError(`the value has no field "${path}"`);
    return { schema: field?.schema ?? null, value: null };
  }
  const inner = value instanceof Map ? (value as ReadonlyMap<unknown, unknown>).get(name) : plainField(value, name);
  if (inner === undefined) throw new DataError(`the value has no field "${path}"`);
  return { schema: schema?.type === 'map' ? (schema.valueSchema ?? null) : null, value: inner };
}

function plainField(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw new DataError(`the value is neither a struct nor a map, and has no field "${name}"`);
  }
  return Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
