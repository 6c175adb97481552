import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { OffsetMap } from '@millrace/runtime/api';

import { createDatabase, startPostgres } from '../../../test/services/postgres.ts';
import type { PostgresAddress } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { field, keyField, rawConfig, runTask, sql, waitFor } from './harness.ts';
import type { Running } from './harness.ts';

/** How far the slot is confirmed, and the end of the WAL. */
async function positions(database: PostgresAddress, slot: string): Promise<{ confirmed: number; end: number }> {
  const { rows } = await sql(
    database,
    `select (confirmed_flush_lsn - '0/0')::float8 as confirmed, (pg_current_wal_lsn() - '0/0')::float8 as end from pg_replication_slots where slot_name = '${slot}'`,
  );
  return rows[0] as { confirmed: number; end: number };
}

const quick = { 'status.update.interval.ms': '50' };

test('only what is stored is confirmed; once all of it is, an idle database holds back no WAL', async () => {
  await using database = await createDatabase(await usePostgres(), 'confirm');
  await sql(database, 'create table t (id int primary key)', 'create table other (id int)', 'insert into t values (1)');
  const raw = rawConfig(database, { ...quick, 'table.include.list': 'public.t' });
  const slot = raw['slot.name'] as string;
  await using running = await runTask(raw);
  await running.count(1);
  await running.until(() => running.logs.some((line) => line.includes('streaming from')));
  await sql(database, 'insert into t values (2)', 'insert into t values (3)');
  await running.count(3);
  const before = await positions(database, slot);
  await running.until((records) => records.length > 3, 400).catch(() => {});
  assert.equal((await positions(database, slot)).confirmed, before.confirmed, 'nothing was stored, nothing is confirmed');

  // The last record but one: the transaction before it is confirmed, no more.
  const secondLast = running.records[1];
  void running.task.committed?.([{ partition: secondLast!.sourcePartition, offset: secondLast!.sourceOffset }]);
  running.commit();
  await holdsNothingBack(running, database, slot);
  assert.equal(running.records.length, 3);
});

/** Whatever is written where the connector does not look, until the slot is confirmed beyond it. */
async function holdsNothingBack(running: Running, database: PostgresAddress, slot: string): Promise<void> {
  const { end } = await positions(database, slot);
  await waitFor(async () => {
    let polls = 0;
    await running.until(() => polls++ > 0);
    const at = Number(running.position()?.['lsn_commit'] ?? 0);
    // Stored first, in the offset topic: then it is confirmed, and not before.
    assert.ok((await positions(database, slot)).confirmed <= Math.max(at, end));
    running.commit();
    return (await positions(database, slot)).confirmed >= end;
  }, 'the WAL of others to be confirmed');
}

test('by default, writes to other tables and to other databases hold no WAL back, nor do empty tables', async () => {
  const server = await usePostgres();
  await using database = await createDatabase(server, 'idle');
  await using elsewhere = await createDatabase(server, 'elsewhere');
  await sql(database, 'create table t (id int primary key)', 'create table other (id int)');
  await sql(elsewhere, 'create table far (id int)');
  const raw = rawConfig(database, { ...quick, 'table.include.list': 'public.t' });
  const slot = raw['slot.name'] as string;
  let offset: OffsetMap | undefined;
  {
    await using running = await runTask(raw);
    await running.until(() => running.position() !== undefined);
    for (const [place, table] of [
      [database, 'other'],
      [elsewhere, 'far'],
    ] as const) {
      await sql(place, `insert into ${table} select generate_series(1, 10000)`);
      await holdsNothingBack(running, database, slot);
    }
    offset = running.position();
    assert.equal(running.records.length, 0);
  }
  // Whoever goes on from there, goes on right there.
  assert.equal(offset?.['messageType'], 'COMMIT');
  await sql(database, 'insert into t values (1)');
  await using again = await runTask(raw, { offset });
  await again.count(1);
  assert.deepEqual(
    again.records.map((record) => field(record, 'op')),
    ['c'],
  );
});

test('with heartbeats the position is stored before it is confirmed', async () => {
  await using database = await createDatabase(await usePostgres(), 'confirm');
  await sql(database, 'create table t (id int primary key)', 'create table beats (n int)', 'insert into t values (1)');
  const raw = rawConfig(database, {
    ...quick,
    'table.include.list': 'public.t',
    'heartbeat.interval.ms': '50',
    'heartbeat.action.query': 'insert into beats values (1)',
  });
  const slot = raw['slot.name'] as string;
  await using running = await runTask(raw);
  await running.until((records) => records.some(({ topic }) => topic === '__debezium-heartbeat.shop'));
  const heartbeat = running.records.at(-1);
  assert.equal(keyField(heartbeat!, 'serverName'), 'shop');
  assert.equal(typeof field(heartbeat!, 'ts_ms'), 'number');
  assert.deepEqual(heartbeat?.headers, []);
  const before = await positions(database, slot);
  await running.until((records) => Number(records.at(-1)?.sourceOffset['lsn_commit']) > before.end);
  assert.equal((await positions(database, slot)).confirmed, before.confirmed);
  const stored = Number(running.records.at(-1)?.sourceOffset['lsn_commit']);
  running.commit();
  await waitFor(async () => (await positions(database, slot)).confirmed >= stored, 'the stored position to be confirmed');
  const { rows } = await sql(database, 'select count(*)::int as count from beats');
  assert.ok((rows[0] as { count: number }).count > 0, 'heartbeat.action.query ran');
});

test('PostgreSQL dies and comes back: the task goes on, with nothing lost or repeated', async () => {
  await using server = await startPostgres({ private: true });
  await sql(server, 'create table t (id int primary key, filler text)', 'insert into t select generate_series(1, 100)');
  await using running = await runTask(rawConfig(server, { ...quick, 'retriable.restart.connector.wait.ms': '200' }));
  await running.count(100);
  await running.until(() => running.logs.some((line) => line.includes('streaming from')));
  let last = 100;
  for (const signal of ['SIGKILL', 'SIGINT', 'SIGQUIT'] as const) {
    await sql(server, `insert into t select i, repeat('x', 300) from generate_series(${last + 1}, ${last + 3000}) i`);
    await running.count(last + 1000);
    running.commit();
    if (signal === 'SIGINT') {
      await running.count(last + 3000);
      running.commit();
    }
    await server.kill(signal);
    await server.restart();
    last += 3000;
    await running.count(last);
  }
  await sql(server, `insert into t values (${last + 1})`);
  const records = await running.count(last + 1);
  assert.deepEqual(
    records.map((record) => keyField(record, 'id')),
    Array.from({ length: last + 1 }, (_, i) => i + 1),
  );
});

test('slot.drop.on.stop', async () => {
  await using database = await createDatabase(await usePostgres(), 'confirm');
  await sql(database, 'create table t (id int primary key)');
  const raw = rawConfig(database, { 'slot.drop.on.stop': 'true', 'snapshot.mode': 'no_data' });
  {
    await using running = await runTask(raw);
    await running.until(() => running.logs.some((line) => line.includes('streaming from')));
  }
  const { rows } = await sql(database, `select slot_name from pg_replication_slots where slot_name = '${raw['slot.name']}'`);
  assert.deepEqual(rows, []);
});
