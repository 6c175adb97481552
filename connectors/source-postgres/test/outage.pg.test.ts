import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startTcpFaultProxy } from '../../../test/chaos/tcp-fault-proxy.ts';
import { createDatabase, startPostgres } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { keyField, rawConfig, runTask, sql } from './harness.ts';
import type { Running } from './harness.ts';
import { streamParams } from '../config/stream-params.ts';

const quick = { 'status.update.interval.ms': '50', 'retriable.restart.connector.wait.ms': '200' };

const ids = ({ records }: Running): unknown[] => records.map((record) => keyField(record, 'id'));
const upTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);

test('a network that is cut, and one that swallows everything, is noticed and outlived; nothing is lost or repeated', async () => {
  await using database = await createDatabase(await usePostgres(), 'cut');
  await using proxy = await startTcpFaultProxy(database);
  await sql(database, 'create table t (id int primary key)', 'insert into t values (1)');
  const raw = rawConfig(database, { ...quick, 'database.port': String(proxy.port), 'connection.validation.timeout.ms': '1000' });
  await using running = await runTask(raw);
  const streams = (): number => running.logs.filter((line) => line.includes('streaming from')).length;
  await running.until(() => streams() === 1);
  let last = 1;
  const write = async (): Promise<void> => {
    await sql(database, `insert into t select generate_series(${last + 1}, ${last + 500})`);
    last += 500;
  };
  await write();
  await running.count(last - 200);
  proxy.cut();
  await write();
  await running.count(last);
  assert.ok(streams() >= 2);

  proxy.set('stall');
  await write();
  await running.until(() => /the server has said nothing for \d+ ms.*try \d+ comes at/.test(running.notes.at(-1) ?? ''));
  proxy.set('refuse');
  await running.until(() => /ECONNREFUSED|ECONNRESET|Connection terminated|has said nothing/.test(running.notes.at(-1) ?? ''));
  proxy.set('pass');
  await running.count(last);
  await running.until(() => running.notes.at(-1) === undefined);
  assert.deepEqual(ids(running), upTo(last));
});

test('errors.max.retries ends it; the cause is in the error', async () => {
  await using database = await createDatabase(await usePostgres(), 'retries');
  await using proxy = await startTcpFaultProxy(database);
  await sql(database, 'create table t (id int primary key)');
  await using running = await runTask(rawConfig(database, { ...quick, 'database.port': String(proxy.port), 'errors.max.retries': '2' }));
  await running.until(() => running.logs.some((line) => line.includes('streaming from')));
  proxy.set('refuse');
  await assert.rejects(
    running.until(() => false),
    /It did not pass in 2 further tries \(errors.max.retries\)/,
  );
});

test('a walsender that is ended, over and over', async () => {
  await using database = await createDatabase(await usePostgres(), 'terminated');
  await sql(database, 'create table t (id int primary key, filler text)');
  const raw = rawConfig(database, quick);
  await using running = await runTask(raw);
  const streams = (): number => running.logs.filter((line) => line.includes('streaming from')).length;
  let last = 0;
  for (let round = 1; round <= 4; round++) {
    await running.until(() => streams() >= round);
    await sql(
      database,
      `insert into t select i, repeat('x', 500) from generate_series(${last + 1}, ${last + 4000}) i`,
      `select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = '${raw['slot.name']}' and active`,
    );
    last += 4000;
    if (round % 2 === 0) running.commit();
  }
  await running.count(last);
  assert.deepEqual(ids(running), upTo(last));
});

test('database.initial.statements, slot.stream.params, and a query that takes too long', async () => {
  await using database = await createDatabase(await usePostgres(), 'keys');
  await sql(database, 'create table t (id int primary key)', 'create table said (what text)');
  const raw = rawConfig(database, {
    ...quick,
    'database.initial.statements': `insert into said values ('one'); insert into said values ('a;;b')`,
    'slot.stream.params': 'messages=false; proto_version=1',
    'table.include.list': 'public.t',
    'database.query.timeout.ms': '500',
    'heartbeat.interval.ms': '100',
    'heartbeat.action.query': 'select pg_sleep(3600)',
  });
  await using running = await runTask(raw);
  await running.until(() => running.logs.some((line) => line.includes('streaming from')));
  const { rows } = await sql(database, 'select distinct what from said order by 1');
  assert.deepEqual(
    rows.map((row) => (row as { what: string }).what),
    ['a;b', 'one'],
  );
  await sql(database, `select pg_logical_emit_message(true, 'p', 'not wanted')`, 'insert into t values (1)');
  const rowsAndMessages = () => running.records.filter(({ topic }) => !topic.startsWith('__debezium-heartbeat'));
  await running.until(() => rowsAndMessages().length === 1);
  assert.deepEqual(
    rowsAndMessages().map(({ topic }) => topic),
    ['shop.public.t'],
  );
  await running.until(() =>
    running.logs.some((line) => /heartbeat.action.query: Query read timeout.*database.query.timeout.ms/.test(line)),
  );
  assert.throws(() => streamParams('binary=true'), /slot.stream.params: binary can only be false/);
  assert.throws(() => streamParams('add-tables=a'), /add-tables is no option of pgoutput/);
});

test('PostgreSQL 15: an idle database, a slot that is lost, slot.failover', async () => {
  await using server = await startPostgres({ version: '15' });
  await sql(server, 'create table t (id int primary key)', 'create table other (id int)', 'insert into t values (1)');
  const raw = rawConfig(server, { ...quick, 'table.include.list': 'public.t', 'slot.failover': 'true' });
  await using running = await runTask(raw);
  await running.count(1);
  assert.ok(running.logs.some((line) => /warn: slot.failover is set, but PostgreSQL 15 has no failover slots/.test(line)));
  await running.until(() => running.logs.some((line) => line.includes('streaming from')));
  await sql(server, 'insert into other select generate_series(1, 10000)');
  const { rows } = await sql(server, `select (pg_current_wal_lsn() - '0/0')::float8 as end`);
  const { end } = rows[0] as { end: number };
  await running.until(() => {
    running.commit();
    return Number(running.position()?.['lsn_commit'] ?? 0) >= end;
  });
  await server.kill();
  await server.restart();
  await sql(server, 'insert into t values (2)');
  await running.count(2);
  await sql(server, `select pg_terminate_backend(active_pid) from pg_replication_slots`);
  await sql(server, 'drop publication pub');
  await assert.rejects(
    running.until(() => false),
    /publication "pub" was dropped/,
  );
});
