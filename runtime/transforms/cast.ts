import { ConfigError, ValueStruct, defineConfig, defineTransform, schemaOf, structSchema } from '../api/index.ts';
import type { Schema, StructSchema, TransformPlugin } from '../api/index.ts';
import { castTypes, castValue } from './cast-value.ts';
import type { CastType } from './cast-value.ts';
import { basicsOf, fieldValue, keySide, mustBeMap, mustBeStruct, perSchema, replaceNullKey, valueSide } from './record-side.ts';
import type { RecordSide } from './record-side.ts';

const config = defineConfig({
  spec: {
    type: 'list',
    rule: { kind: 'not-empty' },
    importance: 'high',
    doc: 'List of fields and the type to cast them to of the form field1:type,field2:type to cast fields of Maps or Structs. A single type to cast the entire value. Valid types are int8, int16, int32, int64, float32, float64, boolean, and string.',
  },
  'replace.null.with.default': replaceNullKey,
});

interface CastSpec {
  readonly whole: CastType | undefined;
  readonly fields: ReadonlyMap<string, CastType>;
}

function parseSpec(spec: readonly string[]): CastSpec {
  const fields = new Map<string, CastType>();
  let whole: CastType | undefined;
  for (const part of spec) {
    const [name = '', type, ...more] = part.split(':').map((piece) => piece.trim());
    if (more.length > 0) throw new ConfigError(`spec: invalid mapping "${part}"`);
    if (type === undefined) whole = typeNamed(name);
    else fields.set(name, typeNamed(type));
  }
  if (whole !== undefined && spec.length > 1)
    throw new ConfigError('spec: a type for the whole value and types for fields exclude each other');
  return { whole, fields };
}

function typeNamed(name: string): CastType {
  const type = castTypes.find((known) => known === name.toLowerCase());
  if (type === undefined) throw new ConfigError(`spec: cannot cast to "${name}"; valid types are ${castTypes.join(', ')}`);
  return type;
}

/** org.apache.kafka.connect.transforms.Cast. */
function cast(side: RecordSide): TransformPlugin<typeof config> {
  return defineTransform({
    config,
    create({ spec, 'replace.null.with.default': replaceNull }) {
      const { whole, fields } = parseSpec(spec);
      const fieldCasted = (schema: Schema, type: CastType): Schema =>
        schemaOf(type, {
          optional: schema.optional,
          ...(schema.defaultValue === undefined || schema.defaultValue === null
            ? {}
            : { defaultValue: castValue(schema, schema.defaultValue, type) }),
        });
      const wholeSchema = perSchema((schema: Schema) => schemaOf(whole as CastType, { ...basicsOf(schema), optional: schema.optional }));
      const plan = perSchema((schema: StructSchema) => ({
        types: schema.fields.map(({ name }) => fields.get(name)),
        schema: structSchema(
          schema.fields.map((field) => {
            const type = fields.get(field.name);
            return [field.name, type === undefined ? field.schema : fieldCasted(field.schema, type)];
          }),
          { ...basicsOf(schema), optional: schema.optional },
        ),
      }));
      return (record) => {
        const value = side.valueOf(record);
        const schema = side.schemaOf(record);
        if (value === null || value === undefined) return record;
        if (whole !== undefined) return side.replace(record, schema === null ? null : wholeSchema(schema), castValue(schema, value, whole));
        if (schema === null) {
          const entries = Object.entries(mustBeMap(value, 'cast types'));
          const done = entries.map(([name, item]) => {
            const type = fields.get(name);
            return [name, type === undefined ? item : castValue(null, item, type)];
          });
          return side.replace(record, null, Object.fromEntries(done));
        }
        const struct = mustBeStruct(value, 'cast types');
        const { types, schema: casted } = plan(struct.schema);
        const values = struct.schema.fields.map((field, i) => {
          const item = fieldValue(struct, field.index, replaceNull);
          const type = types[i];
          return type === undefined ? item : castValue(field.schema, item, type);
        });
        return side.replace(record, casted, new ValueStruct(casted, values));
      };
    },
  });
}

export const key = cast(keySide);
export const value = cast(valueSide);
