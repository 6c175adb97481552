import { deepEqual, equal, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Decimal, ValueStruct, decimalSchema, isStruct, noHeaders, schemaOf, schemas, structSchema } from '../../api/index.ts';
import type { ConnectRecord, Struct } from '../../api/index.ts';
import eventRouter from '../outbox/event-router.ts';
import byLogicalTable from './by-logical-table-router.ts';
import { change, rowSchema, tombstone, transformOf } from './change-record.ts';
import decodeMessage from './decode-message-content.ts';
import extractChanged from './extract-changed-record-state.ts';
import headerToValue from './header-to-value.ts';
import { javaHash } from './java-hash.ts';
import { murmurHash, murmurHashCode, murmurHashText } from './murmur-hash.ts';
import partitionRouting from './partition-routing.ts';
import { contentBasedRouter, filter } from './scripting.ts';
import timezoneConverter from './timezone-converter.ts';
import { zoneOffsets } from './zone-offset.ts';

const struct = (value: unknown): Struct => {
  if (!isStruct(value)) throw new TypeError('no struct');
  return value;
};
const shown = (value: unknown): unknown =>
  isStruct(value) ? Object.fromEntries(value.schema.fields.map(({ name, index }) => [name, shown(value.at(index))])) : value;
const after = (record: ConnectRecord | null): Struct => struct(struct(record?.value).get('after'));
const plain = { ...change('c', { id: 1 }), valueSchema: schemas.string, value: 'x' };

describe('ByLogicalTableRouter', () => {
  const values = { 'topic.regex': '(.*)\\.t_(\\d)', 'topic.replacement': '$1.all' };

  it('gives many tables one topic, and keys that tell them apart', () => {
    const route = transformOf(byLogicalTable, values);
    const [a, b] = [route(change('c', { id: 1 })), route(change('c', { id: 2 }))];
    deepEqual([a?.topic, shown(a?.key)], ['s.shop.all', { id: 1, __dbz__physicalTableIdentifier: 's.shop.t_1' }]);
    deepEqual(
      [a?.keySchema?.name, a?.valueSchema?.name, after(a).schema.name],
      ['s.shop.all.Key', 's.shop.all.Envelope', 's.shop.all.Value'],
    );
    equal(a?.valueSchema?.version, 2);
    deepEqual([a?.valueSchema, a?.keySchema], [b?.valueSchema, b?.keySchema]);
    equal(struct(a?.value).schema, a?.valueSchema);
    equal(shown(struct(b?.value).get('before')), null);
    const dead = route(tombstone);
    deepEqual([dead?.topic, dead?.value, shown(dead?.key)], ['s.shop.all', null, { id: 1, __dbz__physicalTableIdentifier: 's.shop.t_1' }]);
  });

  it('names the table as it is told, or leaves keys as they are', () => {
    const part = { 'key.field.name': 'shard', 'key.field.regex': '(.*)t_(.*)', 'key.field.replacement': '$2' };
    deepEqual(shown(transformOf(byLogicalTable, { ...values, ...part })(change('c', { id: 1 }))?.key), { id: 1, shard: '1' });
    const same = transformOf(byLogicalTable, { ...values, 'key.enforce.uniqueness': false })(change('c', { id: 1 }));
    deepEqual([shown(same?.key), same?.keySchema?.name], [{ id: 1 }, 's.shop.all.Key']);
  });

  it('leaves other topics alone, and refuses what it cannot do', () => {
    const other = { ...change('c', { id: 1 }), topic: 'x' };
    equal(transformOf(byLogicalTable, values)(other), other);
    throws(() => transformOf(byLogicalTable, values)({ ...plain, keySchema: schemas.string, key: 'k' }), /keys that are structs/);
    throws(() => transformOf(byLogicalTable, { ...values, 'key.field.regex': 'x' }), /key.field.replacement must be non-empty/);
  });

  it('fits names to Avro', () => {
    const avro = transformOf(byLogicalTable, { ...values, 'topic.replacement': '1-all', 'schema.name.adjustment.mode': 'avro' });
    equal(avro(change('c', { id: 1 }))?.keySchema?.name, '_1_all.Key');
    const unicode = transformOf(byLogicalTable, { ...values, 'topic.replacement': 'a_é', 'schema.name.adjustment.mode': 'AVRO_UNICODE' });
    equal(unicode(change('c', { id: 1 }))?.keySchema?.name, 'a_u005f_u00e9.Key');
  });
});

describe('messages', () => {
  const block = structSchema([
    ['prefix', schemas.optionalString],
    ['content', schemas.optionalBytes],
  ]);
  const messageSchema = structSchema(
    [
      ['op', schemas.string],
      ['ts_ms', schemas.optionalInt64],
      ['message', block],
    ],
    { name: 'io.debezium.connector.postgresql.MessageValue', version: 1 },
  );
  const message = (text: string): ConnectRecord => ({
    ...plain,
    topic: 's.message',
    valueSchema: messageSchema,
    value: new ValueStruct(messageSchema, ['m', 5, new ValueStruct(block, ['outbox', Buffer.from(text)])]),
  });
  const outbox = '{"id": "e1", "aggregatetype": "order", "aggregateid": "o-1", "payload": {"a": 1, "n": null}, "list": [{"b": 2}]}';

  it('become rows, and outbox events without a table', () => {
    const decoded = transformOf(decodeMessage)(message(outbox));
    deepEqual([decoded?.key, decoded?.keySchema, struct(decoded?.value).get('op')], [null, null, 'c']);
    equal(decoded?.valueSchema?.name, 'io.debezium.connector.postgresql.MessageValue.Envelope');
    deepEqual(
      after(decoded)
        .schema.fields.map(({ name, schema }) => [name, schema.name])
        .slice(3),
      [
        ['payload', 'payload'],
        ['list', undefined],
      ],
    );
    const event = transformOf(eventRouter, { 'table.fields.additional.placement': ['aggregateid:envelope:order'] })(
      decoded as ConnectRecord,
    );
    deepEqual([event?.topic, event?.key, event?.timestamp], ['outbox.event.order', 'o-1', 5]);
    deepEqual([shown(event?.value), event?.valueSchema?.name], [{ payload: { a: 1 }, order: 'o-1' }, 'order']);
  });

  it('keep their nulls when told to, and must be JSON objects', () => {
    const decoded = transformOf(decodeMessage, { 'fields.null.include': true })(message(outbox));
    deepEqual(shown(after(decoded).get('payload')), { a: 1, n: null });
    for (const text of ['hello', '[1]']) throws(() => transformOf(decodeMessage)(message(text)), /no JSON object/);
  });

  it('are all that is decoded: tombstones pass', () => {
    equal(transformOf(decodeMessage)(tombstone), tombstone);
    equal(transformOf(decodeMessage)(plain), plain);
  });
});

it('ExtractChangedRecordState lists what changed', () => {
  const extract = transformOf(extractChanged, { 'header.changed.name': 'changed', 'header.unchanged.name': 'same' });
  const record = extract(change('u', { id: 1, name: 'b' }, { id: 1, name: 'a' }));
  deepEqual(
    record?.headers.map(({ key, value, schema }) => [key, value, schema?.name]),
    [
      ['changed', ['name'], 'changed'],
      ['same', ['id', 'at', 'seen', 'clock'], 'same'],
    ],
  );
  deepEqual(
    extract(change('c', { id: 1 }))?.headers.map(({ value }) => value),
    [[], []],
  );
  equal(extract(tombstone), tombstone);
});

it('HeaderToValue puts headers into the value', () => {
  const headers = [
    { key: 'h1', schema: schemas.string, value: 'one' },
    { key: 'h2', schema: schemas.int32, value: 2 },
  ];
  const values = { headers: ['h1', 'h2'], fields: ['first', 'after.second'] };
  const move = transformOf(headerToValue, { ...values, operation: 'move' });
  const [a, b] = [move({ ...change('c', { id: 1 }), headers }), move({ ...change('c', { id: 2 }), headers })];
  deepEqual([struct(a?.value).get('first'), after(a).get('second'), a?.headers], ['one', 2, []]);
  equal(a?.valueSchema, b?.valueSchema);
  equal(after(a).schema, a?.valueSchema?.fields?.[1]?.schema);
  equal(transformOf(headerToValue, { ...values, operation: 'copy' })({ ...change('c', { id: 1 }), headers })?.headers, headers);
  equal(move(tombstone), tombstone);
  throws(() => transformOf(headerToValue, { headers: ['a'], fields: [], operation: 'move' }), /same number/);
});

it('PartitionRouting chooses as Java hashes', () => {
  const route = transformOf(partitionRouting, {
    'partition.payload.fields': ['change.id', 'source.table', 'after.nope'],
    'partition.topic.num': 7,
  });
  // "t_1".hashCode() is 114470.
  equal(route(change('c', { id: 3 }))?.partition, (114_470 + 3) % 7);
  equal(route(change('d', null, { id: 4 }))?.partition, (114_470 + 4) % 7);
  equal(route(change('t', null, { id: 1 }))?.partition, null);
  const none = transformOf(partitionRouting, { 'partition.payload.fields': ['x'], 'partition.topic.num': 7 });
  equal(none(change('c', { id: 3 }))?.partition, null);
  const hashes = [
    javaHash(schemas.string, 'polygenelubricants'),
    javaHash(schemas.int64, 4_294_967_296n),
    javaHash(schemas.int64, -1),
    javaHash(schemas.boolean, true),
    javaHash(schemas.float64, 1.5),
    javaHash(decimalSchema(2), new Decimal(1230n, 2)),
    javaHash(decimalSchema(0), new Decimal(-5n, 0)),
    javaHash(schemas.bytes, new Uint8Array([1, 254, 3])),
  ];
  deepEqual(hashes, [-2_147_483_648, 1, 0, 1231, 1_073_217_536, 38_132, -155, 32_613]);
  throws(() => javaHash(schemaOf('bytes', { name: 'io.debezium.data.Bits' }), new Uint8Array(1)), /no hash/);
});

it('PartitionRouting chooses by MurmurHash3 as Debezium has it', () => {
  // What debezium-core 3.3.2 gives.
  const texts: readonly (readonly [string, number])[] = [
    ['', 89_125_410],
    ['orange', -1_471_092_080],
    ['é😀ab', -713_015_806],
    ['0123456789abcdef', 26_898_387],
    ['0123456789abcdéf', 1_672_268_442],
    ['a longer text, of more than sixteen bytes: ž', -1_617_382_277],
    ['\ud800x', 326_775_722],
  ];
  deepEqual(
    texts.map(([text]) => murmurHashText(text)),
    texts.map(([, hash]) => hash),
  );
  deepEqual([1, javaHash(schemas.int64, -123_456_789_012n)].map(murmurHashCode), [-1_931_162_451, 1_836_097_579]);
  equal(murmurHash(new Uint8Array([1, 254, 3])), -637_758_913);
  const fields = { 'partition.payload.fields': ['change.id', 'change.name'], 'partition.topic.num': 100 };
  const route = transformOf(partitionRouting, { ...fields, 'partition.hash.function': 'Murmur' });
  equal(route(change('c', { id: 1, name: 'orange' }))?.partition, 65);
});

describe('TimezoneConverter', () => {
  const summer = Date.UTC(2024, 6, 1, 12) * 1000;
  const row = { id: 1, at: summer, seen: '2024-07-01T12:00:00.120Z', clock: '11:30:00Z' };
  const convert = (values: Record<string, unknown>): unknown =>
    shown(after(transformOf(timezoneConverter, { 'converted.timezone': 'Europe/Paris', ...values })(change('c', row))));

  it('tells moments by the zone, and takes clocks without one for its own', () => {
    const { at, seen } = convert({}) as Record<string, unknown>;
    deepEqual([at, seen], [summer - 7_200_000_000, '2024-07-01T14:00:00.12+02:00']);
    const { clock } = convert({ 'converted.timezone': '-05:30' }) as Record<string, unknown>;
    equal(clock, '06:00:00-05:30');
  });

  it('goes by its lists', () => {
    deepEqual(convert({ 'include.list': ['source:other'] }), { ...row, name: null });
    deepEqual(convert({ 'include.list': ['topic:s.shop.t_1:seen'] }), { ...row, name: null, seen: '2024-07-01T14:00:00.12+02:00' });
    deepEqual(convert({ 'exclude.list': ['source:t_1'] }), { ...row, name: null });
    const { at, seen } = convert({ 'exclude.list': ['t_1:seen'] }) as Record<string, unknown>;
    deepEqual([at === summer, seen], [false, row.seen]);
    throws(() => convert({ 'include.list': ['a:b:c:d'] }), /is none of source:table/);
    throws(() => convert({ 'include.list': ['source:a'], 'exclude.list': ['source:b'] }), /both set/);
  });

  it('knows when clocks change', () => {
    const paris = zoneOffsets('Europe/Paris');
    const hours = (month: number, day: number, hour: number) => (paris?.ofLocal(Date.UTC(2024, month, day, hour, 30)) ?? 0) / 3_600_000;
    // In the gap the offset before it, where the hour comes twice the first.
    deepEqual([hours(2, 31, 1), hours(2, 31, 2), hours(2, 31, 3), hours(9, 27, 2), hours(9, 27, 3)], [1, 1, 2, 2, 1]);
    equal(zoneOffsets('Nowhere/Else'), undefined);
  });
});

it('scripts of the JVM are refused, and what to use instead is said', () => {
  throws(() => transformOf(filter), /Filter runs scripts of the JVM/);
  throws(() => transformOf(contentBasedRouter), /ContentBasedRouter runs scripts/);
});

it('what is no change event passes all of them', () => {
  for (const transform of [
    transformOf(extractChanged, { 'header.changed.name': 'x' }),
    transformOf(timezoneConverter, { 'converted.timezone': 'UTC' }),
    transformOf(partitionRouting, { 'partition.payload.fields': ['a'], 'partition.topic.num': 1 }),
  ]) {
    equal(transform(plain), plain);
  }
  equal(plain.headers, noHeaders);
  equal(rowSchema.optional, true);
});
