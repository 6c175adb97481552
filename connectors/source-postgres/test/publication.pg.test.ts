import assert from 'node:assert/strict';
import { test } from 'node:test';

import pg from 'pg';

import type { SourceRecord } from '@millrace/runtime/api';

import { createDatabase } from '../../../test/services/postgres.ts';
import type { Database } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { ensurePublication } from '../catalog/publication.ts';
import { readSettings } from '../config/settings.ts';
import { capturedTables } from '../catalog/tables.ts';
import { configValues, field, keyField, rawConfig, runTask, sql, waitFor } from './harness.ts';
import type { RawConfig, Running } from './harness.ts';
import { completed, isRead, signal, signalConfig, signalTable, started } from './incremental-harness.ts';

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

/** A table of which only some columns and rows are published, and one of which all are. */
async function partly(name: string): Promise<Database> {
  const database = await createDatabase(await usePostgres(), name);
  await sql(
    database,
    signalTable,
    'create table t (id int primary key, secret text not null, shown text, twice int generated always as (id * 2) stored)',
    'create table whole (id int primary key)',
    `insert into t select i, 'hush', 's' || i from generate_series(1, 6) i`,
    'insert into whole values (1)',
    'create publication pub for table t (id, shown) where (id > 2 and id <> 5), whole, signals',
  );
  return database;
}

const ofTable = ({ records }: Running, topic = 'shop.public.t'): SourceRecord[] => records.filter((record) => record.topic === topic);
const shown = (records: readonly SourceRecord[]): string[] =>
  records.map((record) => {
    const { fields = [] } = record.valueSchema?.fields?.find(({ name }) => name === 'after')?.schema ?? {};
    return `${String(field(record, 'op'))} ${String(keyField(record, 'id'))} ${fields.map(({ name }) => name).join()}`;
  });
const read = (...rows: number[]): string[] => rows.map((id) => `r ${id} id,shown`);

test('a snapshot has the columns and rows that the publication sends, and no others (PostgreSQL 15 and later)', async () => {
  await using database = await partly('partly');
  const config = (more: RawConfig): RawConfig =>
    signalConfig(database, { 'snapshot.mode': 'initial', 'publication.autocreate.mode': 'disabled', ...more });
  {
    await using running = await runTask(config({ 'incremental.snapshot.chunk.size': '2' }));
    await started(running);
    await sql(database, `insert into t values (1000, 'hush', 'x'), (5000, 'hush', 'y')`, 'update t set id = 0 where id = 1000');
    await running.until(() => ofTable(running).length === 7);
    // A row that leaves the filter is deleted.
    assert.deepEqual(shown(ofTable(running)), [...read(3, 4, 6), 'c 1000 id,shown', 'c 5000 id,shown', 'd 1000 id,shown', 'null 1000 ']);
    assert.equal(ofTable(running, 'shop.public.whole').length, 1);
    assert.ok(running.logs.some((line) => /public\.t, 3 rows, as the publication sends it: columns id, shown, rows where/.test(line)));

    await signal(database, 'one', 'execute-snapshot', { 'data-collections': ['public.t'] });
    await completed(running);
    assert.deepEqual(shown(ofTable(running).slice(7).filter(isRead)), read(3, 4, 6, 5000));
    await signal(database, 'two', 'execute-snapshot', { type: 'BLOCKING', 'data-collections': ['public.t'] });
    await running.until(() => running.logs.some((line) => line.includes('the stream goes on')));
    await running.until(() => ofTable(running).length === 15);
    assert.deepEqual(shown(ofTable(running).slice(11)).toSorted(), read(3, 4, 5000, 6));
  }
  await using compatible = await runTask(config({ 'slot.name': `bugs_${database.database}`, 'debezium.bug.compatible': 'true' }));
  await compatible.until(() => ofTable(compatible).length === 8);
  assert.equal(shown(ofTable(compatible))[0], 'r 1 id,secret,shown,twice');
});

test('tables that the filters add to a publication leave what it sends of others', async () => {
  await using database = await partly('added');
  await using running = await runTask(rawConfig(database, { 'table.exclude.list': 'public.signals' }));
  await running.until(() => ofTable(running).length === 3);
  assert.deepEqual(shown(ofTable(running)), read(3, 4, 6));
  const { rows } = await sql(database, `select tablename, rowfilter from pg_publication_tables where pubname = 'pub' order by 1`);
  assert.deepEqual(rows, [
    { tablename: 't', rowfilter: '((id > 2) AND (id <> 5))' },
    { tablename: 'whole', rowfilter: null },
  ]);
});
