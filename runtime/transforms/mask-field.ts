import { ConfigError, DataError, Decimal, ValueStruct, defineConfig, defineTransform, logical } from '../api/index.ts';
import type { Schema, StructSchema, TransformPlugin } from '../api/index.ts';
import { castValue } from './cast-value.ts';
import { fieldValue, keySide, kindOf, mustBeMap, mustBeStruct, perSchema, replaceNullKey, valueSide } from './record-side.ts';
import type { RecordSide } from './record-side.ts';

const config = defineConfig({
  fields: { type: 'list', rule: { kind: 'not-empty' }, importance: 'high', doc: 'Names of fields to mask.' },
  replacement: {
    type: 'string',
    default: null,
    rule: { kind: 'not-empty' },
    importance: 'low',
    doc: "Custom value replacement, that will be applied to all 'fields' values (numeric or non-empty string values only).",
  },
  'replace.null.with.default': replaceNullKey,
});

/** org.apache.kafka.connect.transforms.MaskField: puts 0, "", false, … or one replacement in place of the values. */
function maskField(side: RecordSide): TransformPlugin<typeof config> {
  return defineTransform({
    config,
    create({ fields, replacement, 'replace.null.with.default': replaceNull }) {
      if (replacement === '') throw new ConfigError('replacement: must not be empty');
      const masked = new Set(fields);
      const mask = (schema: Schema | null, value: unknown): unknown =>
        replacement === null ? blankOf(schema, value) : replaced(schema, value, replacement);
      const plan = perSchema((schema: StructSchema) => schema.fields.map(({ name }) => masked.has(name)));
      return (record) => {
        const value = side.valueOf(record);
        if (value === null || value === undefined) return record;
        if (side.schemaOf(record) === null) {
          const map = { ...mustBeMap(value, 'mask fields') };
          for (const name of masked) if (Object.hasOwn(map, name)) map[name] = mask(null, map[name]);
          return side.replace(record, null, map);
        }
        const struct = mustBeStruct(value, 'mask fields');
        const covered = plan(struct.schema);
        const values = struct.schema.fields.map((field) => {
          const item = fieldValue(struct, field.index, replaceNull);
          return covered[field.index] === true ? mask(field.schema, item) : item;
        });
        return side.replace(record, struct.schema, new ValueStruct(struct.schema, values));
      };
    },
  });
}

function blankOf(schema: Schema | null, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  switch (typeof value) {
    case 'number':
      return 0;
    case 'bigint':
      return 0;
    case 'boolean':
      return false;
    case 'string':
      return '';
  }
  if (value instanceof Decimal) return new Decimal(0n, schema?.name === logical.decimal ? Number(schema.parameters?.['scale'] ?? 0) : 0);
  if (value instanceof Date) return new Date(0);
  if (value instanceof Uint8Array) return new Uint8Array(0);
  if (Array.isArray(value)) return [];
  if (value instanceof Map) return new Map();
  throw new DataError(`Cannot mask value of type: ${kindOf(value)}`);
}

function replaced(schema: Schema | null, value: unknown, replacement: string): unknown {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return replacement;
  if (value instanceof Decimal) {
    const exact = Decimal.parse(replacement);
    return schema?.name === logical.decimal ? exact.withScale(Number(schema.parameters?.['scale'] ?? 0)) : exact;
  }
  if (typeof value === 'bigint') return castValue(null, replacement, 'int64');
  if (typeof value === 'number') {
    const type = schema?.type;
    if (type === 'int8' || type === 'int16' || type === 'int32' || type === 'int64' || type === 'float32')
      return castValue(null, replacement, type);
    return castValue(null, replacement, 'float64');
  }
  throw new DataError(`Cannot mask value of type ${kindOf(value)} with custom replacement.`);
}

export const key = maskField(keySide);
export const value = maskField(valueSide);
