import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createDatabase } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { field, keyField, rawConfig, runTask, sql } from './harness.ts';

test('a snapshot, then inserts, updates, deletes, truncates', async () => {
  await using database = await createDatabase(await usePostgres());
  await sql(database, 'create table t (id int primary key, name text)', `insert into t values (1, 'a'), (2, 'b')`);
  await using running = await runTask(rawConfig(database, { 'skipped.operations': 'none' }));
  const records = await running.count(2);
  assert.deepEqual(
    records.map((record) => field(record, 'source', 'snapshot')),
    ['first', 'last'],
  );
  assert.equal(records[1]?.sourceOffset['snapshot_completed'], true);

  await sql(
    database,
    `insert into t values (3, 'c')`,
    `update t set name = 'x' where id = 1`,
    'update t set id = 10 where id = 2',
    'delete from t where id = 3',
    'truncate t',
  );
  await running.count(10);
  assert.deepEqual(
    records.slice(2).map((record) => [field(record, 'op'), keyField(record, 'id')]),
    [
      ['c', 3],
      ['u', 1],
      ['d', 2],
      [null, 2],
      ['c', 10],
      ['d', 3],
      [null, 3],
      ['t', undefined],
    ],
  );
});

test('a changed key is skipped as the delete and the create that it is', async () => {
  await using database = await createDatabase(await usePostgres());
  await sql(database, 'create table t (id int primary key)', 'insert into t values (1)');
  const records = async (skipped: string): Promise<unknown[]> => {
    const raw = rawConfig(database, { 'snapshot.mode': 'no_data', 'slot.name': `slot_${database.database}_${skipped}` });
    await using running = await runTask({ ...raw, 'publication.name': `pub_${skipped}`, 'skipped.operations': skipped });
    await running.until(() => running.logs.some((line) => /streaming from/.test(line)));
    await sql(database, 'update t set id = id', 'update t set id = id + 1', 'truncate t', 'insert into t values (1)');
    const all = await running.until((some) =>
      some.some((record) => field(record, 'op') === (skipped === 'c' ? 't' : 'c') && keyField(record, 'id') !== 2),
    );
    return all.map((record) => [field(record, 'op') ?? null, keyField(record, 'id') ?? null]);
  };
  const [truncated, inserted] = [
    ['t', null],
    ['c', 1],
  ];
  assert.deepEqual(await records('u'), [['d', 1], [null, 1], ['c', 2], truncated, inserted]);
  assert.deepEqual(await records('d'), [['u', 1], ['c', 2], truncated, inserted]);
  assert.deepEqual(await records('c'), [['u', 1], ['d', 1], [null, 1], truncated]);
});
