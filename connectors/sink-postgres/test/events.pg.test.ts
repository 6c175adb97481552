import { deepEqual, equal, match } from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { schemas, structOf, structSchema } from '@millrace/runtime/api';
import type { SinkRecord, ValueStruct } from '@millrace/runtime/api';

import { createDatabase } from '../../../test/services/postgres.ts';
import type { Database } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { rawConfig, record, rows, runSink, sql } from './harness.ts';
import type { RawConfig } from './harness.ts';

const rowSchema = structSchema(
  [
    ['id', schemas.int32],
    ['name', schemas.optionalString],
    ['doc', schemas.string],
  ],
  { optional: true, name: 'shop.public.orders.Value' },
);
const source = structSchema([
  ['schema', schemas.string],
  ['table', schemas.string],
]);
const envelope = structSchema(
  [
    ['before', rowSchema],
    ['after', rowSchema],
    ['source', source],
    ['op', schemas.string],
  ],
  { name: 'shop.public.orders.Envelope', version: 2 },
);
const keySchema = structSchema([['id', schemas.int32]], { name: 'shop.public.orders.Key' });
const unavailable = '__debezium_unavailable_value';

type Row = { id: number; name?: string | null; doc?: string };
const struct = (row: Row | null) => (row === null ? null : structOf(rowSchema, { name: null, doc: '', ...row }));

let offset = 0;
function event(op: string, id: number, before: Row | null, after: Row | null): SinkRecord {
  const value: ValueStruct = structOf(envelope, {
    op,
    before: struct(before),
    after: struct(after),
    source: structOf(source, { schema: 'public', table: 'orders' }),
  });
  return record(offset++, value, { topic: 't', key: structOf(keySchema, { id }) });
}
const created = (row: Row) => event('c', row.id, null, row);
const updated = (row: Row) => event('u', row.id, null, row);
const deleted = (id: number) => event('d', id, { id }, null);
const tombstone = (id: number) => record(offset++, null, { key: structOf(keySchema, { id }) });

describe('Debezium events', () => {
  let database: Database;
  before(async () => (database = await createDatabase(await usePostgres(), 'sink_events')));
  after(() => database[Symbol.asyncDispose]());

  const debezium = (more: RawConfig) =>
    rawConfig(database, { 'primary.key.mode': 'record_key', 'delete.enabled': 'true', 'schema.evolution': 'basic', ...more });
  const run = (raw: RawConfig) => runSink(raw, { flavour: 'debezium' });

  it('upserts and deletes by their operation, tombstones too, into the table that the source block names', async () => {
    await using sink = await run(debezium({ 'insert.mode': 'upsert', 'collection.name.format': 'copy_of_${source.table}' }));
    await sink.write(event('r', 1, null, { id: 1, name: 'a' }), created({ id: 2, name: 'b' }), created({ id: 3, name: 'c' }));
    await sink.write(updated({ id: 2, name: 'bb' }), deleted(3), tombstone(3), created({ id: 4, name: 'd' }), deleted(4));
    deepEqual(await rows(database, 'select * from copy_of_orders order by id'), [
      '{"id":1,"name":"a","doc":""}',
      '{"id":2,"name":"bb","doc":""}',
    ]);
    equal(sink.reported.length, 0);
  });

  it("a topic's dots become underscores, and names lower case", async () => {
    await using sink = await run(debezium({ 'insert.mode': 'upsert' }));
    await sink.write({ ...created({ id: 1, name: 'a' }), topic: 'Shop.public.Orders', originalTopic: 't' });
    deepEqual(await rows(database, 'select id from shop_public_orders'), ['{"id":1}']);
  });

  it('inserts what is new and changes what is not, where the mode is insert', async () => {
    await using sink = await run(debezium({ 'insert.mode': 'insert', 'collection.name.format': 'inserted' }));
    await sink.write(created({ id: 1, name: 'a' }), created({ id: 2, name: 'b' }), updated({ id: 1, name: 'aa' }));
    await sink.write(updated({ id: 2, name: 'bb' }), deleted(1), created({ id: 1, name: 'anew' }), deleted(2));
    deepEqual(await rows(database, 'select id, name from inserted order by id'), ['{"id":1,"name":"anew"}']);
  });

  it('leaves a large value alone that the source did not send', async () => {
    await using sink = await run(debezium({ 'insert.mode': 'upsert', 'collection.name.format': 'toasted' }));
    await sink.write(created({ id: 1, name: 'a', doc: 'large' }));
    await sink.write(updated({ id: 1, name: 'b', doc: unavailable }));
    // Known from the same transaction, and so whole.
    await sink.write(created({ id: 2, name: 'x', doc: 'known' }), updated({ id: 2, name: 'y', doc: unavailable }));
    // Of a row that is not there, it cannot be made up.
    await sink.write(updated({ id: 3, name: 'z', doc: unavailable }));
    deepEqual(await rows(database, 'select * from toasted order by id'), [
      '{"id":1,"name":"b","doc":"large"}',
      '{"id":2,"name":"y","doc":"known"}',
    ]);
    match(sink.reported[0]?.error.message ?? '', /null value in column "doc".*The column needs a value/);
  });

  it('empties tables where that is wanted', async () => {
    await using sink = await run(debezium({ 'insert.mode': 'upsert', 'collection.name.format': 'emptied', 'truncate.enabled': 'true' }));
    await sink.write(created({ id: 1 }), created({ id: 2 }), event('t', 0, null, null), created({ id: 3 }));
    deepEqual(await rows(database, 'select id from emptied'), ['{"id":3}']);
    await using careful = await run(debezium({ 'insert.mode': 'upsert', 'collection.name.format': 'emptied' }));
    await careful.write(event('t', 0, null, null));
    deepEqual(await rows(database, 'select id from emptied'), ['{"id":3}']);
  });

  it('filters fields, takes keys from headers and from values', async () => {
    await using filtered = await run(
      debezium({ 'insert.mode': 'upsert', 'collection.name.format': 'filtered', 'field.exclude.list': 't:doc', 'delete.enabled': 'false' }),
    );
    await filtered.write(created({ id: 1, name: 'a', doc: 'no' }));
    deepEqual(await rows(database, 'select * from filtered'), ['{"id":1,"name":"a"}']);
    await using byHeader = await run(
      debezium({
        'insert.mode': 'upsert',
        'collection.name.format': 'by_header',
        'primary.key.mode': 'record_header',
        'delete.enabled': 'false',
      }),
    );
    const headers = [{ key: 'tenant', schema: schemas.string, value: 'acme' }];
    await byHeader.write({ ...created({ id: 1, name: 'a' }), headers }, { ...created({ id: 1, name: 'b' }), headers });
    deepEqual(await rows(database, 'select id, name, tenant from by_header'), ['{"id":1,"name":"b","tenant":"acme"}']);
    await using byValue = await run(
      debezium({
        'insert.mode': 'upsert',
        'collection.name.format': 'by_value',
        'primary.key.mode': 'record_value',
        'primary.key.fields': 'id',
      }),
    );
    await byValue.write(created({ id: 1 }), created({ id: 2 }), deleted(1), tombstone(1));
    deepEqual(await rows(database, 'select id from by_value'), ['{"id":2}']);
  });

  it('events without schemas, into a table that is there', async () => {
    await sql(database, 'create table loose_events (id int primary key, name text)');
    await using sink = await run(debezium({ 'insert.mode': 'upsert', 'collection.name.format': 'loose_events' }));
    const loose = (op: string, before: object | null, after: object | null, id: number) =>
      record(offset++, { op, before, after, source: { table: 'x' } }, { key: { id } });
    await sink.write(loose('c', null, { id: 1, name: 'a' }, 1), loose('c', null, { id: 2, name: 'b' }, 2), loose('d', { id: 1 }, null, 1));
    deepEqual(await rows(database, 'select * from loose_events'), ['{"id":2,"name":"b"}']);
  });

  it("Confluent's connector takes them as well", async () => {
    await using sink = await runSink(
      rawConfig(database, {
        'table.name.format': 'public.${source.table}_2',
        'insert.mode': 'upsert',
        'pk.mode': 'record_key',
        'delete.enabled': 'true',
        'auto.create': 'true',
      }),
    );
    await sink.write(created({ id: 1 }), created({ id: 2 }), deleted(1));
    deepEqual(await rows(database, 'select id from orders_2'), ['{"id":2}']);
  });
});
