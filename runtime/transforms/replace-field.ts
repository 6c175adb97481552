import { ValueStruct, defineConfig, defineTransform, structSchema } from '../api/index.ts';
import type { StructSchema, TransformPlugin, WireNode } from '../api/index.ts';
import { basicsOf, fieldValue, keySide, mustBeMap, mustBeStruct, perSchema, replaceNullKey, valueSide } from './record-side.ts';
import type { RecordSide } from './record-side.ts';
import { rowChange, structNode } from './wire-rows.ts';

const config = defineConfig({
  exclude: { type: 'list', default: [], importance: 'medium', doc: 'Fields to exclude. This takes precedence over the fields to include.' },
  include: { type: 'list', default: [], importance: 'medium', doc: 'Fields to include. If specified, only these fields will be used.' },
  renames: {
    type: 'list',
    default: [],
    rule: {
      kind: 'custom',
      check: (value) => {
        const bad = (value as readonly string[]).find((pair) => !/^[^:]+:[^:]+$/.test(pair));
        return bad === undefined ? undefined : `Invalid rename mapping: ${bad}`;
      },
    },
    importance: 'medium',
    doc: 'Field rename mappings, as `from:to`, separated by commas.',
  },
  'replace.null.with.default': replaceNullKey,
  blacklist: renamed('blacklist', 'exclude'),
  whitelist: renamed('whitelist', 'include'),
});

/** Gone since Kafka 4.0, where it is passed over in silence; fields that were to be left out would then go along. */
function renamed(name: string, now: string) {
  return {
    type: 'list',
    default: null,
    importance: 'low',
    doc: `Refused: it is called ${now} since Kafka 4.0.`,
    internal: true,
    rule: { kind: 'custom', check: () => `${name} is called ${now} since Kafka 4.0. Write ${now} in its place` },
  } as const;
}

/** org.apache.kafka.connect.transforms.ReplaceField: leaves fields out, or gives them other names. */
function replaceField(side: RecordSide): TransformPlugin<typeof config> {
  return defineTransform({
    config,
    create({ exclude, include, renames, 'replace.null.with.default': replaceNull }) {
      const newNames = new Map(renames.map((pair) => pair.split(':') as [string, string]));
      const kept = (name: string): boolean => !exclude.includes(name) && (include.length === 0 || include.includes(name));
      const nameOf = (name: string): string => newNames.get(name) ?? name;
      const plan = perSchema((schema: StructSchema) => {
        const fields = schema.fields.filter(({ name }) => kept(name));
        return {
          indexes: fields.map(({ index }) => index),
          schema: structSchema(
            fields.map((field) => [nameOf(field.name), field.schema]),
            basicsOf(schema),
          ),
        };
      });
      const inBytes = rowChange((node) => {
        const { indexes, schema } = plan(node.schema);
        return structNode(
          schema,
          indexes.map((index) => node.fields[index] as WireNode),
        );
      }, replaceNull);
      return (record) => {
        const value = side.valueOf(record);
        if (value === null || value === undefined) return record;
        if (side.schemaOf(record) === null) {
          const entries = Object.entries(mustBeMap(value, 'field replacement')).filter(([name]) => kept(name));
          return side.replace(record, null, Object.fromEntries(entries.map(([name, item]) => [nameOf(name), item])));
        }
        const struct = mustBeStruct(value, 'field replacement');
        const row = inBytes(struct);
        if (row !== undefined) return side.replace(record, row.schema, row);
        const { indexes, schema } = plan(struct.schema);
        return side.replace(
          record,
          schema,
          new ValueStruct(
            schema,
            indexes.map((index) => fieldValue(struct, index, replaceNull)),
          ),
        );
      };
    },
  });
}

export const key = replaceField(keySide);
export const value = replaceField(valueSide);
