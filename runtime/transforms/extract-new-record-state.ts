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
import type { ConfigValues, ConnectRecord, Header, Schema, Struct, StructNode, StructSchema, Transform } from '../api/index.ts';
import { fieldValue, perSchema, replaceNullKey } from './record-side.ts';

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

/** A part of the envelope that goes along, and what it is called there. */
interface Reference {
  readonly path: readonly string[];
  readonly name: string;
}

/** `op`, `source.ts_ms`, `transaction.id:txid`; a plain name is looked for in the envelope, then in its source. */
function references(items: readonly string[], prefix: string): Reference[] {
  return items
    .filter((item) => item !== '')
    .map((item) => {
      const [path = '', alias] = item.split(':');
      return { path: path.split('.'), name: prefix + (alias ?? path.replaceAll('.', '_')) };
    });
}

function unwrap(values: Values): Transform {
  const mode = values['delete.tombstone.handling.mode'].toLowerCase();
  const rewrites = mode.startsWith('rewrite');
  const fields = references(values['add.fields'], values['add.fields.prefix']);
  const headers = references(values['add.headers'], values['add.headers.prefix']);
  const replaceNull = values['replace.null.with.default'];
  const extend = extendedSchemas(rewrites, fields);
  const plain = !rewrites && fields.length === 0 && values['drop.fields.header.name'] === null;

  function rowOf(record: ConnectRecord, event: Struct, row: Struct, deleted: boolean): ValueStruct {
    const schema = extend(event.schema, row.schema);
    const dropped = droppedFields(record, row.schema, values);
    const items: unknown[] = [];
    for (const { index, name } of row.schema.fields) if (!dropped.has(name)) items.push(fieldValue(row, index, replaceNull));
    if (rewrites) items.push(deleted ? 'true' : 'false');
    for (const { path } of fields) items.push(valueAt(event, path));
    return new ValueStruct(dropped.size === 0 ? schema : withoutFields(schema, dropped), items);
  }

  return <R extends ConnectRecord>(record: R): R | null => {
    const { value } = record;
    if (value === null || value === undefined) return mode === 'tombstone' || mode === 'rewrite-with-tombstone' ? record : null;
    if (record.valueSchema?.name?.endsWith('.Envelope') !== true || !isStruct(value)) return record;
    const after = value.get('after');
    const deleted = !isStruct(after);
    const row = deleted ? value.get('before') : after;
    const operation = value.get('op');
    if (operation === 't' || operation === 'm') return null;
    const withHeaders = headers.length === 0 ? record : { ...record, headers: [...record.headers, ...addedHeaders(value, headers)] };
    if (deleted && !rewrites) {
      return mode === 'delete-to-tombstone' ? { ...withHeaders, valueSchema: null, value: null } : null;
    }
    if (!isStruct(row)) throw new DataError(`topic ${record.topic}: a change event with neither "after" nor "before"`);
    const unwrapped = (plain ? asRequired(row, replaceNull) : undefined) ?? rowOf(record, value, row, deleted);
    return {
      ...withHeaders,
      ...(values['drop.fields.from.key'] ? keyWithout(record, values) : {}),
      topic: routed(record.topic, row, values['route.by.field']),
      valueSchema: unwrapped.schema,
      value: unwrapped,
    };
  };
}

const requiredNodes = new WeakMap<StructNode, StructNode>();

/**
 * A row that still stands in its source's bytes stays there, so that it is written without being decoded; only its
 * schema must no longer be optional. Undefined for other rows, and where nulls must give way to defaults.
 */
function asRequired(row: Struct, replaceNull: boolean): WireStruct | undefined {
  if (!(row instanceof WireStruct)) return undefined;
  if (replaceNull && row.schema.fields.some(({ schema }) => (schema.defaultValue ?? null) !== null)) return undefined;
  let node = requiredNodes.get(row.node);
  if (node === undefined) {
    node = { ...row.node, schema: withOptions(row.node.schema, { optional: false }) };
    requiredNodes.set(row.node, node);
  }
  return new WireStruct(node, row.row);
}

function routed(topic: string, row: Struct, field: string): string {
  return field === '' ? topic : String(row.get(field));
}

function addedHeaders(event: Struct, headers: readonly Reference[]): Header[] {
  return headers.map(({ path, name }) => ({ key: name, schema: schemaAt(event.schema, path), value: valueAt(event, path) }));
}

/** The row's schema with what is added; made once for each pair of schemas. */
function extendedSchemas(rewrites: boolean, fields: readonly Reference[]): (event: StructSchema, row: StructSchema) => StructSchema {
  const forEvent = perSchema((event: StructSchema) =>
    perSchema((row: StructSchema) => {
      const { optional: _, ...options } = row;
      if (!rewrites && fields.length === 0) return withOptions(row, { optional: false });
      const added = fields.map(({ path, name }) => [name, schemaAt(event, path)] as const);
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

function pathIn(schema: Schema, path: readonly string[]): readonly string[] {
  return path.length === 1 && fieldOf(schema, path[0] ?? '') === undefined ? ['source', ...path] : path;
}

function schemaAt(event: Schema, path: readonly string[]): Schema {
  let current: Schema = event;
  for (const name of pathIn(event, path)) {
    const field = fieldOf(current, name);
    if (field === undefined) throw new DataError(`Unable to find field ${path.join('.')} in the change event ${event.name ?? ''}`);
    current = field.schema;
  }
  return current.optional ? current : withOptions(current, { optional: true });
}

function valueAt(event: Struct, path: readonly string[]): unknown {
  let current: unknown = event;
  for (const name of pathIn(event.schema, path)) current = isStruct(current) ? current.get(name) : null;
  return current;
}

const nothing: ReadonlySet<string> = new Set();

function droppedFields(record: ConnectRecord, row: StructSchema, values: Values): ReadonlySet<string> {
  const header = values['drop.fields.header.name'];
  const listed = header === null ? undefined : record.headers.findLast(({ key }) => key === header)?.value;
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
