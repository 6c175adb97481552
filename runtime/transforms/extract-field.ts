import { ConfigError, DataError, defineConfig, defineTransform, fieldOf, isStruct } from '../api/index.ts';
import type { Schema, TransformPlugin } from '../api/index.ts';
import { fieldPath } from './field-path.ts';
import { keySide, mustBeMap, mustBeStruct, perSchema, replaceNullKey, valueSide } from './record-side.ts';
import type { RecordSide } from './record-side.ts';

const config = defineConfig({
  field: { type: 'string', importance: 'medium', doc: 'Field name to extract.' },
  'field.syntax.version': {
    type: 'string',
    default: 'V1',
    rule: { kind: 'one-of', values: ['V1', 'V2'], ignoreCase: true },
    importance: 'high',
    doc: 'Defines the version of the syntax to access fields. If set to V1, then the field paths are limited to access the elements at the root level of the struct or map. If set to V2, the syntax will support accessing nested elements, separated by dots.',
  },
  'replace.null.with.default': replaceNullKey,
});

/** org.apache.kafka.connect.transforms.ExtractField. Null passes; so does the field of a null parent. */
function extractField(side: RecordSide): TransformPlugin<typeof config> {
  return defineTransform({
    config,
    create(values) {
      const path = values['field.syntax.version'].toUpperCase() === 'V2' ? fieldPath(values.field) : [values.field];
      if (path.length === 0) throw new ConfigError('field: must not be empty');
      const replaceNull = values['replace.null.with.default'];
      const schemaAt = perSchema((schema: Schema) => fieldSchema(schema, path));
      return (record) => {
        const schema = side.schemaOf(record);
        const value = side.valueOf(record);
        if (schema === null) {
          if (value === null || value === undefined) return side.replace(record, null, null);
          return side.replace(record, null, fromMap(mustBeMap(value, 'field extraction'), path));
        }
        const found = schemaAt(schema);
        if (value === null || value === undefined) return side.replace(record, found, null);
        const extracted = fromStruct(mustBeStruct(value, 'field extraction'), path);
        return side.replace(record, found, extracted === null && replaceNull ? (found.defaultValue ?? null) : extracted);
      };
    },
  });
}

function fieldSchema(schema: Schema, path: readonly string[]): Schema {
  let current = schema;
  for (const name of path) {
    const field = fieldOf(current, name);
    if (field === undefined) throw new DataError(`Unknown field: ${path.join('.')}`);
    current = field.schema;
  }
  return current;
}

function fromStruct(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((current, name) => (isStruct(current) ? current.get(name) : null), value);
}

function fromMap(value: Record<string, unknown>, path: readonly string[]): unknown {
  let current: unknown = value;
  for (const name of path) {
    if (typeof current !== 'object' || current === null) return null;
    current = current instanceof Map ? current.get(name) : Object.hasOwn(current, name) ? (current as Record<string, unknown>)[name] : null;
  }
  return current ?? null;
}

export const key = extractField(keySide);
export const value = extractField(valueSide);
