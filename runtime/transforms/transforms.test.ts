import { deepEqual, equal, match, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Decimal, decimalSchema, isStruct, logical, noHeaders, schemaOf, schemas, structOf, structSchema } from '../api/index.ts';
import type { ConfigDef, ConnectRecord, Struct, Transform, TransformPlugin } from '../api/index.ts';
import hasHeaderKey from '../predicates/has-header-key.ts';
import recordIsTombstone from '../predicates/record-is-tombstone.ts';
import topicNameMatches from '../predicates/topic-name-matches.ts';
import * as cast from './cast.ts';
import dropHeaders from './drop-headers.ts';
import * as extractField from './extract-field.ts';
import filter from './filter.ts';
import * as flatten from './flatten.ts';
import * as headerFrom from './header-from.ts';
import * as hoistField from './hoist-field.ts';
import * as insertField from './insert-field.ts';
import insertHeader from './insert-header.ts';
import * as maskField from './mask-field.ts';
import regexRouter from './regex-router.ts';
import * as replaceField from './replace-field.ts';
import * as setSchemaMetadata from './set-schema-metadata.ts';
import * as timestampConverter from './timestamp-converter.ts';
import timestampRouter from './timestamp-router.ts';
import valueToKey from './value-to-key.ts';

/** The field of the record's struct. */
function fieldOf(input: ConnectRecord | null, name: string): unknown {
  return (input?.value as Struct | undefined)?.get(name);
}

function make<D extends ConfigDef>(plugin: TransformPlugin<D>, values: Record<string, unknown> = {}): Transform {
  const defaults = Object.entries(plugin.config).map(([key, { default: fallback }]) => [key, fallback]);
  return plugin.create({ ...Object.fromEntries(defaults), ...values } as never);
}

const address = structSchema(
  [
    ['city', schemas.optionalString],
    ['zip', schemaOf('int32', { defaultValue: 7, optional: true })],
  ],
  { optional: true },
);
const person = structSchema(
  [
    ['id', schemas.int64],
    ['name', schemas.optionalString],
    ['address', address],
  ],
  { name: 'person', version: 3 },
);
const value = structOf(person, { id: 1n, name: 'Ann', address: structOf(address, { city: 'Ulm' }) });
const record: ConnectRecord = {
  topic: 'a.b',
  partition: 2,
  keySchema: null,
  key: null,
  valueSchema: person,
  value,
  timestamp: 1_709_212_455_123,
  headers: noHeaders,
};
const plain: ConnectRecord = { ...record, valueSchema: null, value: { id: 1, name: 'Ann', address: { city: 'Ulm' } } };
const tombstone: ConnectRecord = { ...record, valueSchema: null, value: null };

/** A value as plain objects, to compare. */
function shown(data: unknown): unknown {
  if (!isStruct(data)) return data;
  return Object.fromEntries((data as Struct).schema.fields.map(({ name, index }) => [name, shown(data.at(index))]));
}

const valueOf = (transform: Transform, input: ConnectRecord): unknown => shown(transform(input)?.value);

describe('transforms', () => {
  it('RegexRouter', () => {
    const route = make(regexRouter, { regex: '(.*)\\.(.*)', replacement: '$2-$1' });
    equal(route(record)?.topic, 'b-a');
    const other = { ...record, topic: 'none' };
    equal(route(other), other);
  });

  it('Filter', () => equal(make(filter)(record), null));

  it('InsertField', () => {
    const insert = make(insertField.value, {
      'topic.field': 'topic!',
      'partition.field': 'part',
      'timestamp.field': 'ts?',
      'static.field': 'where',
      'static.value': 'here',
    });
    const inserted = insert(record);
    deepEqual(Object.keys(shown(inserted?.value) as object), ['id', 'name', 'address', 'topic', 'part', 'ts', 'where']);
    deepEqual(fieldOf(inserted, 'ts'), new Date(1_709_212_455_123));
    equal(inserted?.valueSchema?.name, 'person');
    deepEqual(
      inserted?.valueSchema?.fields?.slice(3).map(({ schema }) => schema.optional),
      [false, true, true, true],
    );
    // One schema object for all records of one schema.
    equal(insert(record)?.valueSchema, inserted?.valueSchema);
    deepEqual(valueOf(insert, plain), {
      ...(plain.value as object),
      topic: 'a.b',
      part: 2,
      ts: new Date(1_709_212_455_123),
      where: 'here',
    });
    equal(insert(tombstone), tombstone);
    throws(() => make(insertField.key, { 'topic.field': 't' })({ ...record, key: 5 }), { name: 'DataError', message: /Only Map objects/ });
  });

  it('ExtractField', () => {
    const name = make(extractField.value, { field: 'name' })(record);
    deepEqual([name?.value, name?.valueSchema], ['Ann', schemas.optionalString]);
    equal(make(extractField.value, { field: 'address.city', 'field.syntax.version': 'V2' })(record)?.value, 'Ulm');
    equal(make(extractField.value, { field: 'address.zip', 'field.syntax.version': 'V2' })(record)?.value, 7);
    equal(make(extractField.value, { field: 'address.city', 'field.syntax.version': 'V2' })(plain)?.value, 'Ulm');
    equal(make(extractField.value, { field: 'nope' })(plain)?.value, null);
    equal(make(extractField.value, { field: 'name' })(tombstone)?.value, null);
    throws(() => make(extractField.value, { field: 'nope' })(record), /Unknown field: nope/);
  });

  it('HoistField', () => {
    deepEqual(valueOf(make(hoistField.value, { field: 'f' }), { ...record, valueSchema: schemas.int32, value: 5 }), { f: 5 });
    deepEqual(valueOf(make(hoistField.value, { field: 'f' }), { ...plain, value: 5 }), { f: 5 });
  });

  it('ValueToKey', () => {
    const keyed = make(valueToKey, { fields: ['id', 'name'] })(record);
    deepEqual(shown(keyed?.key), { id: 1n, name: 'Ann' });
    equal(keyed?.keySchema?.fields?.[0]?.schema, schemas.int64);
    equal(keyed?.value, value);
    deepEqual(make(valueToKey, { fields: ['id'] })(plain)?.key, { id: 1 });
    throws(() => make(valueToKey, { fields: ['nope'] })(record), /Field does not exist: nope/);
  });

  it('ReplaceField', () => {
    const replace = make(replaceField.value, { exclude: ['name'], renames: ['id:key'] });
    deepEqual(valueOf(replace, record), { key: 1n, address: { city: 'Ulm', zip: null } });
    deepEqual(valueOf(replace, plain), { key: 1, address: { city: 'Ulm' } });
    deepEqual(valueOf(make(replaceField.value, { include: ['name'] }), record), { name: 'Ann' });
  });

  it('InsertField and ReplaceField refuse what would be passed over', () => {
    throws(() => make(insertField.value), { name: 'ConfigError', message: /No field insertion configured/ });
    throws(() => make(insertField.value, { 'static.field': 'f' }), { name: 'ConfigError', message: /needs static.value/ });
    throws(() => make(insertField.value, { 'offset.field': 'o' })(record), {
      name: 'DataError',
      message: /only records that a sink reads/,
    });
    const { rule } = replaceField.value.config.blacklist;
    match(rule.check(), /blacklist is called exclude/);
  });

  it('Cast', () => {
    const casted = make(cast.value, { spec: ['id:string', 'name:boolean'] })(record);
    deepEqual(shown(casted?.value), { id: '1', name: false, address: { city: 'Ulm', zip: null } });
    equal(casted?.valueSchema?.fields?.[0]?.schema.type, 'string');
    const whole = (spec: string, input: unknown, schema = schemas.optionalString): unknown =>
      make(cast.value, { spec: [spec] })({ ...record, valueSchema: schema, value: input })?.value;
    equal(whole('int8', '-5'), -5);
    equal(whole('int8', 300, schemas.int32), 44);
    equal(whole('int64', '9223372036854775807'), 9223372036854775807n);
    equal(whole('float64', '1.5'), 1.5);
    equal(whole('string', 1, schemas.float64), '1.0');
    equal(whole('int32', new Decimal(199n, 2), decimalSchema(2)), 1);
    throws(() => whole('int8', '300'), /out of range/);
    throws(() => whole('int32', 'abc'), { name: 'DataError' });
    throws(() => make(cast.value, { spec: ['id:nope'] }), { name: 'ConfigError' });
  });

  it('MaskField', () => {
    deepEqual(valueOf(make(maskField.value, { fields: ['id', 'name'] }), record), { id: 0, name: '', address: { city: 'Ulm', zip: null } });
    deepEqual(valueOf(make(maskField.value, { fields: ['id', 'name'], replacement: '9' }), record), {
      id: 9,
      name: '9',
      address: { city: 'Ulm', zip: null },
    });
    equal(make(maskField.value, { fields: ['id'] })(record)?.valueSchema, person);
  });

  it('Flatten', () => {
    const flat = make(flatten.value, { delimiter: '_' })(record);
    deepEqual(shown(flat?.value), { id: 1n, name: 'Ann', address_city: 'Ulm', address_zip: 7 });
    deepEqual(valueOf(make(flatten.value), plain), { id: 1, name: 'Ann', 'address.city': 'Ulm' });
  });

  it('InsertHeader, HeaderFrom and DropHeaders', () => {
    const inserted = make(insertHeader, { header: 'h', 'value.literal': '5' })(record) as ConnectRecord;
    deepEqual(inserted.headers, [{ key: 'h', schema: schemas.int8, value: 5 }]);
    const moved = make(headerFrom.value, { fields: ['name', 'id'], headers: ['n', 'i'], operation: 'move' })(inserted) as ConnectRecord;
    deepEqual(
      moved.headers.slice(1).map(({ key, value: item }) => [key, item]),
      [
        ['n', 'Ann'],
        ['i', 1n],
      ],
    );
    deepEqual(shown(moved.value), { address: { city: 'Ulm', zip: null } });
    equal((make(headerFrom.value, { fields: ['name'], headers: ['n'], operation: 'copy' })(record) as ConnectRecord).value, value);
    const dropped = make(dropHeaders, { headers: ['n', 'i'] })(moved);
    deepEqual(
      dropped?.headers.map(({ key }) => key),
      ['h'],
    );
    equal(make(dropHeaders, { headers: ['none'] })(record), record);
  });

  it('SetSchemaMetadata', () => {
    const named = make(setSchemaMetadata.value, { 'schema.name': 'other', 'schema.version': 9 })(record);
    deepEqual([named?.valueSchema?.name, named?.valueSchema?.version], ['other', 9]);
    equal(isStruct(named?.value) && named.value.schema, named?.valueSchema);
    equal(make(setSchemaMetadata.value, { 'schema.name': 'x' })(tombstone), tombstone);
    throws(() => make(setSchemaMetadata.value), { name: 'ConfigError' });
  });

  it('TimestampRouter', () => {
    equal(make(timestampRouter)(record)?.topic, 'a.b-20240229');
    equal(
      make(timestampRouter, { 'topic.format': '${topic}_${timestamp}', 'timestamp.format': "yyyy-'W'MM HH:mm" })(record)?.topic,
      'a.b_2024-W02 13:14',
    );
    throws(() => make(timestampRouter)({ ...record, timestamp: null }), { name: 'DataError' });
  });

  it('TimestampConverter', () => {
    const at = new Date(1_709_212_455_123);
    const convert = (config: Record<string, unknown>, input: unknown, schema = schemas.optionalInt64): ConnectRecord =>
      make(timestampConverter.value, config)({ ...record, valueSchema: schema, value: input }) as ConnectRecord;
    equal(convert({ 'target.type': 'string', format: 'yyyy-MM-dd HH:mm:ss.SSS' }, at.getTime()).value, '2024-02-29 13:14:15.123');
    equal(
      convert(
        { 'target.type': 'unix', format: 'dd MMM yyyy hh:mm a Z', 'unix.precision': 'seconds' },
        '29 Feb 2024 03:14 PM +0200',
        schemas.string,
      ).value,
      1_709_212_440,
    );
    equal(convert({ 'target.type': 'unix', 'unix.precision': 'nanoseconds' }, 1_000_001n).value, 1_000_000);
    deepEqual(convert({ 'target.type': 'Date' }, at.getTime()).value, new Date('2024-02-29'));
    const time = convert({ 'target.type': 'Time' }, at.getTime());
    deepEqual([time.value, time.valueSchema?.name, time.valueSchema?.optional], [new Date(47_655_123), logical.time, true]);
    deepEqual(fieldOf(make(timestampConverter.value, { field: 'id', 'target.type': 'Timestamp' })(record), 'id'), new Date(1));
    throws(() => convert({ 'target.type': 'string', format: 'yyyy-MM-dd' }, 'x', schemas.boolean), { name: 'DataError' });
    throws(() => convert({ 'target.type': 'Date', format: 'yyyy-MM-dd' }, 'nonsense', schemas.string), /does not match pattern/);
    throws(() => make(timestampConverter.value, { 'target.type': 'string' }), { name: 'ConfigError' });
  });
});

describe('predicates', () => {
  it('HasHeaderKey, RecordIsTombstone, TopicNameMatches', () => {
    const has = hasHeaderKey.create({ name: 'h' });
    deepEqual([has(record), has({ ...record, headers: [{ key: 'h', schema: null, value: 1 }] })], [false, true]);
    const isTombstone = recordIsTombstone.create({});
    deepEqual([isTombstone(record), isTombstone(tombstone)], [false, true]);
    const matches = topicNameMatches.create({ pattern: 'a\\..*' });
    deepEqual([matches(record), matches({ ...record, topic: 'xa.b' })], [true, false]);
  });
});
