import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import type { SourceRecord, Struct } from '@millrace/runtime/api';

import { createDatabase } from '../../../test/services/postgres.ts';
import type { Database } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import source from '../index.ts';
import { configValues, field, keyField, rawConfig, sql } from './harness.ts';
import type { RawConfig } from './harness.ts';

let database: Database;

before(async () => {
  database = await createDatabase(await usePostgres(), 'preview');
  await sql(
    database,
    `create table customers (id int primary key, email text, secret text, place point);
     insert into customers select i, 'c' || i || '@example.com', 'hush', '(1,2)' from generate_series(1, 50) i;
     create table items (sku text primary key, price numeric(8,2) default 0);
     insert into items values ('tab' || chr(9) || 'backslash \\', 1.50), ('none', null);
     create table nothing (id int primary key);
     create table parted (id int primary key, at date) partition by range (id);
     create table parted_1 partition of parted for values from (0) to (100);
     insert into parted values (7, '2026-01-31');
     create table debezium_signal (id text, type text, data text);
     insert into debezium_signal values ('1', 'log', '{}');`,
  );
});
after(() => database?.[Symbol.asyncDispose]());

interface Seen {
  readonly records: SourceRecord[];
  readonly notes: string[];
}

async function look(more: RawConfig = {}, wanted = 10, signal = new AbortController().signal): Promise<Seen> {
  const raw = rawConfig(database, { 'signal.data.collection': 'public.debezium_signal', ...more });
  const notes: string[] = [];
  const note = (text: string): void => void notes.push(text);
  const log = { debug() {}, info() {}, warn: note, error: note };
  const context = { connector: 'test', rawConfig: raw, records: wanted, timeoutMs: 60_000, signal, log, note };
  const records: SourceRecord[] = [];
  for await (const record of source.preview?.(configValues(raw), context) ?? []) {
    records.push(record);
    if (records.length === wanted) break;
  }
  return { records, notes };
}

const topics = ({ records }: Seen): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { topic } of records) counts[topic] = (counts[topic] ?? 0) + 1;
  return counts;
};

describe('a preview of tables', () => {
  it('gives what the publication sends of a table, where there is one', async () => {
    await sql(database, 'create publication shown for table customers (id, email) where (id > 45)');
    const seen = await look({ 'publication.name': 'shown', 'table.include.list': 'public.customers' });
    deepEqual(
      seen.records.map((record) => keyField(record, 'id')),
      [46, 47, 48, 49, 50],
    );
    const after = field(seen.records[0] as SourceRecord, 'after') as Struct;
    deepEqual(
      after.schema.fields.map(({ name }) => name),
      ['id', 'email'],
    );
  });

  it('gives each table its share, and what one has not to the others', async () => {
    const seen = await look();
    deepEqual(topics(seen), { 'shop.public.customers': 7, 'shop.public.items': 2, 'shop.public.parted_1': 1 });
    const [first, second] = seen.records;
    ok(first && second);
    deepEqual([field(first, 'op'), field(first, 'source', 'snapshot'), field(second, 'source', 'snapshot')], ['r', 'first', 'true']);
    deepEqual([keyField(first, 'id'), field(first, 'after', 'email')], [1, 'c1@example.com']);
    const item = seen.records.find(({ topic }) => topic.endsWith('items'));
    deepEqual(
      [item && field(item, 'after', 'sku'), item && field(item, 'source', 'snapshot')],
      ['tab\tbackslash \\', 'first_in_data_collection'],
    );
    match(seen.notes.join('\n'), /4 tables match: public\.customers, public\.items, public\.nothing, public\.parted_1\./);
    match(seen.notes.join('\n'), /a table is empty: public\.nothing\./);
  });

  it('reads on where more is asked for, and to the end', async () => {
    const all = await look({ 'table.include.list': 'public.customers' }, 1_000);
    deepEqual(
      all.records.map((record) => keyField(record, 'id')),
      Array.from({ length: 50 }, (_, i) => i + 1),
    );
    const few = await look({}, 1);
    equal(few.records.length, 1);
    match(few.notes.join('\n'), /3 tables were not looked into/);
  });

  it('goes by the rules for tables, columns, masks, names and overrides', async () => {
    const seen = await look({
      'table.include.list': 'public.customers',
      'column.exclude.list': 'public.customers.secret',
      'column.mask.with.3.chars': 'public.customers.email',
      'topic.delimiter': '_',
      'message.key.columns': 'public.customers:email',
      'snapshot.mode': 'no_data',
      'snapshot.select.statement.overrides': 'public.customers',
      'snapshot.select.statement.overrides.public.customers': 'select * from customers where id > 48 order by id desc;',
      'tombstones.on.delete': 'false',
    });
    deepEqual(
      seen.records.map((record) => [record.topic, keyField(record, 'email'), field(record, 'after', 'id')]),
      [
        ['shop_public_customers', 'c50@example.com', 50],
        ['shop_public_customers', 'c49@example.com', 49],
      ],
    );
    const notes = seen.notes.join('\n');
    match(notes, /snapshot\.mode=no_data reads no rows/);
    match(notes, /public\.customers: a column is left out of values: secret\./);
    match(notes, /column public\.customers\.email is to be masked or cut, but is part of the key/);
  });

  it('says what one table refuses, and reads the others', async () => {
    await sql(database, 'drop role if exists preview_reader', 'create role preview_reader login replication');
    await sql(database, 'grant select on items to preview_reader');
    try {
      const seen = await look({ 'database.user': 'preview_reader', 'table.include.list': 'public.(customers|items)' });
      deepEqual(topics(seen), { 'shop.public.items': 2 });
      match(seen.notes.join('\n'), /could not read table public\.customers for the preview: permission denied/);
    } finally {
      await sql(database, 'drop owned by preview_reader', 'drop role preview_reader');
    }
  });

  it('waits for no lock, and names the table', async () => {
    const locker = sql(database, 'begin', 'lock table items', 'select pg_sleep(600)').catch(() => {});
    const waiting = `select pid from pg_stat_activity where datname = current_database() and query like 'select pg_sleep(600)'`;
    for (let found = 0; found === 0;) found = (await sql(database, waiting)).rowCount ?? 0;
    try {
      const seen = await look({ 'table.include.list': 'public.(items|parted_1)' });
      deepEqual(topics(seen), { 'shop.public.parted_1': 1 });
      match(seen.notes.join('\n'), /table public\.items for the preview: canceling statement due to lock timeout/);
    } finally {
      await sql(database, `select pg_terminate_backend(pid) from (${waiting}) w`);
      await locker;
    }
  });

  it('cannot write, whatever the config has it run', async () => {
    const writes = { 'database.initial.statements': 'insert into nothing values (1)' };
    await rejects(look(writes), /cannot execute INSERT in a read-only transaction/);
    const hidden = {
      'table.include.list': 'public.items',
      'snapshot.select.statement.overrides': 'public.items',
      'snapshot.select.statement.overrides.public.items': "select *, nextval('s') from items",
    };
    await sql(database, 'create sequence s');
    match((await look(hidden)).notes.join('\n'), /cannot execute nextval\(\) in a read-only transaction/);
  });

  it('without any table says so', async () => {
    const seen = await look({ 'table.include.list': 'public.none' });
    deepEqual(seen.records, []);
    match(seen.notes.join('\n'), /no table of database "preview_\w+" matches the filters/);
  });
});
