import {
  ConfigError,
  DataError,
  ValueStruct,
  defineConfig,
  defineTransform,
  schemas,
  structSchema,
  timestampSchema,
  withOptions,
} from '../api/index.ts';
import type { ConnectRecord, Schema, SinkRecord, StructSchema, TransformPlugin, WireNode } from '../api/index.ts';
import { basicsOf, fieldValue, keySide, mustBeMap, mustBeStruct, perSchema, replaceNullKey, valueSide } from './record-side.ts';
import type { RecordSide } from './record-side.ts';
import { rowChange, structNode } from './wire-rows.ts';

const suffixes = 'Suffix with `!` to make this a required field, or `?` to keep it optional (the default).';

const config = defineConfig({
  'topic.field': { type: 'string', default: null, importance: 'medium', doc: `Field name for Kafka topic. ${suffixes}` },
  'partition.field': { type: 'string', default: null, importance: 'medium', doc: `Field name for Kafka partition. ${suffixes}` },
  'offset.field': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: `Field name for Kafka offset - only applicable to sink connectors. ${suffixes}`,
  },
  'timestamp.field': { type: 'string', default: null, importance: 'medium', doc: `Field name for record timestamp. ${suffixes}` },
  'static.field': { type: 'string', default: null, importance: 'medium', doc: `Field name for static data field. ${suffixes}` },
  'static.value': { type: 'string', default: null, importance: 'medium', doc: 'Static field value, if field name configured.' },
  'replace.null.with.default': replaceNullKey,
});

interface Insertion {
  readonly name: string;
  readonly schema: Schema;
  readonly valueOf: (record: ConnectRecord) => unknown;
}

function insertion(spec: string | null, schema: Schema, valueOf: Insertion['valueOf']): Insertion[] {
  if (spec === null || spec === '') return [];
  const marked = spec.endsWith('!') || spec.endsWith('?');
  const optional = !spec.endsWith('!');
  return [{ name: marked ? spec.slice(0, -1) : spec, schema: optional ? withOptions(schema, { optional }) : schema, valueOf }];
}

function offsetOf(record: ConnectRecord): unknown {
  const { offset } = record as Partial<SinkRecord>;
  if (offset === undefined) throw new DataError('offset.field: only records that a sink reads have an offset');
  return offset;
}

/** org.apache.kafka.connect.transforms.InsertField: appends what is known of the record, or a fixed text. */
function insertField(side: RecordSide): TransformPlugin<typeof config> {
  return defineTransform({
    config,
    create(values) {
      if (values['static.field'] && values['static.value'] === null) {
        throw new ConfigError(`static.field=${values['static.field']} needs static.value, the text to put there.`);
      }
      const fixedText = (): unknown => values['static.value'];
      const insertions = [
        ...insertion(values['topic.field'], schemas.string, ({ topic }) => topic),
        ...insertion(values['partition.field'], schemas.int32, ({ partition }) => partition),
        ...insertion(values['offset.field'], schemas.int64, offsetOf),
        ...insertion(values['timestamp.field'], timestampSchema(), ({ timestamp }) => (timestamp === null ? null : new Date(timestamp))),
        ...insertion(values['static.value'] === null ? null : values['static.field'], schemas.string, fixedText),
      ];
      if (insertions.length === 0) throw new ConfigError('No field insertion configured: set at least one of the keys that end in .field.');
      const replaceNull = values['replace.null.with.default'];
      const extended = perSchema((schema: StructSchema) =>
        structSchema(
          [
            ...schema.fields.map((field) => [field.name, field.schema] as const),
            ...insertions.map(({ name, schema: added }) => [name, added] as const),
          ],
          basicsOf(schema),
        ),
      );
      // Only a fixed text is the same for all rows of a tree.
      const fixed = insertions.every(({ valueOf }) => valueOf === fixedText);
      const nodes = insertions.map(({ schema }): WireNode => ({ kind: 'constant', schema, value: values['static.value'] }));
      const inBytes = rowChange((node) => structNode(extended(node.schema), [...node.fields, ...nodes]), replaceNull);
      return (record) => {
        const value = side.valueOf(record);
        if (value === null || value === undefined) return record;
        if (side.schemaOf(record) === null) {
          const added = insertions.map((one) => [one.name, one.valueOf(record)]);
          return side.replace(record, null, { ...mustBeMap(value, 'field insertion'), ...Object.fromEntries(added) });
        }
        const struct = mustBeStruct(value, 'field insertion');
        const row = fixed ? inBytes(struct) : undefined;
        if (row !== undefined) return side.replace(record, row.schema, row);
        const schema = extended(struct.schema);
        const all = struct.schema.fields.map(({ index }) => fieldValue(struct, index, replaceNull));
        for (const one of insertions) all.push(one.valueOf(record) ?? null);
        return side.replace(record, schema, new ValueStruct(schema, all));
      };
    },
  });
}

export const key = insertField(keySide);
export const value = insertField(valueSide);
