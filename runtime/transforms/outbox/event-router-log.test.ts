import { deepEqual, equal, match, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ValueStruct, noHeaders, schemaOf, schemas, structSchema } from '../../api/index.ts';
import type { ConnectRecord, Logger, Transform } from '../../api/index.ts';
import eventRouter from './event-router.ts';

const row = structSchema(
  [
    ['id', schemas.string],
    ['aggregatetype', schemas.string],
    ['aggregateid', schemas.string],
    ['payload', schemas.optionalString],
    ['part', schemas.optionalInt32],
    ['at', schemaOf('int32', { name: 'io.debezium.time.Date' })],
  ],
  { name: 's.outbox.Value', optional: true },
);
const envelope = structSchema(
  [
    ['after', row],
    ['op', schemas.string],
    ['ts_ms', schemas.int64],
  ],
  { name: 's.outbox.Envelope' },
);
const keySchema = structSchema([['id', schemas.string]]);

function event(op: string, payload = '{"a":1}'): ConnectRecord {
  return {
    topic: 's.outbox',
    partition: null,
    keySchema,
    key: new ValueStruct(keySchema, ['e1']),
    valueSchema: envelope,
    value: new ValueStruct(envelope, [new ValueStruct(row, ['e1', 'order', '7', payload, 3, 20_000]), op, 5]),
    timestamp: 5,
    headers: noHeaders,
  };
}

function router(values: Record<string, unknown>): { transform: Transform; logged: [level: string, message: string][] } {
  const logged: [string, string][] = [];
  const at =
    (level: string): Logger['info'] =>
    (message) =>
      void logged.push([level, message]);
  const log: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const defaults = Object.entries(eventRouter.config).map(([key, { default: fallback }]) => [key, fallback]);
  return { transform: eventRouter.create({ ...Object.fromEntries(defaults), ...values } as never, log), logged };
}

describe('what EventRouter tells', () => {
  for (const level of ['warn', 'error']) {
    it(`an update is left out and logged: ${level}`, () => {
      const { transform, logged } = router({ 'table.op.invalid.behavior': level });
      for (let i = 0; i < 5; i++) equal(transform(event('u')), null);
      equal(logged.length, 1);
      deepEqual(logged[0]?.[0], level);
      match(logged[0]?.[1] ?? '', /topic s\.outbox: unexpected update event.*row Struct\{id=e1\}.*left out/);
    });
  }

  it('an update stops the task: fatal', () => {
    throws(() => router({ 'table.op.invalid.behavior': 'fatal' }).transform(event('u')), /unexpected update event.*Struct\{id=e1\}/);
  });

  it('a payload that cannot be expanded goes on as text', () => {
    const { transform, logged } = router({ 'table.expand.json.payload': true });
    equal(transform(event('c', '[1]'))?.value, '[1]');
    match(logged[0]?.[1] ?? '', /a payload stays text/);
    equal(transform(event('c'))?.topic, 'outbox.event.order');
    equal(logged.length, 1);
  });

  it('works without a log', () => {
    const defaults = Object.entries(eventRouter.config).map(([key, { default: fallback }]) => [key, fallback]);
    equal(eventRouter.create(Object.fromEntries(defaults) as never)(event('u')), null);
  });
});

describe('what EventRouter places', () => {
  it('a partition is the column that is placed there, and nothing that was chosen before', () => {
    const placed = (placement: string[]) => router({ 'table.fields.additional.placement': placement }).transform;
    equal(placed(['part:partition'])({ ...event('c'), partition: 9 })?.partition, 3);
    equal(placed([])({ ...event('c'), partition: 9 })?.partition, null);
    throws(() => placed(['payload:partition'])(event('c')), /column payload is a string, which is no number of a partition/);
  });

  it('a column that is no timestamp gives none', () => {
    throws(() => router({ 'table.field.event.timestamp': 'at' }).transform(event('c')), /column at holds io.debezium.time.Date/);
  });

  for (const [mode, name] of [
    ['none', '1 ä_'],
    ['avro', '_1___'],
    ['AVRO_UNICODE', '_u0031_u0020_u00e4_u005f'],
  ] as const) {
    it(`fields of an expanded payload are called by field.name.adjustment.mode=${mode}`, () => {
      const { transform } = router({ 'table.expand.json.payload': true, 'field.name.adjustment.mode': mode });
      const value = transform(event('c', '{"1 ä_": true}'))?.value as ValueStruct;
      deepEqual(
        value.schema.fields.map((field) => field.name),
        [name],
      );
    });
  }
});
