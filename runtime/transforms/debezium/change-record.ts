/** Change events for the tests of this folder. */
import { ValueStruct, noHeaders, schemaOf, schemas, structSchema } from '../../api/index.ts';
import type { ConnectRecord, Transform, TransformPlugin } from '../../api/index.ts';

export const rowSchema = structSchema(
  [
    ['id', schemas.int32],
    ['name', schemas.optionalString],
    ['at', schemaOf('int64', { optional: true, name: 'io.debezium.time.MicroTimestamp', version: 1 })],
    ['seen', schemaOf('string', { optional: true, name: 'io.debezium.time.ZonedTimestamp', version: 1 })],
    ['clock', schemaOf('string', { optional: true, name: 'io.debezium.time.ZonedTime', version: 1 })],
  ],
  { name: 's.shop.t_1.Value', optional: true },
);
const sourceSchema = structSchema([['table', schemas.string]], { name: 'source' });
export const eventSchema = structSchema(
  [
    ['before', rowSchema],
    ['after', rowSchema],
    ['source', sourceSchema],
    ['op', schemas.string],
    ['ts_ms', schemas.optionalInt64],
  ],
  { name: 's.shop.t_1.Envelope', version: 2 },
);
const keySchema = structSchema([['id', schemas.int32]], { name: 's.shop.t_1.Key' });

type Row = Readonly<Record<string, unknown>>;
const rowOf = (row: Row | null): ValueStruct | null =>
  row &&
  new ValueStruct(
    rowSchema,
    rowSchema.fields.map(({ name }) => row[name] ?? null),
  );

export function change(op: string, after: Row | null, before: Row | null = null): ConnectRecord {
  const source = new ValueStruct(sourceSchema, ['t_1']);
  return {
    topic: 's.shop.t_1',
    partition: null,
    keySchema,
    key: new ValueStruct(keySchema, [(after ?? before)?.['id']]),
    valueSchema: eventSchema,
    value: new ValueStruct(eventSchema, [rowOf(before), rowOf(after), source, op, 5]),
    timestamp: null,
    headers: noHeaders,
  };
}

export const tombstone: ConnectRecord = { ...change('d', null, { id: 1 }), valueSchema: null, value: null };

/** A transform with parsed values, as the plugin loader gives them. */
export function transformOf(plugin: TransformPlugin, values: Readonly<Record<string, unknown>> = {}): Transform {
  const defaults = Object.entries(plugin.config).map(([key, { default: fallback }]) => [key, fallback]);
  return plugin.create({ ...Object.fromEntries(defaults), ...values } as never);
}
