import { deepEqual } from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { createDatabase } from '../../../test/services/postgres.ts';
import type { Database } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { field, rawConfig, runTask, sql } from './harness.ts';

describe('replication origins', () => {
  let database: Database;
  before(async () => {
    database = await createDatabase(await usePostgres(), 'origins');
    await sql(database, 'create table t (id int primary key)', `select pg_replication_origin_create('acme_${database.database}')`);
  });
  after(async () => {
    await sql(database, `select pg_replication_origin_drop('acme_${database.database}')`);
    await database[Symbol.asyncDispose]();
  });

  const foreign = (...statements: string[]) =>
    sql(database, `select pg_replication_origin_session_setup('acme_${database.database}')`, ...statements);

  it('leaves out what was written under one that is named, and goes on after it', async () => {
    const raw = rawConfig(database, { 'snapshot.mode': 'no_data', 'millrace.skip.origins': 'other,acme_*' });
    {
      await using running = await runTask(raw);
      await running.until(() => running.logs.some((line) => /stream/i.test(line)));
      await foreign('insert into t values (1)', 'begin; insert into t values (2); delete from t where id = 1; commit');
      await sql(database, 'insert into t values (3)');
      await foreign('insert into t values (4)');
      await sql(database, 'insert into t values (5)');
      deepEqual(
        (await running.count(2)).map((one) => field(one, 'after', 'id')),
        [3, 5],
      );
      running.commit();
    }
  });

  it('reads them all where none is named', async () => {
    const raw = rawConfig(database, { 'snapshot.mode': 'no_data', 'slot.name': `all_${database.database}` });
    await using running = await runTask(raw);
    await running.until(() => running.logs.some((line) => /stream/i.test(line)));
    await foreign('insert into t values (11)');
    await sql(database, 'insert into t values (12)');
    deepEqual(
      (await running.count(2)).map((one) => field(one, 'after', 'id')),
      [11, 12],
    );
  });
});
