import assert from 'node:assert/strict';
import { test } from 'node:test';

import pg from 'pg';

import { createDatabase } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { ensurePublication } from '../publication.ts';
import { readSettings } from '../settings.ts';
import { capturedTables } from '../tables.ts';
import { configValues, rawConfig, sql, waitFor } from './harness.ts';

test('a publication that another connector makes at the same moment is used', async () => {
  await using database = await createDatabase(await usePostgres(), 'publication');
  await sql(database, 'create table t (id int primary key)');
  const raw = rawConfig(database, { 'publication.name': 'shared', 'publication.autocreate.mode': 'filtered' });
  const settings = readSettings(configValues(raw), raw);
  const [other, own] = [new pg.Client(database.url), new pg.Client(database.url)];
  await Promise.all([other.connect(), own.connect()]);
  try {
    await other.query('begin');
    await other.query('create publication shared for table t');
    const tables = await capturedTables(own, settings);
    const nothing = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
    const ensured = ensurePublication(own, settings, tables, nothing);
    await waitFor(async () => {
      const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      return (await sql(database, waiting)).rowCount === 1;
    }, 'it waits for the other');
    await other.query('commit');
    await ensured;
  } finally {
    await Promise.all([other.end(), own.end()]);
  }
  assert.equal((await sql(database, `select from pg_publication_tables where pubname = 'shared'`)).rowCount, 1);
});
