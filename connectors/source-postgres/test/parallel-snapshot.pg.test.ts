import assert from 'node:assert/strict';
import { test } from 'node:test';

import pg from 'pg';

import type { SourceRecord, TaskReport } from '@millrace/runtime/api';

import { createDatabase } from '../../../test/services/postgres.ts';
import type { PostgresAddress } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { field, keyField, rawConfig, runTask, sql, waitFor } from './harness.ts';
import {
  applied,
  createTables,
  marker,
  operation,
  pagesOfLarge,
  repeatedReads,
  rowOf,
  sorted,
  stored,
  tableOf,
} from './snapshot-tables.ts';

const tables = ['large', 'small', 'keyless', 'empty', 'parts'];
const rowsInAll = pagesOfLarge + 500 + 300 + 300;

/** Changes rows all over the tables, in one transaction after another, until it is told to stop. */
function startWriter(database: PostgresAddress): { stop(): Promise<void> } {
  let stopping = false;
  const writing = (async () => {
    const client = new pg.Client({ connectionString: database.url });
    client.on('error', () => {}); // the database may go first
    await client.connect();
    for (let round = 1; !stopping; round++) {
      await client.query(`begin; update large set n = ${round} where id % 97 = ${round % 97}; savepoint s;
        update small set n = ${round} where id % 10 = ${round % 10}; release s; commit`);
      await client.query(`delete from large where id = ${round * 3}; insert into large values (${100_000 + round}, ${round}, 'y')`);
      await client.query(`update keyless set n = ${round} where id = ${round % 300}; insert into parts values (${1000 + round}, ${round})`);
      await client.query(`begin; update large set n = -1 where id < 100; rollback`);
    }
    await client.end();
  })();
  return {
    stop() {
      stopping = true;
      return writing;
    },
  };
}

for (const slot of ['new', 'existing'] as const) {
  test(`several readers share one snapshot while rows change (${slot} slot)`, async () => {
    await using database = await createDatabase(await usePostgres(), 'readers');
    await createTables(database);
    const raw = rawConfig(database, { 'snapshot.max.threads': '3', 'max.batch.size': '100', 'max.queue.size': '500' });
    if (slot === 'existing') {
      await sql(
        database,
        `create publication pub for table ${tables.join()}`,
        `select pg_create_logical_replication_slot('${raw['slot.name']}', 'pgoutput')`,
      );
    }
    const writer = startWriter(database);
    await using running = await runTask(raw);
    await running.until((records) => records.some((record) => operation(record) === 'u'));
    await writer.stop();
    await sql(database, `insert into small values (-1, -1)`);
    const records = await running.until((all) => all.some((record) => keyField(record, 'id') === -1));

    assert.deepEqual(repeatedReads(records), []);
    assert.deepEqual(sorted(applied(records)), sorted(await stored(database, tables)));
    const operations = records.filter(({ value }) => value !== null).map(operation);
    assert.equal(operations.lastIndexOf('r') < operations.findIndex((one) => one !== 'r'), true, 'the snapshot first');
    assertMarkers(records.filter((record) => record.value !== null && operation(record) === 'r'));
  });
}

/** One `first`, one `last`, and where a table begins and ends those of the table. */
function assertMarkers(reads: readonly SourceRecord[]): void {
  const markers = reads.map(marker);
  assert.equal(markers[0], 'first');
  assert.equal(markers.at(-1), 'last');
  const byTable = Map.groupBy(reads, tableOf);
  assert.deepEqual([...byTable.keys()].sort(), ['keyless', 'large', 'parts_a', 'parts_b', 'parts_c', 'small']);
  for (const [table, rows] of byTable) {
    assert.match(marker(rows[0] as SourceRecord), /^first/, table);
    assert.match(marker(rows.at(-1) as SourceRecord), /^last/, table);
    assert.deepEqual([...new Set(rows.slice(1, -1).map(marker))], ['true'], table);
  }
  assert.equal(markers.filter((one) => one === 'first').length + markers.filter((one) => one === 'last').length, 2);
}

test('a table is read by several at once, in pieces, and the queue holds all of them back', async () => {
  await using database = await createDatabase(await usePostgres(), 'readers');
  await createTables(database);
  await using running = await runTask(
    rawConfig(database, {
      'snapshot.max.threads': '3',
      'table.include.list': 'public.large',
      'max.batch.size': '50',
      'max.queue.size': '200',
    }),
  );
  const readers = `select count(*)::int as n from pg_stat_activity
    where query like 'copy %"public"."large"%ctid%' and pid <> pg_backend_pid() and datname = current_database()`;
  await waitFor(async () => (await sql(database, readers)).rows[0].n === 3, 'three readers that wait for room');
  const records = await running.count(pagesOfLarge);
  assert.deepEqual(repeatedReads(records), []);
  assert.equal(new Set(records.map(rowOf)).size, pagesOfLarge);
  // Pieces are interleaved: the rows do not come in the order of their places.
  const ids = records.map((record) => keyField(record, 'id') as number);
  assert.notDeepEqual(
    ids,
    [...ids].sort((a, b) => a - b),
  );
});

for (const [viaRoot, published] of [
  ['true', ''],
  ['false', ''],
  ['false', 'by somebody else'],
] as const) {
  test(`rows of partitions come once, under the name that changes will have (publish.via.partition.root=${viaRoot} ${published})`, async () => {
    await using database = await createDatabase(await usePostgres(), 'readers');
    await createTables(database);
    const raw = rawConfig(database, {
      'snapshot.max.threads': '2',
      'publish.via.partition.root': viaRoot,
      'table.include.list': 'public.parts.*',
      ...(published ? { 'publication.autocreate.mode': 'disabled' } : {}),
    });
    if (published) await sql(database, 'create publication pub for table parts with (publish_via_partition_root = true)');
    await using running = await runTask(raw);
    await running.count(300);
    await sql(database, 'update parts set n = 1 where id = 150');
    const records = await running.count(301);
    const byRoot = viaRoot === 'true' || published !== '';
    const names = byRoot ? ['parts'] : ['parts_a', 'parts_b', 'parts_c'];
    assert.deepEqual([...new Set(records.slice(0, 300).map(tableOf))].sort(), names);
    assert.equal(new Set(records.slice(0, 300).map((record) => keyField(record, 'id'))).size, 300);
    assert.equal(tableOf(records[300] as SourceRecord), byRoot ? 'parts' : 'parts_b');
    assert.equal(field(records[300] as SourceRecord, 'after', 'n'), 1);
  });
}

test('tables come in the order of their rows, where that is asked for; figures, log and report tell how far it is', async () => {
  await using database = await createDatabase(await usePostgres(), 'readers');
  await createTables(database);
  await sql(database, 'analyze');
  const raw = rawConfig(database, { 'snapshot.tables.order.by.row.count': 'descending', 'snapshot.locking.mode': 'shared' });
  const reports: (TaskReport | undefined)[] = [];
  await using running = await runTask(raw, { context: { setReport: (report) => void reports.push(report) } });
  const records = await running.count(rowsInAll);
  const order = [...new Set(records.map(tableOf))];
  assert.deepEqual(order.slice(0, 3), ['large', 'small', 'keyless']);
  assert.ok(running.logs.some((line) => line.includes(`snapshot: public.large, ${pagesOfLarge} rows`)));
  await waitFor(() => running.logs.some((line) => line.includes(`snapshot: done, 7 tables, ${rowsInAll} rows`)), 'the end in the log');
  assert.equal(running.figures.get('snapshot-rows-total'), rowsInAll);
  assert.equal(running.figures.get('snapshot-remaining-bytes'), 0);
  assert.equal(running.figures.get('snapshot-remaining-tables'), 0);
  assert.equal(running.figures.get('debezium_metrics_TotalTableCount'), 7);
  const { tables, tablesDone, percent, rowsLeft } = reports[0]?.['snapshot'] ?? {};
  assert.deepEqual([tables, tablesDone, percent], [7, 0, 0]);
  assert.ok(Number(rowsLeft) > 0, 'what PostgreSQL estimates, before anything was read');
  const last = reports.findLast((report) => report?.['snapshot'] !== undefined)?.['snapshot'];
  assert.deepEqual([last?.['tablesDone'], last?.['rows'], last?.['percent'], last?.['rowsLeft']], [7, rowsInAll, 100, 0]);
  await waitFor(() => {
    const { snapshot, slot } = reports.at(-1) ?? {};
    return snapshot === undefined && Number(slot?.['retainedBytes']) > 0;
  }, 'the slot alone in the report');
});
