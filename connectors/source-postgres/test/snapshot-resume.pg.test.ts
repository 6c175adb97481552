import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { OffsetMap, SourceRecord } from '@millrace/runtime/api';

import { startTcpFaultProxy } from '../../../test/chaos/tcp-fault-proxy.ts';
import { createDatabase, startPostgres } from '../../../test/services/postgres.ts';
import type { PostgresAddress } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { field, keyField, rawConfig, runTask, sql } from './harness.ts';
import type { RawConfig } from './harness.ts';
import { applied, createTables, largeTable, marker, operation, repeatedReads, rowOf, sorted, stored } from './snapshot-tables.ts';

const tables = ['large', 'small', 'keyless', 'empty', 'parts'];
const isEnd = (record: SourceRecord): boolean => keyField(record, 'id') === -1;

/** As an offset store gives it back. */
const throughStore = (offset: OffsetMap | undefined): OffsetMap | undefined =>
  offset === undefined ? undefined : (JSON.parse(JSON.stringify(offset)) as OffsetMap);

/** Runs a task, and ends it once it gave so many records; what it gave beyond them was not stored. */
async function brokenOff(raw: RawConfig, offset: OffsetMap | undefined, rows: number): Promise<SourceRecord[]> {
  await using running = await runTask(raw, { offset });
  return (await running.count(rows)).slice(0, rows);
}

/** Changes of every kind; each round others. */
async function change(database: PostgresAddress, round: number): Promise<void> {
  await sql(
    database,
    `update large set n = ${round} where id % 13 = ${round}`,
    `begin; savepoint s; update large set n = ${round} where id % 17 = ${round}; release s; update small set n = ${round} where id % 5 = ${round}; commit`,
    `delete from large where id % 29 = ${round}`,
    `delete from keyless where id % 11 = ${round}; insert into keyless values (${2000 + round}, ${round})`,
    `insert into large select 10000 * ${round} + i, ${round}, 'new' from generate_series(1, 300) i`,
    `update large set id = id + 5000000 where id % 31 = ${round}`,
    `update parts set n = ${round} where id % 7 = ${round}`,
    'vacuum large',
  );
}

for (const version of ['15', '18'] as const) {
  test(`a snapshot that is broken off again and again goes on where it was (PostgreSQL ${version})`, async () => {
    await using server = version === '18' ? undefined : await startPostgres({ version });
    await using database = await createDatabase(server ?? (await usePostgres()), 'resume');
    await createTables(database);
    const raw = rawConfig(database, { 'snapshot.max.threads': '3', 'max.batch.size': '70', 'max.queue.size': '300' });
    const records: SourceRecord[] = [];
    for (const [round, rows] of [900, 1, 1200, 400, 300].entries()) {
      records.push(...(await brokenOff(raw, throughStore(records.at(-1)?.sourceOffset), rows)));
      assert.equal(records.at(-1)?.sourceOffset['snapshot_completed'], false, 'in the middle of it');
      await change(database, round + 1);
    }
    await sql(database, 'insert into small values (-1, -1)');
    await using running = await runTask(raw, { offset: throughStore(records.at(-1)?.sourceOffset) });
    records.push(...(await running.until((all) => all.some(isEnd))));
    assert.ok(running.logs.some((line) => line.includes('snapshot: going on after')));

    assert.deepEqual(repeatedReads(records), [], 'each row once as r at most');
    assert.deepEqual(sorted(applied(records)), sorted(await stored(database, tables)));
    const rows = records.filter((record) => record.value !== null);
    const operations = rows.map(operation);
    assert.ok(operations.lastIndexOf('r') < operations.findIndex((one) => one !== 'r'), 'before every change');
    assert.deepEqual(new Set(rows.filter((record) => operation(record) === 'r').map((record) => field(record, 'source', 'lsn'))).size, 1);
    assert.equal(rows.filter((record) => marker(record) === 'first').length, 1);
    assert.equal(rows.filter((record) => marker(record) === 'last').length, 1);
    // What nobody touched came as the snapshot's moment had it, however often it was broken off.
    const untouched = (await stored(database, ['large'])).entries();
    const reads = new Set(rows.filter((record) => operation(record) === 'r').map(rowOf));
    assert.deepEqual(
      [...untouched].filter(([row, n]) => n === 0 && !row.startsWith('large 50') && !reads.has(row)),
      [],
    );
  });
}

test('lost connections in the middle of a snapshot repeat nothing and lose nothing', async () => {
  await using database = await createDatabase(await usePostgres(), 'resume');
  // More than the buffers of the connections hold.
  await sql(database, ...largeTable(6_000));
  await using proxy = await startTcpFaultProxy(database);
  const raw = rawConfig(database, {
    'database.hostname': '127.0.0.1',
    'database.port': String(proxy.port),
    'snapshot.max.threads': '2',
    'max.batch.size': '50',
    'max.queue.size': '200',
    'retriable.restart.connector.wait.ms': '100',
  });
  await using running = await runTask(raw);
  for (const [round, rows] of [300, 700].entries()) {
    await running.count(rows);
    await sql(
      database,
      `update large set n = ${round + 1} where id % 13 = ${round}`,
      `delete from large where id % 29 = ${round}`,
      `update large set id = id + 5000000 where id % 31 = ${round}`,
    );
    proxy.cut();
    await running.until(() => running.logs.filter((line) => line.includes('snapshot: going on after')).length > round);
  }
  await sql(database, `insert into large values (-1, -1, 'the end')`);
  const records = await running.until((all) => all.some(isEnd));
  assert.deepEqual(repeatedReads(records), []);
  assert.deepEqual(sorted(applied(records)), sorted(await stored(database, ['large'])));
});

test('a large value that an update did not touch is not lost when its row was still to be read', async () => {
  await using database = await createDatabase(await usePostgres(), 'resume');
  await sql(
    database,
    'create table t (id int primary key, n int not null, large text) with (autovacuum_enabled = off)',
    'alter table t alter large set storage external',
    `insert into t select i, 0, repeat(i::text || '-', 3000) from generate_series(1, 200) i`,
  );
  const raw = rawConfig(database, { 'max.batch.size': '10', 'max.queue.size': '20' });
  const records = await brokenOff(raw, undefined, 50);
  await sql(database, 'update t set n = 1 where id in (5, 190)', 'insert into t values (-1, -1)');
  await using running = await runTask(raw, { offset: throughStore(records.at(-1)?.sourceOffset) });
  records.push(...(await running.until((all) => all.some((record) => isEnd(record) && operation(record) === 'c'))));
  const values = new Map<unknown, unknown>();
  for (const record of records) {
    const text = field(record, 'after', 'large');
    if (text !== '__debezium_unavailable_value') values.set(keyField(record, 'id'), text);
  }
  assert.equal(values.get(190), '190-'.repeat(3000));
  assert.equal(values.get(5), '5-'.repeat(3000));
});

test('a snapshot whose transactions PostgreSQL words so that it cannot read them itself goes on', async () => {
  await using database = await createDatabase(await usePostgres(), 'resume');
  await sql(
    database,
    'create table small (id int primary key, n int not null)',
    'insert into small select i, 0 from generate_series(1, 500) i',
  );
  const raw = rawConfig(database, { 'max.batch.size': '50', 'max.queue.size': '100' });
  const records = await brokenOff(raw, undefined, 200);
  const offset = throughStore(records.at(-1)?.sourceOffset) as OffsetMap;
  // What a slot exports where the last transactions before it were rolled back: as `n:n:`.
  const worded = String(offset['millrace_snapshot']).replace(
    /"sees":"(\d+):[^"]*"/,
    (_, xmin: string) => `"sees":"${xmin}:${Number(xmin) - 1}:"`,
  );
  assert.match(worded, /"sees":"(\d+):(?!\1)\d+:"/);
  await sql(database, 'update small set n = 1 where id % 5 = 0', 'insert into small values (-1, -1)');
  await using running = await runTask(raw, { offset: { ...offset, millrace_snapshot: worded } });
  records.push(...(await running.until((all) => all.some(isEnd))));
  assert.deepEqual(repeatedReads(records), []);
  assert.deepEqual(sorted(applied(records)), sorted(await stored(database, ['small'])));
});

test('a snapshot starts again where going on would lose something', async () => {
  await using database = await createDatabase(await usePostgres(), 'resume');
  await sql(database, 'create table t (id int primary key)', 'insert into t select generate_series(1, 1000)');
  const raw = rawConfig(database, { 'max.batch.size': '100', 'max.queue.size': '100' });
  const slot = raw['slot.name'];
  const first = await brokenOff(raw, undefined, 300);
  const offset = throughStore(first.at(-1)?.sourceOffset);
  // Debezium's own offset tells less.
  const debezium = Object.fromEntries(Object.entries(offset ?? {}).filter(([key]) => !key.startsWith('millrace_')));
  assert.equal(marker((await brokenOff(raw, debezium, 1000))[0] as SourceRecord), 'first');
  // The slot was made anew, and what happened before is gone.
  await sql(database, `select pg_drop_replication_slot('${slot}')`, 'delete from t where id > 990', 'vacuum full t');
  await sql(database, `select pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
  await using running = await runTask(raw, { offset });
  const records = await running.count(990);
  assert.ok(running.logs.some((line) => line.includes('the snapshot starts again')));
  assert.equal(marker(records[0] as SourceRecord), 'first');
  assert.deepEqual(
    records.map((record) => keyField(record, 'id')),
    Array.from({ length: 990 }, (_, i) => i + 1),
  );
});
