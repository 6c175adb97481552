import {
  DataError,
  ValueStruct,
  WireStruct,
  defineConfig,
  defineTransform,
  fieldOf,
  isStruct,
  schemas,
  structSchema,
  withOptions,
} from '../api/index.ts';
import type {
  ConfigValues,
  ConnectRecord,
  Header,
  Logger,
  Schema,
  Struct,
  StructNode,
  StructSchema,
  Transform,
  WireNode,
} from '../api/index.ts';
import { fieldAt, nodeAt, references, schemaAt, valueAt } from './event-reference.ts';
import type { Reference } from './event-reference.ts';
import { fieldValue, perSchema, replaceNullKey } from './record-side.ts';
import { seldom } from './seldom.ts';
import { rowChange, structNode } from './wire-rows.ts';

const renamed = {
  type: 'string',
  default: null,
  importance: 'low',
  internal: true,
  doc: 'Accepted for compatibility with configs written before Debezium 2.5.',
  noEffect:
    'Debezium 3 ignores it too. Set delete.tombstone.handling.mode to one of drop, tombstone, rewrite, rewrite-with-tombstone, delete-to-tombstone',
} as const;

const modes = ['drop', 'tombstone', 'rewrite', 'rewrite-with-tombstone', 'delete-to-tombstone'];

const config = defineConfig({
  'delete.tombstone.handling.mode': {
    type: 'string',
    default: 'tombstone',
    rule: { kind: 'one-of', values: modes, ignoreCase: true },
    importance: 'medium',
    doc: 'Defines the way the transformation handles deletes and tombstones',
  },
  'route.by.field': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'The column which determines how the events will be routed, the value will replace the topic name.',
  },
  'add.fields': {
    type: 'list',
    default: [],
    importance: 'low',
    doc: 'Adds each field listed, prefixed with `__`, to the value; `a.b` reads from a part of the envelope, `a.b:name` gives a name.',
  },
  'add.fields.prefix': { type: 'string', default: '__', importance: 'low', doc: 'Adds this prefix to each field listed.' },
  'add.headers': {
    type: 'list',
    default: [],
    importance: 'low',
    doc: 'Adds each field listed to the headers, as add.fields to the value.',
  },
  'add.headers.prefix': { type: 'string', default: '__', importance: 'low', doc: 'Adds this prefix to each header listed.' },
  'drop.fields.header.name': {
    type: 'string',
    default: null,
    importance: 'low',
    doc: 'Specifies the name of a header that contains a list of fields to be removed from the event value.',
  },
  'drop.fields.from.key': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Specifies whether the fields to be dropped should also be omitted from the key.',
  },
  'drop.fields.keep.schema.compatible': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: "Controls the output event's schema compatibility when using the drop fields feature: only optional fields are dropped.",
  },
  'replace.null.with.default': replaceNullKey,
  'drop.tombstones': renamed,
  'delete.handling.mode': renamed,
});

/** io.debezium.transforms.ExtractNewRecordState: the row in place of the change event. */
export default defineTransform({ config, create: unwrap });

type Values = ConfigValues<typeof config>;

function unwrap(values: Values, log?: Logger): Transform {
  const mode = values['delete.tombstone.handling.mode'].toLowerCase();
  const rewrites = mode.startsWith('rewrite');
  const fields = references(values['add.fields'], values['add.fields.prefix']);
  const headers = references(values['add.headers'], values['add.headers.prefix']);
  // Debezium copies nulls as they are, but where it inserts __deleted.
  const replaceNull = rewrites && values['replace.null.with.default'];
  const missing = seldom((message) => log?.warn(message));
  const extend = extendedSchemas(rewrites, fields);
  const keepsFields = values['drop.fields.header.name'] === null;

  // For each tree of an event, and for either row in it: that row's tree with what is added, over the same bytes.
  const wireRows = perSchema((event: StructNode) => {
    const changed = (deleted: boolean) =>
      rowChange((row) => {
        const schema = extend(event.schema, row.schema);
        const marks: WireNode[] = rewrites ? [{ kind: 'constant', schema: schemas.optionalString, value: deleted ? 'true' : 'false' }] : [];
        const added = fields.flatMap(({ path }) => (fieldAt(event.schema, path) === undefined ? [] : [nodeAt(event, path)]));
        return added.every((node) => node !== undefined) ? structNode(schema, [...row.fields, ...marks, ...added]) : undefined;
      }, replaceNull);
    return { live: changed(false), deleted: changed(true) };
  });

  /** A row that still stands in its source's bytes, if all that is added does too: it is written without being decoded. */
  function inBytes(event: Struct, row: Struct, deleted: boolean): WireStruct | undefined {
    if (!keepsFields || !(event instanceof WireStruct) || !(row instanceof WireStruct) || row.row !== event.row) return undefined;
    const { live, deleted: gone } = wireRows(event.node);
    return (deleted ? gone : live)(row);
  }

  function rowOf(record: ConnectRecord, event: Struct, row: Struct, deleted: boolean): ValueStruct {
    const schema = extend(event.schema, row.schema);
    const dropped = droppedFields(record, row.schema, values);
    const items: unknown[] = [];
    for (const { index, name } of row.schema.fields) if (!dropped.has(name)) items.push(fieldValue(row, index, replaceNull));
    if (rewrites) items.push(deleted ? 'true' : 'false');
    for (const { path } of fields) if (fieldAt(event.schema, path) !== undefined) items.push(valueAt(event, path));
    return new ValueStruct(dropped.size === 0 ? schema : withoutFields(schema, dropped), items);
  }

  return <R extends ConnectRecord>(record: R): R | null => {
    const { value } = record;
    if (value === null || value === undefined) {
      if (mode !== 'rewrite-with-tombstone') return null;
      const marked = headers
        .filter(({ path }) => path.at(-1) === 'op')
        .map(({ name }) => ({ key: name, schema: schemas.string, value: 'd' }));
      return marked.length === 0 ? record : { ...record, headers: [...record.headers, ...marked] };
    }
    if (record.valueSchema?.name?.endsWith('.Envelope') !== true || !isStruct(value)) return record;
    const after = value.get('after');
    const deleted = !isStruct(after);
    const row = deleted ? value.get('before') : after;
    const operation = value.get('op');
    if (operation === 't' || operation === 'm') return null;
    for (const { path } of [...fields, ...headers]) {
      if (fieldAt(value.schema, path) === undefined)
        missing(() => `topic ${record.topic}: a change event has no ${path.join('.')}, which is to be added to it`);
    }
    const withHeaders = headers.length === 0 ? record : { ...record, headers: [...record.headers, ...addedHeaders(value, headers)] };
    const topic = isStruct(row) ? routed(record.topic, row, values['route.by.field']) : record.topic;
    if (deleted && !rewrites) {
      if (mode === 'drop') return null;
      // As Debezium: a null that keeps the row's schema, so that a converter with schemas writes it with that.
      return { ...withHeaders, topic, valueSchema: mode === 'tombstone' ? rowSchemaOf(value.schema) : null, value: null };
    }
    if (!isStruct(row)) throw new DataError(`topic ${record.topic}: a change event with neither "after" nor "before"`);
    const unwrapped = inBytes(value, row, deleted) ?? rowOf(record, value, row, deleted);
    return {
      ...withHeaders,
      ...(values['drop.fields.from.key'] ? keyWithout(record, values) : {}),
      topic,
      valueSchema: unwrapped.schema,
      value: unwrapped,
    };
  };
}

function routed(topic: string, row: Struct, field: string): string {
  if (field === '') return topic;
  const found = row.get(field);
  return found === null || String(found).trim() === '' ? topic : String(found);
}

const rowSchemaOf = (event: StructSchema): Schema | null => fieldOf(event, 'after')?.schema ?? null;

function addedHeaders(event: Struct, headers: readonly Reference[]): Header[] {
  return headers.flatMap(({ path, name }) => {
    const schema = schemaAt(event.schema, path);
    return schema === undefined ? [] : [{ key: name, schema, value: valueAt(event, path) }];
  });
}

/** The row's schema with what is added; made once for each pair of schemas. */
function extendedSchemas(rewrites: boolean, fields: readonly Reference[]): (event: StructSchema, row: StructSchema) => StructSchema {
  const forEvent = perSchema((event: StructSchema) =>
    perSchema((row: StructSchema) => {
      const { optional: _, ...options } = row;
      if (!rewrites && fields.length === 0) return withOptions(row, { optional: false });
      const added = fields.flatMap(({ path, name }) => {
        const schema = schemaAt(event, path);
        return schema === undefined ? [] : [[name, schema] as const];
      });
      return structSchema(
        [
          ...row.fields.map((field) => [field.name, field.schema] as const),
          ...(rewrites ? [['__deleted', schemas.optionalString] as const] : []),
          ...added,
        ],
        options,
      );
    }),
  );
  return (event, row) => forEvent(event)(row);
}

const nothing: ReadonlySet<string> = new Set();

function droppedFields(record: ConnectRecord, row: StructSchema, values: Values): ReadonlySet<string> {
  const header = values['drop.fields.header.name'];
  const listed = header === null ? undefined : record.headers.find(({ key }) => key === header)?.value;
  if (!Array.isArray(listed)) return nothing;
  const keep = values['drop.fields.keep.schema.compatible'];
  return new Set(row.fields.filter(({ name, schema }) => listed.includes(name) && (!keep || schema.optional)).map(({ name }) => name));
}

/** Only the key of a struct can do without some of its fields. */
function keyWithout(record: ConnectRecord, values: Values): Pick<ConnectRecord, 'keySchema' | 'key'> | undefined {
  const { key } = record;
  if (!isStruct(key)) return undefined;
  const dropped = droppedFields(record, key.schema, values);
  if (dropped.size === 0) return undefined;
  const schema = withoutFields(key.schema, dropped);
  const left = schema.fields.map(({ name }) => key.get(name));
  return { keySchema: schema, key: new ValueStruct(schema, left) };
}

const shortened = new WeakMap<StructSchema, Map<string, StructSchema>>();

/** Made once for each list of fields, since what comes after is cached by the schema's identity. */
function withoutFields(schema: StructSchema, dropped: ReadonlySet<string>): StructSchema {
  const known = shortened.get(schema) ?? new Map<string, StructSchema>();
  shortened.set(schema, known);
  const names = JSON.stringify([...dropped]);
  let shorter = known.get(names);
  if (shorter === undefined) {
    const kept = schema.fields.filter(({ name }) => !dropped.has(name));
    shorter = structSchema(
      kept.map((field) => [field.name, field.schema]),
      schema,
    );
    known.set(names, shorter);
  }
  return shorter;
}
