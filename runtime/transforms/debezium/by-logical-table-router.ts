import {
  ConfigError,
  DataError,
  ValueStruct,
  WireStruct,
  badPattern,
  defineConfig,
  defineTransform,
  isStruct,
  javaPattern,
  nameAdjuster,
  schemas,
  structSchema,
} from '../../api/index.ts';
import type {
  AdjustmentMode,
  ConfigValues,
  ConnectRecord,
  Schema,
  Struct,
  StructNode,
  StructSchema,
  Transform,
  WireNode,
} from '../../api/index.ts';
import { kindOf } from '../record-side.ts';
import { eventOf } from './change-event.ts';

const pattern = { kind: 'custom', check: badPattern } as const;

const config = defineConfig({
  'topic.regex': {
    type: 'string',
    rule: pattern,
    importance: 'low',
    doc: 'The regex used for extracting the name of the logical table from the original topic name.',
  },
  'topic.replacement': {
    type: 'string',
    rule: { kind: 'not-empty' },
    importance: 'low',
    doc: 'The replacement string used in conjunction with topic.regex: the new topic name.',
  },
  'key.enforce.uniqueness': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether each key gets a field that names the table it comes from, since keys of different tables may be the same.',
  },
  'key.field.name': {
    type: 'string',
    default: '__dbz__physicalTableIdentifier',
    importance: 'low',
    doc: 'The name of that field.',
  },
  'key.field.regex': {
    type: 'string',
    default: null,
    rule: pattern,
    importance: 'low',
    doc: 'The regex used for extracting the identifier of the table from the original topic name; without it, that name is the identifier.',
  },
  'key.field.replacement': {
    type: 'string',
    default: null,
    importance: 'low',
    doc: 'The replacement string used in conjunction with key.field.regex.',
  },
  'schema.name.adjustment.mode': {
    type: 'string',
    default: 'none',
    rule: { kind: 'one-of', values: ['none', 'avro', 'avro_unicode'], ignoreCase: true },
    importance: 'low',
    doc: 'Whether schema names made of the new topic name are fitted to Avro: what it does not allow becomes an underscore (avro), or _u and its code (avro_unicode).',
  },
  'logical.table.cache.size': {
    type: 'int',
    default: 16,
    importance: 'low',
    doc: 'Accepted for compatibility.',
    noEffect: 'schemas and names are kept for as long as they are used',
  },
});

/** io.debezium.transforms.ByLogicalTableRouter: the changes of many tables, in one topic, as if they were of one. */
export default defineTransform({ config, create: byLogicalTable });

type Values = ConfigValues<typeof config>;

function byLogicalTable(values: Values): Transform {
  const topics = javaPattern(values['topic.regex']);
  const identifiers = identifierOf(values);
  const adjusted = nameAdjuster(values['schema.name.adjustment.mode'].toLowerCase() as AdjustmentMode, 'schema');
  const withId = values['key.enforce.uniqueness'];
  // A table's topic never changes what becomes of it.
  const routes = new Map<string, Route | null>();

  function routeOf(topic: string): Route | null {
    let route = routes.get(topic);
    if (route === undefined) {
      const to = topics.matches(topic) ? topics.replaceFirst(topic, values['topic.replacement']) : '';
      const names = { key: adjusted(`${to}.Key`), value: adjusted(`${to}.Value`), envelope: adjusted(`${to}.Envelope`) };
      const id = withId ? { field: values['key.field.name'], value: identifiers(topic) } : undefined;
      route = to === '' ? null : { topic: to, key: renamer(keyShape(names.key, id)), event: renamer(eventShape(names)) };
      if (routes.size >= 1000) routes.clear();
      routes.set(topic, route);
    }
    return route;
  }

  return <R extends ConnectRecord>(record: R): R => {
    const route = routeOf(record.topic);
    if (route === null) return record;
    const { key, topic } = record;
    const hasKey = key !== null && key !== undefined;
    if (hasKey && !isStruct(key))
      throw new DataError(`topic ${topic}: only keys that are structs can be told apart, found: ${kindOf(key)}`);
    const newKey = hasKey ? route.key(key) : null;
    const event = eventOf(record);
    const newEvent = event === undefined ? undefined : route.event(event);
    return {
      ...record,
      topic: route.topic,
      keySchema: newKey?.schema ?? null,
      key: newKey,
      ...(newEvent === undefined ? {} : { valueSchema: newEvent.schema, value: newEvent }),
    };
  };
}

interface Route {
  readonly topic: string;
  readonly key: (key: Struct) => Struct;
  readonly event: (event: Struct) => Struct;
}

function identifierOf(values: Values): (topic: string) => string {
  const regex = values['key.field.regex']?.trim() ?? '';
  const replacement = values['key.field.replacement']?.trim() ?? '';
  if (regex === '') return (topic) => topic;
  if (replacement === '') throw new ConfigError('key.field.replacement must be non-empty if key.field.regex is set.');
  const found = javaPattern(regex);
  return (topic) => (found.matches(topic) ? found.replaceFirst(topic, replacement) : topic);
}

/** What becomes of a struct: its new schema, the same for the structs in some of its fields, and a field at its end. */
interface Shape {
  schema(of: StructSchema): StructSchema;
  /** By name of the field. */
  readonly inner: ReadonlyMap<string, Shape>;
  readonly added?: { readonly schema: Schema; readonly value: unknown } | undefined;
}

const unchanged: ReadonlyMap<string, Shape> = new Map();

function keyShape(name: string, id: { readonly field: string; readonly value: string } | undefined): Shape {
  return {
    schema: (of) => renamed(of, name, id === undefined ? [] : [[id.field, schemas.string]]),
    inner: unchanged,
    added: id && { schema: schemas.string, value: id.value },
  };
}

function eventShape(names: { readonly value: string; readonly envelope: string }): Shape {
  const row: Shape = { schema: perStruct((of) => renamed(of, names.value)), inner: unchanged };
  const inner = new Map([
    ['before', row],
    ['after', row],
  ]);
  const schema = (of: StructSchema): StructSchema =>
    structSchema(
      of.fields.map((field) => [field.name, inner.get(field.name)?.schema(field.schema as StructSchema) ?? field.schema]),
      { ...basics(of), name: names.envelope },
    );
  return { schema, inner };
}

const basics = ({ optional, version, doc, parameters }: Schema) => ({ optional, version, doc, parameters });

function renamed(of: StructSchema, name: string, added: readonly (readonly [string, Schema])[] = []): StructSchema {
  return structSchema([...of.fields.map((field) => [field.name, field.schema] as const), ...added], { ...basics(of), name });
}

function perStruct(make: (schema: StructSchema) => StructSchema): (schema: StructSchema) => StructSchema {
  const made = new WeakMap<StructSchema, StructSchema>();
  return (schema) => {
    let found = made.get(schema);
    if (found === undefined) made.set(schema, (found = make(schema)));
    return found;
  };
}

/** Gives structs a shape; rows that stand in their source's bytes stay there. */
function renamer(shape: Shape): (struct: Struct) => Struct {
  const schemaOf = perStruct(shape.schema);
  const nodes = new WeakMap<StructNode, StructNode>();
  return (struct) => {
    if (!(struct instanceof WireStruct)) return reshaped(struct, shape, schemaOf(struct.schema));
    let node = nodes.get(struct.node);
    if (node === undefined) nodes.set(struct.node, (node = reshapedNode(struct.node, shape, schemaOf(struct.schema))));
    return new WireStruct(node, struct.row);
  };
}

function reshaped(struct: Struct, shape: Shape, schema: StructSchema): ValueStruct {
  const items = struct.schema.fields.map(({ name, index }) => {
    const [value, inner] = [struct.at(index), shape.inner.get(name)];
    return inner !== undefined && isStruct(value) ? reshaped(value, inner, schema.fields[index]?.schema as StructSchema) : value;
  });
  return new ValueStruct(schema, shape.added === undefined ? items : [...items, shape.added.value]);
}

function reshapedNode(node: StructNode, shape: Shape, schema: StructSchema): StructNode {
  const fields = node.fields.map((field, index): WireNode => {
    const inner = shape.inner.get(node.schema.fields[index]?.name ?? '');
    if (inner === undefined) return field;
    const innerSchema = schema.fields[index]?.schema as StructSchema;
    if (field.kind === 'struct') return reshapedNode(field, inner, innerSchema);
    const value = field.kind === 'constant' && isStruct(field.value) ? reshaped(field.value, inner, innerSchema) : null;
    return { ...field, schema: innerSchema, ...(value === null ? {} : { value }) };
  });
  if (shape.added !== undefined) fields.push({ kind: 'constant', schema: shape.added.schema, value: shape.added.value });
  return { kind: 'struct', schema, fields };
}
