import { deepEqual, equal, match } from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { schemas, structOf, structSchema } from '@millrace/runtime/api';

import { createDatabase } from '../../../test/services/postgres.ts';
import type { Database } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { at, rawConfig, record, rows, runSink, sql } from './harness.ts';

const keySchema = structSchema([['id', schemas.int32]]);
const valueSchema = structSchema([
  ['id', schemas.int32],
  ['name', schemas.optionalString],
  ['amount', schemas.optionalFloat64],
]);
const key = (id: number) => structOf(keySchema, { id });
const row = (id: number, name: string | null = null, amount: number | null = null) => structOf(valueSchema, { id, name, amount });

describe('flat records', () => {
  let database: Database;
  before(async () => (database = await createDatabase(await usePostgres(), 'sink_modes')));
  after(() => database[Symbol.asyncDispose]());

  it('insert without a key', async () => {
    await sql(database, 'create table plain (id int, name text, amount float8)');
    await using sink = await runSink(rawConfig(database, { 'table.name.format': 'plain' }));
    await sink.write(record(0, row(1, 'a\tb\\c\nd\re', 1.5)), record(1, row(1, 'NULL', null)), record(2, row(2, '\\N')));
    deepEqual(await rows(database, 'select * from plain'), [
      '{"id":1,"name":"a\\tb\\\\c\\nd\\re","amount":1.5}',
      '{"id":1,"name":"NULL","amount":null}',
      '{"id":2,"name":"\\\\N","amount":null}',
    ]);
  });

  it('upsert by the record key, the last one of a key wins', async () => {
    await using sink = await runSink(
      rawConfig(database, { 'table.name.format': 'upserted', 'insert.mode': 'upsert', 'pk.mode': 'record_key', 'auto.create': 'true' }),
    );
    await sink.write(record(0, row(1, 'first'), { key: key(1) }), record(1, row(2, 'second'), { key: key(2) }));
    await sink.write(record(2, row(1, 'again "quoted" {,}\\'), { key: key(1) }), record(3, row(1, 'last', 3), { key: key(1) }));
    deepEqual(await rows(database, 'select * from upserted order by id'), [
      '{"id":1,"name":"last","amount":3}',
      '{"id":2,"name":"second","amount":null}',
    ]);
    const [column] = await sql(
      database,
      `select string_agg(column_name || ' ' || data_type || ' ' || is_nullable, ', ' order by ordinal_position) as c from information_schema.columns where table_name = 'upserted'`,
    );
    equal(column?.['c'], 'id integer NO, name text YES, amount double precision YES');
  });

  it('deletes and rows in their order, within one transaction', async () => {
    await sql(database, `create table kept (id int primary key, name text, amount float8, note text default 'new')`);
    await using sink = await runSink(
      rawConfig(database, { 'table.name.format': 'kept', 'insert.mode': 'upsert', 'pk.mode': 'record_key', 'delete.enabled': 'true' }),
    );
    await sink.write(
      record(0, row(1, 'a'), { key: key(1) }),
      record(1, row(2, 'b'), { key: key(2) }),
      record(2, row(3, 'c'), { key: key(3) }),
    );
    await sql(database, `update kept set note = 'old'`);
    await sink.write(
      record(3, null, { key: key(1) }),
      record(4, row(2, 'bb'), { key: key(2) }),
      record(5, null, { key: key(3) }),
      record(6, row(3, 'cc'), { key: key(3) }),
      record(7, row(4, 'd'), { key: key(4) }),
      record(8, null, { key: key(4) }),
    );
    deepEqual(await rows(database, 'select id, name, note from kept order by id'), [
      '{"id":2,"name":"bb","note":"old"}',
      // The row is another one: what the records do not name must not survive.
      '{"id":3,"name":"cc","note":"new"}',
    ]);
  });

  it('tombstones are left out where deletes are off', async () => {
    await sql(database, `create table undeleted (id int primary key, name text, amount float8)`);
    await using sink = await runSink(
      rawConfig(database, { 'table.name.format': 'undeleted', 'insert.mode': 'upsert', 'pk.mode': 'record_key' }),
    );
    await sink.write(record(0, row(1, 'a'), { key: key(1) }), record(1, null, { key: key(1) }));
    deepEqual(await rows(database, 'select id from undeleted'), ['{"id":1}']);
    deepEqual(await sink.safe(at(0, 2)), [at(0, 2)]);
  });

  it('update changes what is there, and nothing else', async () => {
    await sql(
      database,
      `create table changed (id int primary key, name text, amount float8)`,
      `insert into changed values (1, 'old'), (2, 'old')`,
    );
    await using sink = await runSink(
      rawConfig(database, { 'table.name.format': 'changed', 'insert.mode': 'update', 'pk.mode': 'record_value', 'pk.fields': 'id' }),
    );
    await sink.write(record(0, row(1, 'new', 2)), record(1, row(9, 'nobody')));
    deepEqual(await rows(database, 'select * from changed order by id'), [
      '{"id":1,"name":"new","amount":2}',
      '{"id":2,"name":"old","amount":null}',
    ]);
    match(sink.logs.join('\n'), /1 rows that were to be updated are not in table public\.changed/);
  });

  it('the coordinates as the key', async () => {
    await using sink = await runSink(
      rawConfig(database, { 'table.name.format': 'log', 'insert.mode': 'upsert', 'pk.mode': 'kafka', 'auto.create': 'true' }),
    );
    await sink.write(record(0, row(1)), record(1, row(1)));
    deepEqual(await rows(database, 'select * from log order by "__connect_offset"'), [
      '{"__connect_topic":"t","__connect_partition":0,"__connect_offset":0,"id":1,"name":null,"amount":null}',
      '{"__connect_topic":"t","__connect_partition":0,"__connect_offset":1,"id":1,"name":null,"amount":null}',
    ]);
  });

  it('a primitive key under the name that is given for it', async () => {
    await using sink = await runSink(
      rawConfig(database, {
        'table.name.format': 'named_${topic}',
        'insert.mode': 'upsert',
        'pk.mode': 'record_key',
        'pk.fields': 'the_key',
        'fields.whitelist': 'name',
        'auto.create': 'true',
        'delete.enabled': 'true',
      }),
    );
    const parts = (value: string) => ({ key: value, keySchema: schemas.string });
    await sink.write(record(0, row(1, 'a'), parts('x')), record(1, row(2, 'b'), parts('y')), record(2, null, parts('x')));
    deepEqual(await rows(database, 'select * from named_t'), ['{"name":"b","the_key":"y"}']);
  });

  it('names in lower case where they are not quoted', async () => {
    await sql(database, 'create table folded (id int primary key, name text, amount float8)');
    const upper = structSchema([
      ['ID', schemas.int32],
      ['Name', schemas.string],
    ]);
    await using sink = await runSink(
      rawConfig(database, {
        'table.name.format': 'Public.FOLDED',
        'quote.sql.identifiers': 'NEVER',
        'insert.mode': 'upsert',
        'pk.mode': 'record_value',
        'pk.fields': 'ID',
      }),
    );
    await sink.write(record(0, structOf(upper, { ID: 1, Name: 'x' })));
    deepEqual(await rows(database, 'select id, name from folded'), ['{"id":1,"name":"x"}']);
  });

  it('objects without a schema go where a table says what they are', async () => {
    await sql(database, 'create table loose (id bigint primary key, name text, tags text[], more jsonb, at timestamptz)');
    await using sink = await runSink(
      rawConfig(database, {
        'table.name.format': 'loose',
        'insert.mode': 'upsert',
        'pk.mode': 'record_value',
        'pk.fields': 'id',
        'auto.create': 'true',
      }),
    );
    await sink.write(
      record(0, { id: 1, name: 'a', tags: ['x', 'y "z"', null], more: { deep: [1, { b: null }] }, at: '2024-02-29T12:00:00Z' }),
      record(1, { id: 2, name: null }),
      record(2, { id: 3, unknown: 1 }),
    );
    deepEqual(await rows(database, 'select * from loose order by id'), [
      '{"id":1,"name":"a","tags":["x","y \\"z\\"",null],"more":{"deep": [1, {"b": null}]},"at":"2024-02-29T12:00:00+00:00"}',
      '{"id":2,"name":null,"tags":null,"more":null,"at":null}',
    ]);
    match(sink.reported[0]?.error.message ?? '', /table public\.loose has no column "unknown"/);
  });

  it('objects without a schema make no table', async () => {
    await using sink = await runSink(rawConfig(database, { 'table.name.format': 'none', 'auto.create': 'true' }));
    await sink.write(record(0, { id: 1 }));
    match(
      sink.reported[0]?.error.message ?? '',
      /no schema that says of what type "id" is\. Create the table, or read records with their schemas/,
    );
  });

  it('strings into a column of their own', async () => {
    await using sink = await runSink(rawConfig(database, { 'table.name.format': 'texts', 'auto.create': 'true' }));
    await sink.write(record(0, 'plain', { valueSchema: schemas.string }));
    deepEqual(await rows(database, 'select * from texts'), ['{"record_value":"plain"}']);
  });
});
