import { deepEqual, equal, match } from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { schemas, structOf, structSchema } from '@millrace/runtime/api';

import { createDatabase } from '../../../test/services/postgres.ts';
import type { Database } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { rawConfig, record, rows, runSink, sql } from './harness.ts';

const keySchema = structSchema([['id', schemas.int32]]);
const valueSchema = structSchema([
  ['id', schemas.int32],
  ['name', schemas.optionalString],
]);
const put = (offset: number, id: number, name: string) =>
  record(offset, structOf(valueSchema, { id, name }), { key: structOf(keySchema, { id }) });
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('upserts of many rows', () => {
  let database: Database;
  before(async () => (database = await createDatabase(await usePostgres(), 'sink_new_rows')));
  after(() => database[Symbol.asyncDispose]());

  /** A table that notes by which statements its rows came. */
  const tableWithWitness = (name: string, more = ''): Promise<unknown> =>
    sql(
      database,
      `create table ${name} (id int primary key, name text${more})`,
      `create table ${name}_seen (statement text, at int generated always as identity)`,
      `create function ${name}_see() returns trigger language plpgsql as $$
         begin insert into ${name}_seen (statement) values (substring(current_query() from 'COPY|INSERT')); return null; end $$`,
      `create trigger see after insert on ${name} for each statement execute function ${name}_see()`,
    );
  const seen = async (name: string): Promise<string> =>
    (await sql<{ statement: string }>(database, `select statement from ${name}_seen order by at`))
      .map(({ statement }) => statement)
      .join(' ');
  const upsertInto = (name: string) =>
    runSink(rawConfig(database, { 'table.name.format': name, 'insert.mode': 'upsert', 'pk.mode': 'record_key' }));

  it('copies rows that are all new, and writes over those that are not', async () => {
    await tableWithWitness('fresh');
    await using sink = await upsertInto('fresh');
    await sink.write(...range(0, 200).map((id) => put(id, id, 'first')));
    equal(await seen('fresh'), 'COPY');
    // The last one of them is there; a key that occurs twice does not make it less new.
    await sink.write(...[...range(200, 400), 399, 100].map((id, i) => put(200 + i, id, id === 100 ? 'again' : `second ${i}`)));
    equal(await seen('fresh'), 'COPY INSERT');
    await sink.write(...range(400, 600).map((id, i) => put(402 + i, id, 'third')));
    // After a row that was there it is not tried for a while.
    equal(await seen('fresh'), 'COPY INSERT INSERT');
    deepEqual(await rows(database, `select count(*)::int as n, count(*) filter (where name = 'first')::int as first from fresh`), [
      '{"n":600,"first":199}',
    ]);
    deepEqual(await rows(database, 'select name from fresh where id in (100, 399) order by id'), [
      '{"name":"again"}',
      '{"name":"second 200"}',
    ]);
    deepEqual(sink.reported, []);
  });

  it('refuses a row for another constraint as ever, and writes the others', async () => {
    await tableWithWitness('strict', ', unique (name)');
    await using sink = await upsertInto('strict');
    await sink.write(...range(0, 150).map((id) => put(id, id, id === 149 ? 'name 3' : `name ${id}`)));
    equal((await rows(database, 'select * from strict')).length, 149);
    equal(sink.reported.length, 1);
    match(sink.reported[0]?.error.message ?? '', /strict.*unique|duplicate key/);
  });
});
