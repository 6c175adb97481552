import {
  DataError,
  ValueStruct,
  defineTransform,
  fieldOf,
  isStruct,
  javaText,
  nameAdjuster,
  schemas,
  structSchema,
} from '../../api/index.ts';
import type {
  AdjustmentMode,
  ConfigValues,
  ConnectRecord,
  Field,
  Header,
  Logger,
  Schema,
  SchemaAndValue,
  Struct,
  StructSchema,
  Transform,
} from '../../api/index.ts';
import { perSchema } from '../record-side.ts';
import { topicRouter } from '../regex-router.ts';
import { seldom } from '../seldom.ts';
import { outboxConfig } from './config.ts';
import { expandJson } from './expand-json.ts';
import { parsePlacements } from './placement.ts';
import type { Placement } from './placement.ts';

/**
 * io.debezium.transforms.outbox.EventRouter: each row inserted into an outbox table becomes the event that it
 * holds, in a topic chosen by one of its columns. Deletes and tombstones are dropped, updates refused, or dropped and
 * logged.
 */
export default defineTransform({ config: outboxConfig, create: eventRouter });

type Values = ConfigValues<typeof outboxConfig>;

/** The columns of one outbox table, found once. */
interface Columns {
  readonly id: Field;
  readonly key: Field;
  readonly route: Field;
  readonly payload: Field;
  readonly timestamp: Field | undefined;
  readonly version: Field | undefined;
  readonly placed: readonly { readonly placement: Placement; readonly field: Field }[];
}

function eventRouter(values: Values, log?: Logger): Transform {
  const placements = parsePlacements(values['table.fields.additional.placement']);
  const enveloped = placements.some(({ place }) => place === 'envelope');
  const route = topicRouter(values['route.topic.regex'], values['route.topic.replacement']);
  const columnsOf = perSchema((schema: StructSchema) => findColumns(schema, values, placements));
  const valueSchemas = eventSchemas();
  const unexpected = values['table.op.invalid.behavior'].toLowerCase();
  const dropped = seldom((message) => (unexpected === 'error' ? log?.error(message) : log?.warn(message)));
  const unexpanded = seldom((message) => log?.warn(message));

  return <R extends ConnectRecord>(record: R): R | null => {
    const { value, valueSchema } = record;
    if (value === null || value === undefined) return null;
    // Heartbeats, transaction marks and the like.
    if (valueSchema === null || valueSchema.name?.endsWith('.Envelope') !== true || !isStruct(value)) return record;
    const operation = value.get('op');
    if (operation === 'd' || operation === 't') return null;
    if (operation === 'u') {
      if (unexpected === 'fatal') throw new DataError(updated(record));
      dropped(() => `${updated(record)}; the event is left out (table.op.invalid.behavior=${unexpected})`);
      return null;
    }
    const row = value.get('after');
    if (!isStruct(row)) throw new DataError(`topic ${record.topic}: an outbox event without a row`);
    const columns = columnsOf(row.schema);
    const routedBy = row.at(columns.route.index);
    if (typeof routedBy !== 'string')
      throw new DataError(
        `topic ${record.topic}: the column ${columns.route.name} that routes an outbox event must be a text, and not null`,
      );
    const payload = payloadOf(row, columns, values);
    if (values['table.expand.json.payload'] && typeof payload.value === 'string') {
      unexpanded(
        () =>
          `topic ${record.topic}: a payload stays text, since it is no JSON object whose schema can be told (table.expand.json.payload)`,
      );
    }
    const headers: Header[] = [...record.headers, { key: 'id', schema: columns.id.schema, value: row.at(columns.id.index) }];
    // A partition that was chosen before belongs to the outbox's topic.
    let partition: number | null = null;
    for (const { placement, field } of columns.placed) {
      const placed = row.at(field.index);
      if (placement.place === 'header') headers.push({ key: placement.alias, schema: field.schema, value: placed });
      if (placement.place === 'partition') partition = partitionOf(record.topic, field, placed);
    }
    const tombstone = values['route.tombstone.on.empty.payload'] && isEmpty(payload.value);
    const event = tombstone ? nothing : enveloped ? envelope(row, columns, payload, routedBy, valueSchemas) : payload;
    return {
      ...record,
      topic: route(routedBy),
      partition,
      keySchema: columns.key.schema,
      key: row.at(columns.key.index),
      valueSchema: event.schema,
      value: event.value,
      timestamp: timestampOf(value, row, columns),
      headers,
    };
  };
}

function partitionOf(topic: string, { name, schema }: Field, value: unknown): number | null {
  if (schema.type !== 'int32') {
    throw new DataError(
      `topic ${topic}: the column ${name} is a ${schema.type}, which is no number of a partition: that is an integer (int32)`,
    );
  }
  return typeof value === 'number' ? value : null;
}

/** The key is the row's primary key, which the message may name. */
function updated({ topic, key, keySchema }: ConnectRecord): string {
  return `topic ${topic}: unexpected update event in the outbox table, of the row ${javaText(keySchema, key)}; rows should only be inserted and deleted`;
}

const nothing: SchemaAndValue = { schema: null, value: null };

function isEmpty(payload: unknown): boolean {
  return payload === null || (typeof payload === 'string' && payload.trim() === '');
}

function findColumns(schema: StructSchema, values: Values, placements: readonly Placement[]): Columns {
  const column = (name: string): Field => {
    const field = fieldOf(schema, name);
    if (field === undefined) throw new DataError(`Unable to find the field ${name} in the outbox table of ${schema.name ?? 'the event'}`);
    return field;
  };
  const chosen = (name: string | null): Field | undefined => (name === null || name === '' ? undefined : column(name));
  return {
    id: column(values['table.field.event.id']),
    key: column(values['table.field.event.key']),
    route: column(values['route.by.field']),
    payload: column(values['table.field.event.payload']),
    timestamp: chosen(values['table.field.event.timestamp']),
    version: chosen(values['table.field.event.schema.version']),
    placed: placements.flatMap((placement) => {
      if (!values['table.fields.additional.error.on.missing'] && fieldOf(schema, placement.column) === undefined) return [];
      return [{ placement, field: column(placement.column) }];
    }),
  };
}

function payloadOf(row: Struct, { payload }: Columns, values: Values): SchemaAndValue {
  const value = row.at(payload.index);
  const plain: SchemaAndValue = { schema: payload.schema, value };
  if (!values['table.expand.json.payload'] || typeof value !== 'string') return plain;
  const nullAsBytes = values['table.json.payload.null.behavior'].toLowerCase() === 'optional_bytes';
  const mode = values['field.name.adjustment.mode'].toLowerCase() as AdjustmentMode;
  const fieldName = mode === 'none' ? undefined : nameAdjuster(mode, 'field');
  return expandJson(value, values['table.field.event.payload'], { nullAsBytes, fieldName }) ?? plain;
}

function timestampOf(event: Struct, row: Struct, { timestamp }: Columns): number | null {
  const value = (timestamp === undefined ? null : row.at(timestamp.index)) ?? event.get('ts_ms');
  if (value === null) return null;
  if (timestamp !== undefined && row.at(timestamp.index) === null) return Number(value);
  if (value instanceof Date) return value.getTime();
  if (typeof value !== 'number' && typeof value !== 'bigint') throw new DataError(`the column ${timestamp?.name} holds no timestamp`);
  const form = timestamp?.schema.name;
  switch (form) {
    case 'io.debezium.time.MicroTimestamp':
      return Number(BigInt(value) / 1000n);
    case 'io.debezium.time.NanoTimestamp':
      return Number(BigInt(value) / 1_000_000n);
    case 'io.debezium.time.Timestamp':
    case undefined:
      return Number(value);
    default:
      throw new DataError(`the column ${timestamp?.name} holds ${form}, which is no timestamp that an outbox event could have`);
  }
}

/** The schema of an event with columns in its envelope. */
type EventSchemas = (
  row: Schema,
  version: number | null,
  payload: Schema,
  name: string,
  fields: readonly (readonly [string, Schema])[],
) => StructSchema;

/**
 * Made once for each table, version and payload schema; under the name of the route that came first, as Debezium
 * has it.
 */
function eventSchemas(): EventSchemas {
  const byRow = new WeakMap<Schema, Map<number | null, WeakMap<Schema, StructSchema>>>();
  return (row, version, payload, name, fields) => {
    const byVersion = byRow.get(row) ?? new Map<number | null, WeakMap<Schema, StructSchema>>();
    byRow.set(row, byVersion);
    const byPayload = byVersion.get(version) ?? new WeakMap<Schema, StructSchema>();
    byVersion.set(version, byPayload);
    let schema = byPayload.get(payload);
    if (schema === undefined) {
      schema = structSchema([['payload', payload], ...fields], { name, ...(version === null ? {} : { version }) });
      byPayload.set(payload, schema);
    }
    return schema;
  };
}

/** The row's name with the route before its last part. */
function eventName(row: string | undefined, route: string): string {
  if (row === undefined) return route;
  const last = row.lastIndexOf('.') + 1;
  return `${row.slice(0, last)}${route}.${row.slice(last)}`;
}

function envelope(row: Struct, columns: Columns, payload: SchemaAndValue, routedBy: string, schemaFor: EventSchemas): SchemaAndValue {
  const placed = columns.placed.filter(({ placement }) => placement.place === 'envelope');
  const version = columns.version === undefined ? null : Number(row.at(columns.version.index) ?? 0);
  const name = eventName(row.schema.name, routedBy);
  const fields = placed.map(({ placement, field }) => [placement.alias, field.schema] as const);
  const schema = schemaFor(row.schema, version, payload.schema ?? schemas.optionalString, name, fields);
  return { schema, value: new ValueStruct(schema, [payload.value, ...placed.map(({ field }) => row.at(field.index))]) };
}
