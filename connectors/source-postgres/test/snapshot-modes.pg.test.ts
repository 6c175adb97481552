import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { OffsetMap, SourceRecord } from '@millrace/runtime/api';

import { createDatabase } from '../../../test/services/postgres.ts';
import type { Database } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { keyField, rawConfig, runTask, sql, waitFor } from './harness.ts';
import type { RawConfig, Running } from './harness.ts';
import { marker, operation } from './snapshot-tables.ts';

const ids = (records: readonly SourceRecord[]): string[] =>
  records.map((record) => `${operation(record)} ${String(keyField(record, 'id'))}`);
const slots = async (database: Database): Promise<number> =>
  Number((await sql(database, 'select count(*) as n from pg_replication_slots where database = current_database()')).rows[0].n);
const isStreaming = (running: Running) => (): boolean => running.logs.some((line) => line.includes('streaming from'));
const twoRows = ['create table t (id int primary key)', 'insert into t values (1), (2)'];

/** Runs until there are so many records; returns them and the offset that a store would have. */
async function runFor(
  raw: RawConfig,
  offset: OffsetMap | undefined,
  count: number,
): Promise<{ records: SourceRecord[]; offset: OffsetMap | undefined }> {
  await using running = await runTask(raw, { offset });
  const records = [...(await running.count(count))];
  running.commit();
  return { records, offset: JSON.parse(JSON.stringify(records.at(-1)?.sourceOffset)) as OffsetMap };
}

for (const isolation of ['serializable', 'read_committed']) {
  test(`initial_only reads once, without slot or publication (${isolation})`, async () => {
    await using database = await createDatabase(await usePostgres(), 'modes');
    await sql(database, ...twoRows);
    const raw = rawConfig(database, { 'snapshot.mode': 'initial_only', 'snapshot.isolation.mode': isolation, 'snapshot.max.threads': '2' });
    const { records, offset } = await runFor(raw, undefined, 2);
    assert.deepEqual(ids(records), ['r 1', 'r 2']);
    assert.equal(await slots(database), 0);
    assert.equal((await sql(database, 'select from pg_publication')).rowCount, 0);
    // Its snapshot is nobody's to go on with: nothing would tell what changed since.
    assert.equal(records[0]?.sourceOffset['millrace_snapshot'], undefined);
    await using again = await runTask(raw, { offset });
    assert.deepEqual(await again.task.poll(new AbortController().signal), []);
    assert.deepEqual(
      again.logs.filter((line) => line.includes('snapshot')),
      [],
    );
  });
}

test('always reads at every start, and streams', async () => {
  await using database = await createDatabase(await usePostgres(), 'modes');
  await sql(database, ...twoRows);
  const raw = rawConfig(database, { 'snapshot.mode': 'always', 'streaming.delay.ms': '1', 'snapshot.delay.ms': '1' });
  const first = await runFor(raw, undefined, 2);
  await sql(database, 'insert into t values (3)');
  await using running = await runTask(raw, { offset: first.offset });
  await running.count(3);
  await sql(database, 'insert into t values (4)');
  assert.deepEqual(ids(await running.count(4)), ['r 1', 'r 2', 'r 3', 'c 4']);
  assert.deepEqual(running.records.map(marker), ['first', 'true', 'last', 'null']);
});

for (const what of ['gone', 'made anew'] as const) {
  test(`when_needed reads the tables anew when the slot is ${what}, and only then`, async () => {
    await using database = await createDatabase(await usePostgres(), 'modes');
    await sql(database, ...twoRows);
    const raw = rawConfig(database, {
      'snapshot.mode': 'when_needed',
      'status.update.interval.ms': '50',
      'table.include.list': 'public.t',
    });
    const first = await runFor(raw, undefined, 2);
    assert.deepEqual(ids(first.records), ['r 1', 'r 2']);
    let { offset } = first;
    {
      // Other tables' changes come and go, and are confirmed or not: the slot is the same.
      await using running = await runTask(raw, { offset: first.offset });
      await running.until(isStreaming(running));
      await sql(database, 'create table other (id int)', 'insert into other values (1)', 'insert into t values (3)');
      assert.deepEqual(ids(await running.count(1)), ['c 3']);
      running.commit();
      offset = running.position() ?? running.records.at(-1)?.sourceOffset;
    }
    await using idle = await runTask(raw, { offset });
    await idle.until(isStreaming(idle));
    assert.deepEqual(ids(idle.records), []);
    await idle[Symbol.asyncDispose]();

    await sql(database, `select pg_drop_replication_slot('${raw['slot.name']}')`, 'insert into t values (4)');
    if (what === 'made anew') await sql(database, `select pg_create_logical_replication_slot('${raw['slot.name']}', 'pgoutput')`);
    await using running = await runTask(raw, { offset });
    await running.count(4);
    await running.until(isStreaming(running));
    await sql(database, 'insert into t values (5)');
    assert.deepEqual(ids(await running.count(5)), ['r 1', 'r 2', 'r 3', 'r 4', 'c 5']);
  });
}

test('configuration_based does what its keys say', async () => {
  await using database = await createDatabase(await usePostgres(), 'modes');
  await sql(database, ...twoRows);
  const keys = (more: RawConfig): RawConfig =>
    rawConfig(database, {
      'snapshot.mode': 'configuration_based',
      ...Object.fromEntries(Object.entries(more).map(([key, value]) => [`snapshot.mode.configuration.based.${key}`, value])),
    });
  assert.deepEqual(ids((await runFor(keys({ 'snapshot.data': 'true' }), undefined, 2)).records), ['r 1', 'r 2']);
  assert.equal(await slots(database), 0);

  const both = keys({ 'snapshot.data': 'true', 'start.stream': 'true' });
  const first = await runFor(both, undefined, 2);
  assert.deepEqual(ids((await runFor(both, first.offset, 2)).records), ['r 1', 'r 2']);

  {
    const streaming = keys({ 'start.stream': 'true' });
    await using running = await runTask(streaming);
    await running.until(isStreaming(running));
    await sql(database, 'insert into t values (3)');
    assert.deepEqual(ids(await running.count(1)), ['c 3']);
  }
  await sql(database, `select pg_drop_replication_slot('${both['slot.name']}')`);
  const stream = keys({ 'start.stream': 'true' });
  await assert.rejects(runTask(stream, { offset: first.offset }), /does not exist/);
  const { records } = await runFor(keys({ 'start.stream': 'true', 'snapshot.on.data.error': 'true' }), first.offset, 3);
  assert.deepEqual(ids(records), ['r 1', 'r 2', 'r 3']);
  await assert.rejects(runTask(keys({})), /does nothing/);
});

test('a table that somebody holds for too long is said so, and tried again', async () => {
  await using database = await createDatabase(await usePostgres(), 'modes');
  await sql(database, ...twoRows);
  const blocker = sql(database, 'begin; lock table t in access exclusive mode; select pg_sleep(600)').catch(() => {});
  const held = `select from pg_locks where relation = 't'::regclass and mode = 'AccessExclusiveLock' and granted`;
  await waitFor(async () => (await sql(database, held)).rowCount === 1, 'the lock');
  const raw = rawConfig(database, {
    'snapshot.mode': 'initial_only',
    'snapshot.locking.mode': 'shared',
    'snapshot.lock.timeout.ms': '20',
    'retriable.restart.connector.wait.ms': '50',
  });
  await using running = await runTask(raw);
  await running.until(() => running.logs.some((line) => line.includes('could not lock the tables')));
  await sql(
    database,
    `select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(600)%' and pid <> pg_backend_pid() and datname = current_database()`,
  );
  await blocker;
  assert.deepEqual(ids(await running.count(2)), ['r 1', 'r 2']);
});
