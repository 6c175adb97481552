/** Parquet schemas for Connect's, flat lists of elements as the file has them. Source: parquet-format, LogicalTypes.md. */
import { DataError, logical } from '@millrace/runtime/api';
import type { Schema } from '@millrace/runtime/api';
import type { SchemaElement } from 'hyparquet-writer';

/** The elements of a struct schema, the root first. Throws a DataError for what Parquet cannot hold. */
export function parquetSchema(schema: Schema): SchemaElement[] {
  const fields = schema.fields ?? [];
  if (fields.length === 0) throw new DataError('ParquetFormat writes structs that have fields, and this schema has none.');
  return [{ name: 'schema', num_children: fields.length }, ...fields.flatMap((field) => elements(field.name, field.schema))];
}

function elements(name: string, schema: Schema): SchemaElement[] {
  const element = { name, repetition_type: schema.optional ? ('OPTIONAL' as const) : ('REQUIRED' as const) };
  switch (schema.type) {
    case 'struct': {
      const fields = schema.fields ?? [];
      if (fields.length === 0) throw new DataError(`field ${name} is a struct without fields, which Parquet has not.`);
      return [{ ...element, num_children: fields.length }, ...fields.flatMap((field) => elements(field.name, field.schema))];
    }
    case 'array':
      return [
        { ...element, num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        ...elements('element', held(name, schema.valueSchema)),
      ];
    case 'map': {
      const [key, ...below] = elements('key', held(name, schema.keySchema));
      return [
        { ...element, num_children: 1, converted_type: 'MAP', logical_type: { type: 'MAP' } },
        { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
        { ...(key as SchemaElement), repetition_type: 'REQUIRED' },
        ...below,
        ...elements('value', held(name, schema.valueSchema)),
      ];
    }
    default:
      return [{ ...element, ...primitive(schema) }];
  }
}

function held(name: string, schema: Schema | undefined): Schema {
  if (schema === undefined) throw new DataError(`field ${name}: an array or map without a schema for what it holds`);
  return schema;
}

function primitive({ type, name, parameters = {} }: Schema): Partial<SchemaElement> {
  switch (type) {
    case 'boolean':
      return { type: 'BOOLEAN' };
    case 'float32':
      return { type: 'FLOAT' };
    case 'float64':
      return { type: 'DOUBLE' };
    case 'string':
      return { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } };
    case 'int64':
      if (name !== logical.timestamp) return { type: 'INT64' };
      return {
        type: 'INT64',
        converted_type: 'TIMESTAMP_MILLIS',
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
      };
    case 'bytes': {
      if (name !== logical.decimal) return { type: 'BYTE_ARRAY' };
      const scale = Number(parameters['scale'] ?? 0);
      const precision = Number(parameters['connect.decimal.precision'] ?? 64);
      // Without the old annotation the library takes the bytes as they are; with it, it writes zero as no bytes at all.
      return { type: 'BYTE_ARRAY', scale, precision, logical_type: { type: 'DECIMAL', scale, precision } };
    }
    default:
      if (name === logical.date) return { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } };
      if (name !== logical.time) return { type: 'INT32' };
      return { type: 'INT32', converted_type: 'TIME_MILLIS', logical_type: { type: 'TIME', isAdjustedToUTC: true, unit: 'MILLIS' } };
  }
}
