import assert from 'node:assert/strict';
import { test } from 'node:test';

import pg from 'pg';

import type { SourceRecord } from '@millrace/runtime/api';

import { createDatabase } from '../../../test/services/postgres.ts';
import type { PostgresAddress } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { field, keyField, rawConfig, runTask, sql } from './harness.ts';

const text = (record: SourceRecord): string => `${String(field(record, 'op'))} ${String(record.topic)} ${String(keyField(record, 'id'))}`;

async function connect(database: PostgresAddress): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client({ connectionString: database.url });
  client.on('error', () => {});
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

/** Rows that share an LSN, records that share a row, transactions that commit in another order than they write. */
async function changes(database: PostgresAddress): Promise<void> {
  await using slow = await connect(database);
  await sql(database, `insert into a select i, 'x' from generate_series(1, 20) i`);
  await slow.query('begin');
  await slow.query(`insert into b select i from generate_series(1, 10) i`);
  await sql(
    database,
    `copy a (id) from program 'seq 1001 1150'`,
    'update a set id = id + 100 where id <= 5',
    'delete from a where id between 6 and 9',
  );
  await slow.query(`copy b (id) from program 'seq 101 130'`);
  await sql(
    database,
    `begin; insert into a values (50, 'y'); savepoint s; insert into a values (51, 'z'); rollback to s; update a set name = 'w' where id = 50; commit`,
  );
  await slow.query('commit');
  await sql(database, `select pg_logical_emit_message(true, 'pre', 'content')`, `select pg_logical_emit_message(false, 'pre', 'content')`);
  await sql(
    database,
    'truncate a, b',
    `insert into b values (1)`,
    `copy a (id) from program 'seq 2001 2040'`,
    `insert into b values (7777)`,
  );
}

test('goes on exactly behind whichever record was stored last', async () => {
  await using database = await createDatabase(await usePostgres(), 'resume');
  await sql(
    database,
    'create table a (id int primary key, name text)',
    'create table b (id int primary key)',
    `insert into b values (9999)`,
  );
  const raw = rawConfig(database, { 'skipped.operations': 'none', 'flush.lsn.source': 'false' });
  let whole: SourceRecord[];
  {
    await using running = await runTask(raw);
    await running.count(1);
    await changes(database);
    whole = await running.until((records) => records.some((record) => keyField(record, 'id') === 7777 && record.topic === 'shop.public.b'));
  }
  const expected = whole.map(text);
  assert.ok(
    whole.some((record) => record.sourceOffset['millrace_row'] !== undefined),
    'rows that share an LSN',
  );
  assert.ok(
    whole.some((record) => record.sourceOffset['millrace_part'] !== undefined),
    'records that share a row',
  );

  // Every record whose neighbours share its LSN, and some of the others.
  const places = expected
    .map((_, index) => index)
    .filter((index) => index % 7 === 0 || whole[index]?.sourceOffset['millrace_part'] !== undefined || index > expected.length - 4);
  for (const index of places) {
    // As an offset store gives it back.
    const offset = JSON.parse(JSON.stringify(whole[index]?.sourceOffset)) as Record<string, number | string>;
    await using running = await runTask(raw, { offset });
    await sql(database, `insert into b values (${10_000 + index})`);
    const rest = await running.until((records) => records.some((record) => keyField(record, 'id') === 10_000 + index));
    // The markers of this round and of those before.
    const after = rest.map(text).filter((one) => !/public.b 1\d{4}$/.test(one));
    assert.deepEqual(after, expected.slice(index + 1), `after record ${index}, ${expected[index]}: ${JSON.stringify(offset)}`);
  }
});

test('a lost connection repeats and loses nothing', async () => {
  await using database = await createDatabase(await usePostgres(), 'resume');
  await sql(database, 'create table a (id int primary key, name text)');
  const raw = rawConfig(database, {
    'snapshot.mode': 'no_data',
    'max.queue.size': '100',
    'max.batch.size': '50',
    'retriable.restart.connector.wait.ms': '100',
  });
  await using running = await runTask(raw);
  await running.until(() => running.logs.some((line) => line.includes('streaming from')));
  const kill = `select pg_terminate_backend(active_pid) from pg_replication_slots where active_pid is not null and database = current_database()`;
  for (let round = 0; round < 5; round++) {
    const first = round * 3000;
    await sql(
      database,
      `insert into a select i, repeat('x', 200) from generate_series(${first + 1}, ${first + 1000}) i`,
      `copy a (id) from program 'seq ${first + 1001} ${first + 3000}'`,
    );
    await running.count(first + 300 + round * 517);
    await sql(database, kill);
  }
  const records = await running.count(15_000, 60_000);
  assert.deepEqual(
    records.map((record) => keyField(record, 'id')),
    Array.from({ length: 15_000 }, (_, i) => i + 1),
  );
  assert.ok(running.logs.some((line) => line.includes('Trying again in')));
});
