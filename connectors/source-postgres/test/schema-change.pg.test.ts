import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { SourceRecord, Struct } from '@millrace/runtime/api';

import { createDatabase } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { rawConfig, runTask, sql } from './harness.ts';

const object = (struct: unknown): Record<string, unknown> | null =>
  struct === null
    ? null
    : Object.fromEntries((struct as Struct).schema.fields.map(({ name, index }) => [name, (struct as Struct).at(index)]));
const shown = (record: SourceRecord): unknown => [object(record.key), object((record.value as Struct | null)?.get('after') ?? null)];

test('keys are those of the time of the change, however far the catalog has gone since', async () => {
  await using database = await createDatabase(await usePostgres(), 'ddl');
  await sql(database, 'create table t (id int primary key, name text)');
  const raw = rawConfig(database, { 'snapshot.mode': 'no_data' });
  {
    await using running = await runTask(raw);
    await running.until(() => running.logs.some((line) => line.includes('streaming from')));
  }
  await sql(
    database,
    `insert into t values (1, 'a')`,
    'alter table t rename column id to key',
    `insert into t values (2, 'b')`,
    'alter table t add column more int not null default 5',
    `insert into t values (3, 'c')`,
    'alter table t drop constraint t_pkey, add primary key (name, key)',
    `insert into t values (4, 'd')`,
    'alter table t drop column more',
    `insert into t values (5, 'e')`,
    'alter table t rename to other',
    `insert into other values (6, 'f')`,
    'create table t (id uuid primary key)',
    'alter publication pub add table t',
    `insert into t values ('2c0e1bb2-0d0a-4e0e-8e86-54f83f5a94a1')`,
    'drop table other',
  );

  await using running = await runTask(raw);
  const records = await running.count(7);
  assert.deepEqual(records.map(shown), [
    [{ id: 1 }, { id: 1, name: 'a' }],
    [{ key: 2 }, { key: 2, name: 'b' }],
    [{ key: 3 }, { key: 3, name: 'c', more: 5 }],
    [
      { key: 4, name: 'd' },
      { key: 4, name: 'd', more: 5 },
    ],
    [
      { key: 5, name: 'e' },
      { key: 5, name: 'e' },
    ],
    [
      { key: 6, name: 'f' },
      { key: 6, name: 'f' },
    ],
    [{ id: '2c0e1bb2-0d0a-4e0e-8e86-54f83f5a94a1' }, { id: '2c0e1bb2-0d0a-4e0e-8e86-54f83f5a94a1' }],
  ]);
  assert.equal(
    records.every((record) => record.keySchema?.fields?.every(({ schema }) => !schema.optional)),
    true,
    'key fields are required',
  );
  assert.equal(records[5]?.topic, 'shop.public.other');
});

test('schemas stay the same objects while nothing changes', async () => {
  await using database = await createDatabase(await usePostgres(), 'ddl');
  await sql(database, 'create table t (id int primary key, n int)', 'insert into t values (1, 1)');
  await using running = await runTask(rawConfig(database));
  await running.count(1);
  await sql(database, 'insert into t values (2, 2)', 'analyze t', 'alter table t set (fillfactor = 90)', 'insert into t values (3, 3)');
  const [, second, third] = await running.count(3);
  assert.equal(second?.valueSchema, third?.valueSchema);
  assert.equal(second?.keySchema, third?.keySchema);
  assert.equal(second?.headers, third?.headers);
});

test('tables, columns and keys are those that the lists choose', async () => {
  await using database = await createDatabase(await usePostgres(), 'lists');
  await sql(
    database,
    'create table orders (id int primary key, region text not null, secret text)',
    'create table orders_old (id int primary key)',
    'create schema audit',
    'create table audit.orders (id int primary key)',
    `insert into orders values (1, 'eu', 'hush')`,
    'insert into orders_old values (1)',
    'insert into audit.orders values (1)',
  );
  const lists = {
    'table.include.list': 'PUBLIC.orders',
    'column.exclude.list': '.*\\.secret',
    'message.key.columns': 'public.orders:region,id',
  };
  await using running = await runTask(
    rawConfig(database, {
      ...lists,
      'publication.autocreate.mode': 'all_tables',
      'topic.delimiter': '_',
      'tombstones.on.delete': 'false',
      'skipped.operations': 'u',
    }),
  );
  await running.count(1);
  await sql(
    database,
    'insert into orders_old values (2)',
    'insert into audit.orders values (2)',
    `update orders set secret = 'x'`,
    'delete from orders',
    `insert into orders values (2, 'us', 'hush')`,
  );
  const records = await running.count(3);
  assert.deepEqual(records.map(shown), [
    [
      { region: 'eu', id: 1 },
      { id: 1, region: 'eu' },
    ],
    [{ region: '', id: 1 }, null],
    [
      { region: 'us', id: 2 },
      { id: 2, region: 'us' },
    ],
  ]);
  assert.equal(records[0]?.topic, 'shop_public_orders');
});

for (const viaRoot of ['true', 'false']) {
  test(`rows of partitions come once (publish.via.partition.root=${viaRoot})`, async () => {
    await using database = await createDatabase(await usePostgres(), 'parts');
    await sql(
      database,
      'create table p (id int primary key) partition by range (id)',
      'create table p_low partition of p for values from (0) to (10)',
      'create table p_high partition of p for values from (10) to (20)',
      'insert into p values (1), (11)',
    );
    await using running = await runTask(rawConfig(database, { 'publish.via.partition.root': viaRoot }));
    await running.count(2);
    await sql(database, 'insert into p values (2), (12)', 'insert into p values (3)');
    const records = await running.count(5);
    const topics = records.map(({ topic }) => topic.replace('shop.public.', ''));
    assert.deepEqual(topics, viaRoot === 'true' ? ['p', 'p', 'p', 'p', 'p'] : ['p_high', 'p_low', 'p_low', 'p_high', 'p_low']);
  });
}
