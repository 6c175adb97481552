import { ConfigError, ValueStruct, defineConfig, defineTransform, fieldOf, structSchema } from '../api/index.ts';
import type { Header, StructSchema, TransformPlugin } from '../api/index.ts';
import { basicsOf, fieldValue, keySide, mustBeMap, mustBeStruct, perSchema, replaceNullKey, valueSide } from './record-side.ts';
import type { RecordSide } from './record-side.ts';

const config = defineConfig({
  fields: {
    type: 'list',
    rule: { kind: 'not-empty' },
    importance: 'high',
    doc: 'Field names in the record whose values are to be copied or moved to headers.',
  },
  headers: {
    type: 'list',
    rule: { kind: 'not-empty' },
    importance: 'high',
    doc: 'Header names, in the same order as the field names listed in the fields configuration property.',
  },
  operation: {
    type: 'string',
    rule: { kind: 'one-of', values: ['move', 'copy'] },
    importance: 'high',
    doc: 'Either `move` if the fields are to be moved to the headers (removed from the key/value), or `copy` if the fields are to be copied to the headers (retained in the key/value).',
  },
  'replace.null.with.default': replaceNullKey,
});

/** org.apache.kafka.connect.transforms.HeaderFrom. */
function headerFrom(side: RecordSide): TransformPlugin<typeof config> {
  return defineTransform({
    config,
    create({ fields, headers, operation, 'replace.null.with.default': replaceNull }) {
      if (fields.length !== headers.length)
        throw new ConfigError("'fields' config must have the same number of elements as 'headers' config.");
      const move = operation === 'move';
      const plan = perSchema((schema: StructSchema) => {
        const kept = schema.fields.filter(({ name }) => !fields.includes(name));
        return {
          kept: kept.map(({ index }) => index),
          schema: structSchema(
            kept.map((field) => [field.name, field.schema]),
            basicsOf(schema),
          ),
        };
      });
      return (record) => {
        const value = side.valueOf(record);
        if (side.schemaOf(record) === null) {
          const map = mustBeMap(value, 'header from');
          const added = fields.map((name, i): Header => ({ key: headers[i] as string, schema: null, value: map[name] ?? null }));
          const left = Object.fromEntries(Object.entries(map).filter(([name]) => !fields.includes(name)));
          return { ...side.replace(record, null, move ? left : value), headers: [...record.headers, ...added] };
        }
        const struct = mustBeStruct(value, 'header from');
        const added = fields.flatMap((name, i): Header[] => {
          const field = fieldOf(struct.schema, name);
          return field === undefined
            ? []
            : [{ key: headers[i] as string, schema: field.schema, value: fieldValue(struct, field.index, replaceNull) }];
        });
        const withHeaders = { ...record, headers: [...record.headers, ...added] };
        if (!move) return withHeaders;
        const { kept, schema } = plan(struct.schema);
        return side.replace(
          withHeaders,
          schema,
          new ValueStruct(
            schema,
            kept.map((index) => fieldValue(struct, index, replaceNull)),
          ),
        );
      };
    },
  });
}

export const key = headerFrom(keySide);
export const value = headerFrom(valueSide);
