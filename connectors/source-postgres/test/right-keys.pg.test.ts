/** Keys are those of the row when it was written, whatever the replica identity and however far DDL has gone since. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { SourceRecord, Struct } from '@millrace/runtime/api';

import { createDatabase } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { field, rawConfig, runTask, sql } from './harness.ts';
import type { RawConfig } from './harness.ts';

const object = (struct: unknown): Record<string, unknown> | null =>
  struct === null
    ? null
    : Object.fromEntries((struct as Struct).schema.fields.map(({ name, index }) => [name, (struct as Struct).at(index)]));
/** Operation (or `tombstone`) and key. */
const shown = (record: SourceRecord): unknown => [record.value === null ? 'tombstone' : field(record, 'op'), object(record.key)];

/** What comes of statements that ran while the connector streams, and of the same while it was down. */
async function changes(setUp: readonly string[], statements: readonly string[], count: number, more: RawConfig = {}) {
  const results: { readonly when: string; readonly records: readonly SourceRecord[]; readonly logs: readonly string[] }[] = [];
  for (const when of ['streaming', 'down'] as const) {
    await using database = await createDatabase(await usePostgres(), 'keys');
    await sql(database, ...setUp);
    const raw = rawConfig(database, { 'snapshot.mode': 'no_data', 'publication.autocreate.mode': 'all_tables', ...more });
    const first = await runTask(raw);
    try {
      await first.until(() => first.logs.some((line) => line.includes('streaming from')));
      if (when === 'streaming') {
        await sql(database, ...statements);
        results.push({ when, records: await first.count(count), logs: first.logs });
        continue;
      }
    } finally {
      await first[Symbol.asyncDispose]();
    }
    await sql(database, ...statements);
    await using second = await runTask(raw);
    results.push({ when, records: await second.count(count), logs: second.logs });
  }
  return results;
}

const byIndex = [
  'create table t (id int primary key, code text not null, region text not null)',
  'create unique index t_code on t (region, code)',
  'alter table t replica identity using index t_code',
];
const indexChanges = [
  "insert into t values (1, 'a', 'eu')",
  "update t set code = 'b' where id = 1",
  'update t set id = 2 where id = 1',
  'delete from t',
];

test('under REPLICA IDENTITY USING INDEX the key is that of the index', async () => {
  const [a, b] = [
    { region: 'eu', code: 'a' },
    { region: 'eu', code: 'b' },
  ];
  for (const { when, records } of await changes(byIndex, indexChanges, 7)) {
    assert.deepEqual(
      records.map(shown),
      [
        ['c', a],
        ['d', a],
        ['tombstone', a],
        ['c', b],
        ['u', b],
        ['d', b],
        ['tombstone', b],
      ],
      when,
    );
    assert.equal(field(records[4] as SourceRecord, 'after', 'id'), 2);
  }
  await using database = await createDatabase(await usePostgres(), 'keys');
  await sql(database, ...byIndex, indexChanges[0] as string);
  await using running = await runTask(rawConfig(database));
  assert.deepEqual((await running.count(1)).map(shown), [['r', a]], 'in the snapshot, too');
});

test('debezium.bug.compatible has the key made up as Debezium does', async () => {
  for (const { when, records } of await changes(byIndex, indexChanges, 7, { 'debezium.bug.compatible': 'true' })) {
    const keys = [1, 0, 0, 1, 2, 0, 0].map((id) => ({ id }));
    assert.deepEqual(
      records.map((record) => object(record.key)),
      keys,
      when,
    );
  }
});

test('under REPLICA IDENTITY FULL a key column keeps its place through a rename', async () => {
  const setUp = ['create table t (z int, a int, n int, primary key (z, a))', 'alter table t replica identity full'];
  const statements = [
    'insert into t values (1, 2, 3)',
    'alter table t rename column z to y',
    'alter table t add column more int',
    'alter table t drop column n',
    'insert into t values (4, 5, 6)',
    'update t set y = 7 where y = 4',
    'delete from t where y = 1',
  ];
  const [first, old, now] = [
    { y: 1, a: 2 },
    { y: 4, a: 5 },
    { y: 7, a: 5 },
  ];
  for (const { when, records } of await changes(setUp, statements, 7)) {
    assert.deepEqual(
      records.map(shown),
      [
        ['c', { z: 1, a: 2 }],
        ['c', old],
        ['d', old],
        ['tombstone', old],
        ['c', now],
        ['d', first],
        ['tombstone', first],
      ],
      when,
    );
    for (const record of records)
      assert.ok(
        record.keySchema?.fields?.every(({ schema }) => !schema.optional),
        'required',
      );
  }
});

test('a table that is dropped and made anew has a key before and after', async () => {
  for (const identity of ['default', 'full']) {
    const setUp = ['create table t (id int primary key, n int)', `alter table t replica identity ${identity}`];
    const statements = [
      'insert into t values (1, 1)',
      'drop table t',
      'create table t (id int, n text, sub int, primary key (sub, id))',
      `alter table t replica identity ${identity}`,
      "insert into t values (2, 'x', 3)",
      'delete from t',
    ];
    const [second] = [{ sub: 3, id: 2 }];
    for (const { when, records } of await changes(setUp, statements, 4)) {
      const [inserted, ...others] = records.map(shown);
      assert.deepEqual(
        others,
        [
          ['c', second],
          ['d', second],
          ['tombstone', second],
        ],
        `${identity}, ${when}`,
      );
      // Under FULL, nothing tells the key of a table that is gone.
      if (identity === 'default') assert.deepEqual(inserted, ['c', { id: 1 }], when);
    }
  }
});

test('a key of message.key.columns that PostgreSQL leaves out of deletes is warned about, and null where that is asked for', async () => {
  const setUp = [
    'create table t (id int primary key, region text not null)',
    'create table bare (a int, b int)',
    'alter table bare replica identity full',
  ];
  const statements = ["insert into t values (1, 'eu')", 'delete from t', 'insert into bare values (1, 2)', 'update bare set b = 3'];
  const keys = { 'message.key.columns': 'public.t:region,id;public.bare:b' };
  const others = [
    ['c', { b: 2 }],
    ['d', { b: 2 }],
    ['tombstone', { b: 2 }],
    ['c', { b: 3 }],
  ];
  for (const [omitted, region] of [
    ['fallback', ''],
    ['null', null],
  ] as const) {
    for (const { when, records, logs } of await changes(setUp, statements, 7, { ...keys, 'omitted.values': omitted })) {
      const deleted = { region, id: 1 };
      assert.deepEqual(
        records.map(shown),
        [['c', { region: 'eu', id: 1 }], ['d', deleted], ['tombstone', deleted], ...others],
        `${omitted}, ${when}`,
      );
      assert.ok(
        logs.some((line) => /warn: table public\.t: region of the key is not in the replica identity/.test(line)),
        logs.join('\n'),
      );
    }
  }
});

test('a column that message.key.columns names is in the key for as long as it bears that name', async () => {
  const setUp = ['create table t (id int primary key, region text)'];
  const statements = ["insert into t values (1, 'eu')", 'alter table t rename column region to area', "insert into t values (2, 'us')"];
  for (const { when, records } of await changes(setUp, statements, 2, { 'message.key.columns': 'public.t:id,region' })) {
    assert.deepEqual(
      records.map(shown),
      [
        ['c', { id: 1, region: 'eu' }],
        ['c', { id: 2 }],
      ],
      when,
    );
  }
});

test('debezium.bug.compatible reads a partitioned table and its partitions', async () => {
  await using database = await createDatabase(await usePostgres(), 'keys');
  await sql(
    database,
    'create table p (id int primary key) partition by range (id)',
    'create table p_low partition of p for values from (0) to (10)',
    'insert into p values (1)',
  );
  const topics: Record<string, string[]> = {};
  for (const compatible of ['false', 'true']) {
    const raw = rawConfig(database, { 'snapshot.mode': 'initial_only', 'debezium.bug.compatible': compatible });
    await using running = await runTask(raw);
    await running.until(() => running.logs.some((line) => line.includes('snapshot: done')));
    const records = await running.count(compatible === 'true' ? 2 : 1);
    topics[compatible] = records.map(({ topic }) => topic);
  }
  assert.deepEqual(topics, { false: ['shop.public.p_low'], true: ['shop.public.p', 'shop.public.p_low'] });
});
