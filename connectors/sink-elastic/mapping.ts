/** The mapping of an index from a record's schema. Source: io.confluent.connect.elasticsearch.Mapping. */
import { DataError, Decimal, logical } from '@millrace/runtime/api';
import type { Schema } from '@millrace/runtime/api';

import { NoObjectError } from './document.ts';

export type Mapping = { readonly [key: string]: unknown };

const types: Partial<Record<Schema['type'], string>> = {
  int8: 'byte',
  int16: 'short',
  int32: 'integer',
  int64: 'long',
  float32: 'float',
  float64: 'double',
  boolean: 'boolean',
  bytes: 'binary',
};

/** Throws a DataError without a schema, or for one that is no struct or map: a document is an object. */
export function mappingOf(schema: Schema | null, compactMaps: boolean): Mapping {
  if (schema === null) {
    throw new DataError(
      'it has no schema to make the mapping of its index from: use a converter with schemas, set schema.ignore=true, or make the mapping yourself',
    );
  }
  if (schema.type !== 'struct' && schema.type !== 'map') throw new NoObjectError(`a ${schema.type}`);
  return fieldMapping(schema, compactMaps);
}

function fieldMapping(schema: Schema, compactMaps: boolean): Mapping {
  const fallback = schema.defaultValue ?? undefined;
  const nullValue = (value: unknown): Mapping => (value === undefined ? {} : { null_value: value });
  switch (schema.name) {
    case logical.date:
    case logical.time:
    case logical.timestamp:
      return { type: 'date', ...nullValue(fallback instanceof Date ? fallback.getTime() : undefined) };
    case logical.decimal:
      return { type: 'double', ...nullValue(fallback instanceof Decimal ? fallback.toNumber() : undefined) };
  }
  switch (schema.type) {
    case 'array':
      return schema.valueSchema === undefined ? {} : fieldMapping(schema.valueSchema, compactMaps);
    case 'struct':
      return {
        properties: Object.fromEntries((schema.fields ?? []).map((field) => [field.name, fieldMapping(field.schema, compactMaps)])),
      };
    case 'map': {
      // Their keys become fields, which are not known before they come.
      if (compactMaps && schema.keySchema?.type === 'string') return { type: 'object' };
      const part = (inner: Schema | undefined): Mapping => (inner === undefined ? { type: 'object' } : fieldMapping(inner, compactMaps));
      return { properties: { key: part(schema.keySchema), value: part(schema.valueSchema) } };
    }
    case 'string':
      return { type: 'text', fields: { keyword: { type: 'keyword', ignore_above: 256 } } };
    case 'bytes':
      return { type: 'binary' };
    default:
      return { type: types[schema.type], ...nullValue(typeof fallback === 'bigint' ? Number(fallback) : fallback) };
  }
}
