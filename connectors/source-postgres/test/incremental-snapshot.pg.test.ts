/** Incremental snapshots of tables that nobody writes to: keys, conditions, and being paused, stopped and taken over. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createDatabase } from '../../../test/services/postgres.ts';
import type { PostgresAddress } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { writeKey } from '../incremental/java-writer.ts';
import { field, runTask, sql } from './harness.ts';
import type { Running } from './harness.ts';
import {
  completed,
  crashAndResume,
  drained,
  isRead,
  noticeData,
  notices,
  signal,
  signalConfig,
  signalTable,
  started,
} from './incremental-harness.ts';

const reads = (running: Running, column = 'id'): unknown[] =>
  running.records.filter(isRead).map((record) => field(record, 'after', column));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
const execute = (database: PostgresAddress, collections: string[], more: object = {}): Promise<void> =>
  signal(database, 'one', 'execute-snapshot', { 'data-collections': collections, ...more });

test('keys of every type order the chunks, also after crashes', async () => {
  const keys: readonly (readonly [type: string, expression: string])[] = [
    ['smallint', 'g'],
    ['bigint', 'g * 10000000000'],
    ['numeric(20,3)', 'g / 3.0'],
    ['double precision', 'g / 7.0'],
    ['text', `chr(64 + g) || 'é'''`],
    ['char(5)', `'c' || g`],
    ['uuid', `md5(g::text)::uuid`],
    ['bytea', `decode(lpad(to_hex(g), 4, '0'), 'hex')`],
    ['date', `date '2024-01-01' + g`],
    ['timestamp', `timestamp '2024-01-01 00:00:00.123456' + g * interval '1 hour'`],
    ['timestamptz', `timestamptz '1999-01-01 00:00:00.000001+00' + g * interval '1 day'`],
    ['time', `time '00:00:01.5' + g * interval '1 minute'`],
    ['inet', `('10.0.0.' || g)::inet`],
    ['mood', `(array['sad', 'ok', 'fine', 'glad', 'happy', 'a', 'b'])[g]::mood`],
    ['positive', 'g'],
  ];
  await using database = await createDatabase(await usePostgres());
  await sql(
    database,
    signalTable,
    `create type mood as enum ('sad', 'ok', 'fine', 'glad', 'happy', 'a', 'b'); create domain positive as int check (value > 0)`,
    ...keys.map(
      ([type, expression], i) => `create table t${i} (k ${type}, part text, id int, primary key (k, part));
        insert into t${i} select ${expression}, p, row_number() over () from generate_series(1, 7) g, unnest(array['x', 'y']) p`,
    ),
  );
  const raw = signalConfig(database, { 'incremental.snapshot.chunk.size': '3' });
  let running = await runTask(raw);
  try {
    await started(running);
    await execute(
      database,
      keys.map((_, i) => `public.t${i}`),
    );
    // In the middle of a chunk of each table.
    for (let i = 0; i < keys.length; i++) {
      const ofTable = (): typeof running.records =>
        running.records.filter((record) => isRead(record) && record.topic === `shop.public.t${i}`);
      await running.until(() => ofTable().length >= 5);
      running = await crashAndResume(running, raw, running.records.indexOf(ofTable()[4] as (typeof running.records)[number]) + 1);
    }
    await completed(running);
    for (const [i, [type]] of keys.entries()) {
      const { rows } = await sql(database, `select id from t${i} order by k, part`);
      const found = running.records
        .filter((record) => isRead(record) && record.topic === `shop.public.t${i}`)
        .map((record) => field(record, 'after', 'id'));
      assert.deepEqual(
        found,
        (rows as { id: number }[]).map(({ id }) => id),
        type,
      );
    }
  } finally {
    await running[Symbol.asyncDispose]();
  }
});

test('conditions, regular expressions, a table that a filter left out before, one that is unknown, one that is empty', async () => {
  await using database = await createDatabase(await usePostgres());
  await sql(
    database,
    signalTable,
    'create table t1 (id int primary key); create table t2 (id int primary key); create table empty (id int primary key)',
    'insert into t1 select generate_series(1, 50); insert into t2 select generate_series(1, 5)',
  );
  const raw = signalConfig(database, { 'table.include.list': 'public.t1,public.empty' });
  let offset;
  {
    await using running = await runTask(raw);
    await started(running);
    await execute(database, ['public.t1', 'public.t2', 'public.empty'], {
      'additional-conditions': [{ 'data-collection': 'PUBLIC.T1', filter: 'id > 45 or id = 3' }],
    });
    await completed(running);
    assert.deepEqual(reads(running), [3, 46, 47, 48, 49, 50]);
    const scans = notices(running.records, 'TABLE_SCAN_COMPLETED');
    assert.deepEqual(
      scans.map((notice) => [
        noticeData(notice, 'scanned_collection'),
        noticeData(notice, 'status'),
        noticeData(notice, 'total_rows_scanned'),
      ]),
      [
        ['public.t1', 'SUCCEEDED', '6'],
        ['public.empty', 'EMPTY', '0'],
        ['public.t2', 'UNKNOWN_SCHEMA', '0'],
      ],
    );
    await drained(running, database);
    offset = running.records.at(-1)?.sourceOffset;
  }
  await using running = await runTask({ ...raw, 'table.include.list': 'public.t.*' }, { offset });
  await started(running);
  await sql(database, 'truncate signals');
  await execute(database, ['public\\.t[23]']);
  await completed(running);
  assert.deepEqual(reads(running), upTo(5));
});

test('a condition that is wrong is told, and the next table read', async () => {
  await using database = await createDatabase(await usePostgres());
  await sql(
    database,
    signalTable,
    'create table t1 (id int primary key); create table t2 (id int primary key)',
    'insert into t2 values (1)',
  );
  await using running = await runTask(signalConfig(database));
  await started(running);
  await execute(database, ['public.t1', 'public.t2'], {
    'additional-conditions': [{ 'data-collection': 'public.t1', filter: 'nothing = 1' }],
  });
  await completed(running);
  assert.deepEqual(reads(running), [1]);
  assert.equal(noticeData(notices(running.records, 'TABLE_SCAN_COMPLETED')[0], 'status'), 'SQL_EXCEPTION');
  assert.ok(running.logs.some((line) => line.startsWith('warn') && line.includes('"nothing" does not exist')));
});

test('a key that is not unique, and has nulls, loses no row at the chunks’ edges', async () => {
  await using database = await createDatabase(await usePostgres());
  await sql(
    database,
    signalTable,
    'create table t (k int, id int)',
    'insert into t select nullif(g % 4, 3), g from generate_series(1, 40) g',
  );
  await using running = await runTask(signalConfig(database, { 'incremental.snapshot.chunk.size': '7' }));
  await started(running);
  await execute(database, ['public.t'], { 'surrogate-key': 'k' });
  await completed(running);
  assert.deepEqual(
    (reads(running) as number[]).sort((a, b) => a - b),
    upTo(40),
  );
});

test('paused, also over a restart, and resumed', async () => {
  await using database = await createDatabase(await usePostgres());
  await sql(database, signalTable, 'create table t (id int primary key)', 'insert into t select generate_series(1, 200)');
  const raw = signalConfig(database, { 'incremental.snapshot.chunk.size': '5' });
  let running = await runTask(raw);
  try {
    await started(running);
    await execute(database, ['public.t']);
    await running.until((records) => records.some(isRead));
    await signal(database, 'two', 'pause-snapshot');
    await running.until((records) => notices(records, 'PAUSED').length === 1);
    await drained(running, database);
    running = await crashAndResume(running, raw, running.records.length);
    await drained(running, database);
    const before = reads(running).length;
    assert.ok(before < 200);
    await drained(running, database);
    assert.equal(reads(running).length, before);
    await signal(database, 'three', 'resume-snapshot');
    await completed(running, 60_000);
    assert.deepEqual(reads(running), upTo(200));
    assert.equal(notices(running.records, 'RESUMED').length, 1);
  } finally {
    await running[Symbol.asyncDispose]();
  }
});

test('stopped: one table, then all', async () => {
  await using database = await createDatabase(await usePostgres());
  await sql(
    database,
    signalTable,
    ...['a', 'b', 'c'].map((name) => `create table ${name} (id int primary key); insert into ${name} select generate_series(1, 400)`),
  );
  await using running = await runTask(signalConfig(database, { 'incremental.snapshot.chunk.size': '1' }));
  await started(running);
  await execute(database, ['public.a', 'public.b', 'public.c']);
  await running.until((records) => records.some(isRead));
  await signal(database, 'two', 'stop-snapshot', { 'data-collections': ['public.a', 'public.c'], type: 'incremental' });
  await running.until((records) => notices(records, 'ABORTED').length === 1);
  await running.until((records) => records.some((record) => isRead(record) && record.topic === 'shop.public.b'));
  await signal(database, 'three', 'stop-snapshot', {});
  await running.until((records) => notices(records, 'ABORTED').length === 2);
  await drained(running, database);
  assert.deepEqual(
    notices(running.records, 'ABORTED').map((notice) => noticeData(notice, 'data_collections')),
    ['public.a,public.c', 'public.b'],
  );
  assert.ok(!running.records.some(({ topic }) => topic === 'shop.public.c'));
  assert.equal(running.records.at(-1)?.sourceOffset['incremental_snapshot_collections'], undefined);
});

test('taken over in the middle, from an offset as Debezium writes it', async () => {
  await using database = await createDatabase(await usePostgres());
  await sql(
    database,
    signalTable,
    'create table t (id int primary key); create table u (id bigint primary key)',
    'insert into t select generate_series(1, 30); insert into u select generate_series(1, 3)',
  );
  const raw = signalConfig(database);
  let offset;
  {
    await using running = await runTask(raw);
    await started(running);
    await sql(database, 'insert into t values (100)');
    await running.until((records) => records.some(({ topic }) => topic === 'shop.public.t'));
    offset = running.records.at(-1)?.sourceOffset;
  }
  const entry = (id: string, condition: string | null) => ({
    incremental_snapshot_collections_id: id,
    incremental_snapshot_collections_additional_condition: condition,
    incremental_snapshot_collections_surrogate_key: null,
  });
  await using running = await runTask(raw, {
    offset: {
      ...offset,
      // Object[]{Integer 12}, Object[]{Integer 30}
      incremental_snapshot_primary_key: writeKey([{ type: 'integer', text: '12' }]),
      incremental_snapshot_maximum_key: writeKey([{ type: 'integer', text: '30' }]),
      incremental_snapshot_collections: JSON.stringify([entry('public.t', '(id <> 20)'), entry('public.u', null)]),
      incremental_snapshot_correlation_id: 'theirs',
    },
  });
  await completed(running);
  assert.deepEqual(reads(running), [...upTo(30).filter((id) => id > 12 && id !== 20), 1, 2, 3]);
  assert.equal(notices(running.records, 'COMPLETED')[0]?.get('id'), 'theirs');
});
