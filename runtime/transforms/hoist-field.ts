import { ValueStruct, defineConfig, defineTransform, structSchema } from '../api/index.ts';
import type { Schema, TransformPlugin } from '../api/index.ts';
import { keySide, perSchema, valueSide } from './record-side.ts';
import type { RecordSide } from './record-side.ts';

const config = defineConfig({
  field: {
    type: 'string',
    importance: 'medium',
    doc: 'Field name for the single field that will be created in the resulting Struct or Map.',
  },
});

/** org.apache.kafka.connect.transforms.HoistField: wraps the data in a struct (or map) of one field. */
function hoistField(side: RecordSide): TransformPlugin<typeof config> {
  return defineTransform({
    config,
    create({ field }) {
      const wrapped = perSchema((schema: Schema) => structSchema([[field, schema]]));
      return (record) => {
        const schema = side.schemaOf(record);
        const value = side.valueOf(record) ?? null;
        if (schema === null) return side.replace(record, null, { [field]: value });
        const outer = wrapped(schema);
        return side.replace(record, outer, new ValueStruct(outer, [value]));
      };
    },
  });
}

export const key = hoistField(keySide);
export const value = hoistField(valueSide);
