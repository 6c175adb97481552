/** A task that is stopped as it begins is soon gone: nobody takes its rows any more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import pg from 'pg';

import { createDatabase } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { rawConfig, runTask, sql, waitFor } from './harness.ts';

// For a stop that never comes to an end.
const timeout = 120_000;

test('a stop as the snapshot begins', { timeout }, async () => {
  await using database = await createDatabase(await usePostgres(), 'stop');
  await sql(database, 'create table t (id int primary key)', 'insert into t select generate_series(1, 5000)');
  const raw = rawConfig(database, { 'max.queue.size': '20', 'max.batch.size': '10' });
  const running = await runTask(raw);
  await running[Symbol.asyncDispose]();
  assert.deepEqual(
    running.logs.filter((line) => line.startsWith('failed')),
    [],
  );
});

for (const mode of ['initial', 'no_data']) {
  test(`a stop while the slot waits for the end of a transaction, snapshot.mode=${mode}`, { timeout }, async () => {
    await using database = await createDatabase(await usePostgres(), 'stop');
    await sql(database, 'create table t (id int primary key)');
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    try {
      await other.query('begin');
      await other.query('insert into t values (1)');
      const running = await runTask(rawConfig(database, { 'snapshot.mode': mode }));
      await waitFor(async () => {
        const { rows } = await sql(
          database,
          `select from pg_stat_activity where datname = current_database() and backend_type = 'walsender' and wait_event_type = 'Lock'`,
        );
        return rows.length > 0;
      }, 'the slot to wait');
      await running[Symbol.asyncDispose]();
    } finally {
      await other.end();
    }
  });
}
