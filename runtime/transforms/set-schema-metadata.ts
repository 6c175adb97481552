import { ConfigError, DataError, ValueStruct, defineConfig, defineTransform, isStruct, withOptions } from '../api/index.ts';
import type { Schema, StructSchema, TransformPlugin } from '../api/index.ts';
import { fieldValue, keySide, perSchema, replaceNullKey, valueSide } from './record-side.ts';
import type { RecordSide } from './record-side.ts';

const config = defineConfig({
  'schema.name': { type: 'string', default: null, importance: 'high', doc: 'Schema name to set.' },
  'schema.version': { type: 'int', default: null, importance: 'high', doc: 'Schema version to set.' },
  'replace.null.with.default': replaceNullKey,
});

/** org.apache.kafka.connect.transforms.SetSchemaMetadata. */
function setSchemaMetadata(side: RecordSide): TransformPlugin<typeof config> {
  return defineTransform({
    config,
    create(values) {
      const name = values['schema.name'];
      const version = values['schema.version'];
      if (name === null && version === null) throw new ConfigError('Neither schema name nor version configured');
      const renamed = perSchema((schema: Schema) =>
        withOptions(schema, { ...(name === null ? {} : { name }), ...(version === null ? {} : { version }) }),
      );
      return (record) => {
        const schema = side.schemaOf(record);
        const value = side.valueOf(record);
        if (schema === null) {
          if (value === null || value === undefined) return record;
          throw new DataError('Schema required for [updating schema metadata]');
        }
        const updated = renamed(schema);
        if (!isStruct(value)) return side.replace(record, updated, value);
        const fields = value.schema.fields.map(({ index }) => fieldValue(value, index, values['replace.null.with.default']));
        return side.replace(record, updated, new ValueStruct(updated as StructSchema, fields));
      };
    },
  });
}

export const key = setSchemaMetadata(keySide);
export const value = setSchemaMetadata(valueSide);
