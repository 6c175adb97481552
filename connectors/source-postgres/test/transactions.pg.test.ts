import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { OffsetMap, SourceRecord } from '@millrace/runtime/api';

import { createDatabase } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { field, rawConfig, runTask, sql } from './harness.ts';

const more = { 'provide.transaction.metadata': 'true', 'snapshot.mode': 'no_data', 'table.include.list': 'public.a,public.b' };

/** `a:1/1` for a row, `BEGIN`, `END a=2`. */
function told(record: SourceRecord): string {
  if (!record.topic.endsWith('.transaction')) {
    if (record.value === null) return 'tombstone';
    const at = [field(record, 'transaction', 'total_order'), field(record, 'transaction', 'data_collection_order')];
    return `${String(field(record, 'source', 'table'))}:${at.join('/')}`;
  }
  const counts = field(record, 'data_collections') as { get(name: string): unknown }[] | null;
  const list = (counts ?? []).map((one) => `${String(one.get('data_collection'))}=${String(one.get('event_count'))}`);
  return [field(record, 'status'), ...list].join(' ');
}

const whole = ['BEGIN', 'a:1/1', 'b:2/1', 'a:3/2', 'tombstone', 'a:4/3', 'b:5/2', 'tombstone', 'END public.a=3 public.b=2'];

test('a transaction is gone on with at every record, its counts too, and its marks come once', async () => {
  await using database = await createDatabase(await usePostgres());
  await sql(database, 'create table a (id int primary key)', 'create table b (id int primary key)');
  const raw = rawConfig(database, more);
  await using first = await runTask(raw);
  await first.until(() => first.logs.some((line) => /streaming from/.test(line)));
  await sql(database, 'begin; insert into a values (1); insert into b values (1); update a set id = 2; delete from b; commit');
  const records = await first.until((all) => all.some((one) => told(one).startsWith('END')));
  assert.deepEqual(records.map(told), whole);
  await first[Symbol.asyncDispose]();

  const ids = records.filter(({ topic }) => topic.endsWith('.transaction')).map((record) => String(field(record, 'id')));
  const [begin = '', end = ''] = ids;
  assert.equal(begin.split(':')[0], end.split(':')[0]);
  // The very fields of Debezium's.
  const { lsn, txId, ts_usec: us, ...rest } = records.at(-1)?.sourceOffset ?? {};
  assert.deepEqual(rest, {
    lsn_proc: Number(lsn) + 1,
    messageType: 'COMMIT',
    lsn_commit: Number(lsn) + 1,
    transaction_id: String(txId),
    'transaction_data_collection_order_public.a': 3,
    'transaction_data_collection_order_public.b': 2,
  });
  assert.equal(typeof us, 'number');

  for (const [index, { sourceOffset }] of records.entries()) {
    await using resumed = await runTask(raw, { offset: JSON.parse(JSON.stringify(sourceOffset)) as OffsetMap });
    await sql(database, "select pg_logical_emit_message(false, 'end', 'x')");
    const rest = await resumed.until((all) => all.some(({ topic }) => topic.endsWith('.message')));
    const left = rest.filter(({ topic }) => !topic.endsWith('.message')).map(told);
    assert.deepEqual(left, whole.slice(index + 1), `after ${whole[index]}`);
  }
});

test('the source block tells the xmin of the slot when it is asked for', async () => {
  await using database = await createDatabase(await usePostgres());
  await sql(database, 'create table a (id int primary key)', 'create table b (id int primary key)');
  await using task = await runTask(rawConfig(database, { ...more, 'xmin.fetch.interval.ms': '50' }));
  await task.until(() => task.logs.some((line) => /streaming from/.test(line)));
  await sql(database, 'insert into a values (1)');
  const [row] = (await task.until((all) => all.some((one) => told(one).startsWith('a:')))).filter((one) => told(one).startsWith('a:'));
  assert.ok(Number(field(row as SourceRecord, 'source', 'xmin')) > 0);
});
