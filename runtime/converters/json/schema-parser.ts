import { DataError, arraySchema, mapSchema, schemaOf, structSchema } from '../../api/index.ts';
import type { Schema, SchemaOptions, SchemaType } from '../../api/index.ts';
import { compileReader } from './schema-reader.ts';

const types: Record<string, Exclude<SchemaType, 'array' | 'map' | 'struct'>> = {
  boolean: 'boolean',
  int8: 'int8',
  int16: 'int16',
  int32: 'int32',
  int64: 'int64',
  float: 'float32',
  double: 'float64',
  bytes: 'bytes',
  string: 'string',
};

/** The schema that JSON describes (JsonConverter.asConnectSchema); null for null. Throws a DataError. */
export function parseSchema(json: unknown): Schema | null {
  if (json === null || json === undefined) return null;
  const object = objectOf(json);
  const { type } = object;
  if (typeof type !== 'string') throw new DataError('a schema must contain "type"');
  const bare = build(type, object, optionsOf(object));
  const fallback = object['default'];
  if (fallback === null || fallback === undefined) return bare;
  const defaultValue = compileReader(bare, { replaceNull: true })(fallback);
  return build(type, object, { ...optionsOf(object), defaultValue });
}

function build(type: string, object: Record<string, unknown>, options: SchemaOptions): Schema {
  switch (type) {
    case 'array':
      return arraySchema(part(object, 'items', 'array'), options);
    case 'map':
      return mapSchema(part(object, 'keys', 'map'), part(object, 'values', 'map'), options);
    case 'struct': {
      const { fields } = object;
      if (!Array.isArray(fields)) throw new DataError('a struct schema needs its list "fields"');
      return structSchema(fields.map(fieldOf), options);
    }
    default: {
      const known = Object.hasOwn(types, type) ? types[type] : undefined;
      if (known === undefined) throw new DataError(`unknown schema type "${type}"`);
      return schemaOf(known, options);
    }
  }
}

function fieldOf(json: unknown): [string, Schema] {
  const name = objectOf(json)['field'];
  if (typeof name !== 'string') throw new DataError('a field of a struct schema needs its name in "field"');
  const schema = parseSchema(json);
  if (schema === null) throw new DataError(`field "${name}" of a struct schema is null`);
  return [name, schema];
}

function part(object: Record<string, unknown>, key: string, type: string): Schema {
  const schema = parseSchema(object[key]);
  if (schema === null) throw new DataError(`a schema of type ${type} needs "${key}"`);
  return schema;
}

function optionsOf(object: Record<string, unknown>): SchemaOptions {
  const { optional, name, version, doc, parameters } = object;
  if (version !== undefined && version !== null && !Number.isInteger(version))
    throw new DataError('a schema version must be a whole number');
  return {
    optional: optional === true,
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof version === 'number' ? { version } : {}),
    ...(typeof doc === 'string' ? { doc } : {}),
    ...(parameters === undefined || parameters === null ? {} : { parameters: parametersOf(parameters) }),
  };
}

function parametersOf(json: unknown): Record<string, string> {
  const entries = Object.entries(objectOf(json));
  for (const [key, value] of entries) {
    if (typeof value !== 'string') throw new DataError(`the schema parameter "${key}" must be a string`);
  }
  return Object.fromEntries(entries) as Record<string, string>;
}

function objectOf(json: unknown): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new DataError('a schema must be a JSON object');
  return json as Record<string, unknown>;
}
