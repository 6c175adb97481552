import { DataError, ValueStruct, defineConfig, defineTransform, fieldOf, structSchema } from '../api/index.ts';
import type { StructSchema, WireNode } from '../api/index.ts';
import { fieldValue, mustBeMap, mustBeStruct, perSchema, replaceNullKey } from './record-side.ts';
import { rowChange, structNode } from './wire-rows.ts';

const config = defineConfig({
  fields: {
    type: 'list',
    rule: { kind: 'not-empty' },
    importance: 'high',
    doc: 'Field names on the record value to extract as the record key.',
  },
  'replace.null.with.default': replaceNullKey,
});

/** org.apache.kafka.connect.transforms.ValueToKey. */
export default defineTransform({
  config,
  create({ fields, 'replace.null.with.default': replaceNull }) {
    const plan = perSchema((schema: StructSchema) => {
      const chosen = fields.map((name) => {
        const field = fieldOf(schema, name);
        if (field === undefined) throw new DataError(`Field does not exist: ${name}`);
        return field;
      });
      return { indexes: chosen.map(({ index }) => index), keySchema: structSchema(chosen.map((field) => [field.name, field.schema])) };
    });
    const inBytes = rowChange((node) => {
      const { indexes, keySchema } = plan(node.schema);
      return structNode(
        keySchema,
        indexes.map((index) => node.fields[index] as WireNode),
      );
    }, replaceNull);
    return (record) => {
      if (record.valueSchema === null) {
        const map = mustBeMap(record.value, 'copying fields from value to key');
        return { ...record, keySchema: null, key: Object.fromEntries(fields.map((name) => [name, map[name] ?? null])) };
      }
      const struct = mustBeStruct(record.value, 'copying fields from value to key');
      const row = inBytes(struct);
      if (row !== undefined) return { ...record, keySchema: row.schema, key: row };
      const { indexes, keySchema } = plan(struct.schema);
      return {
        ...record,
        keySchema,
        key: new ValueStruct(
          keySchema,
          indexes.map((index) => fieldValue(struct, index, replaceNull)),
        ),
      };
    };
  },
});
