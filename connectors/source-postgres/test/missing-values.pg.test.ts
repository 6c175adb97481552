/** Values that PostgreSQL does not send, or that a schema has no form for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { SourceRecord } from '@millrace/runtime/api';

import { createDatabase } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { asMessage, convertersOf } from './fixtures.ts';
import type { Message } from './fixtures.ts';
import { rawConfig, runTask, sql } from './harness.ts';
import type { RawConfig } from './harness.ts';
import { unavailableHeader } from '../records/row-check.ts';

const converters = convertersOf({});
type Json = Record<string, unknown>;
const payload = ({ value }: Message): Json => (value as { payload: Json }).payload;

/** All records, as they are written: a value that cannot be is an error here. */
async function messages(setUp: readonly string[], streamed: readonly string[], count: number, more: RawConfig = {}) {
  await using database = await createDatabase(await usePostgres(), 'missing');
  await sql(database, ...setUp);
  await using running = await runTask(rawConfig(database, more));
  await running.until(() => running.logs.some((line) => line.includes('streaming from')));
  await sql(database, ...streamed);
  const records: SourceRecord[] = await running.count(count);
  return { messages: records.map((record) => asMessage(record, converters)), logs: [...running.logs] };
}

const big = "(select string_agg(md5(i::text), '') from generate_series(1, 2000) i)";
const toasted = [
  'create table t (id int primary key, n int, small smallint[], digits numeric not null, words text)',
  'alter table t alter small set storage external, alter digits set storage external, alter words set storage external',
  `insert into t values (1, 1, array_fill(7::smallint, array[20000]), repeat('7', 20000)::numeric, ${big})`,
];

test('a header names the columns whose unchanged value PostgreSQL did not send, and that nothing stands for', async () => {
  const { messages: found } = await messages(
    toasted,
    ['update t set n = 2', 'update t set id = 2', 'update t set digits = 1, small = null'],
    6,
  );
  const headers = found.map((message) => message.headers.find(([name]) => name === unavailableHeader)?.[1]);
  assert.deepEqual(headers, [undefined, ['small', 'digits'], undefined, undefined, ['small', 'digits'], undefined]);
  const after = payload(found[1] as Message)['after'] as Json;
  assert.deepEqual(
    [after['small'], after['digits'], after['words']],
    [null, { scale: { number: '0' }, value: 'AA==' }, '__debezium_unavailable_value'],
  );
});

test('with the whole old row, unchanged values are taken from it', async () => {
  const setUp = [...toasted, 'alter table t replica identity full'];
  const { messages: found } = await messages(setUp, ['update t set n = 2'], 2);
  const [first, second] = found.map((message) => payload(message)['after'] as Json) as [Json, Json];
  assert.deepEqual(second, { ...first, n: { number: '2' } });
  assert.equal(
    found[1]?.headers.some(([name]) => name === unavailableHeader),
    false,
  );
});

const strict = [
  "create table t (id int primary key, label text not null default 'none', n numeric(10,2) not null, free numeric not null, at date)",
  "insert into t values (1, 'a', 'NaN', 'Infinity', null)",
];
const changes = [
  "insert into t values (2, 'b', 1, 2, null)",
  "insert into t values (3, 'c', 'NaN', '-Infinity', null)",
  'delete from t where id = 3',
];

test('NaN in a NOT NULL decimal is zero, which a header names; the task goes on', async () => {
  const { messages: found } = await messages(strict, changes, 5);
  const rows = found.slice(0, 3).map((message) => payload(message)['after'] as Json);
  const zero = { scale: { number: '0' }, value: 'AA==' };
  assert.deepEqual(
    rows.map(({ n, free }) => [n, free]),
    [
      ['AA==', zero],
      ['ZA==', { scale: { number: '0' }, value: 'Ag==' }],
      ['AA==', zero],
    ],
  );
  const before = payload(found[3] as Message)['before'] as Json;
  assert.deepEqual([before['label'], before['n']], ['none', 'AA==']);
  const named = found.map(({ headers }) => headers.find(([name]) => name === unavailableHeader)?.[1]);
  assert.deepEqual(named, [['n', 'free'], undefined, ['n', 'free'], undefined, undefined]);
});

test('omitted.values=null says null for it, and for what PostgreSQL leaves out of old rows', async () => {
  const { messages: found } = await messages(strict, changes, 5, { 'omitted.values': 'null' });
  const rows = found.slice(0, 3).map((message) => payload(message)['after'] as Json);
  assert.deepEqual(
    rows.map(({ label, n, free }) => [label, n, free]),
    [
      ['a', null, null],
      ['b', 'ZA==', { scale: { number: '0' }, value: 'Ag==' }],
      ['c', null, null],
    ],
  );
  assert.deepEqual(payload(found[3] as Message)['before'], { id: { number: '3' }, label: null, n: null, free: null, at: null });
  const schemas = found.slice(0, 4).map(({ value }) => (value as { schema: unknown }).schema);
  assert.deepEqual(schemas[0], schemas[3], 'one schema in the snapshot and in the stream');
});
