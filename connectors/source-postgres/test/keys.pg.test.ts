/** Keys that no other test is about, most of them on one database. */
import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import type { SourceRecord, TopicFollowing } from '@millrace/runtime/api';

import { createDatabase } from '../../../test/services/postgres.ts';
import type { Database } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { checkConnector } from '../../../runtime/plugins/check-connector.ts';
import { discoverPlugins } from '../../../runtime/plugins/plugin-index.ts';
import { createConnector, endClient } from '../connection/connection.ts';
import { configValues, field, keyField, rawConfig, runTask, sql, waitFor } from './harness.ts';
import type { RawConfig, Running } from './harness.ts';

let database: Database;
before(async () => {
  database = await createDatabase(await usePostgres(), 'keys');
  await sql(
    database,
    'create schema audit; create schema shop',
    'create table audit.t (id int primary key); create table shop.t (id int primary key); create table shop.other (id int primary key)',
    'insert into audit.t values (1); insert into shop.t values (1); insert into shop.other values (1)',
    // 6 MB that a snapshot reads, or a stream.
    'create table big (id int primary key, filler text)',
    `insert into big select i, repeat('x', 1000) from generate_series(1, 6000) i`,
  );
});
after(async () => database?.[Symbol.asyncDispose]());

/** A slot and a publication of its own for each task. */
const raw = (name: string, more: RawConfig): RawConfig =>
  rawConfig(database, { 'slot.name': `${name}_${database.database}`, 'publication.name': name, ...more });
const streaming = (running: Running): Promise<SourceRecord[]> =>
  running.until(() => running.logs.some((line) => line.includes('streaming from')));
const shown = ({ records }: Running): string[] => records.map((record) => `${record.topic} ${String(keyField(record, 'id'))}`);

test('schema.exclude.list, snapshot.include.collection.list, extended.headers.enabled', async () => {
  const config = raw('lists', {
    'schema.exclude.list': 'AUDIT,pub.*',
    'snapshot.include.collection.list': 'SHOP.t',
    'extended.headers.enabled': 'false',
  });
  await using running = await runTask(config);
  await streaming(running);
  await sql(database, 'insert into audit.t values (2); insert into shop.t values (2); insert into shop.other values (2)');
  await running.count(3);
  assert.deepEqual(shown(running), ['shop.shop.t 1', 'shop.shop.t 2', 'shop.shop.other 2']);
  assert.deepEqual(
    running.records.map(({ headers }) => headers),
    [[], [], []],
  );
  const { rows } = await sql(database, `select schemaname from pg_publication_tables where pubname = 'lists' group by 1`);
  assert.deepEqual(rows, [{ schemaname: 'shop' }]);
});

test('message.prefix.include.list and message.prefix.exclude.list', async () => {
  const tables = { 'table.include.list': 'shop.t', 'snapshot.mode': 'no_data' };
  await using included = await runTask(raw('included', { ...tables, 'message.prefix.include.list': 'OUT.*, last' }));
  await using excluded = await runTask(raw('excluded', { ...tables, 'message.prefix.exclude.list': 'OUT.*' }));
  await Promise.all([streaming(included), streaming(excluded)]);
  for (const [prefix, transactional] of [
    ['outbox', true],
    ['no_out', true],
    ['outside', false],
    ['no_box', false],
    ['last', true],
  ] as const)
    await sql(database, `select pg_logical_emit_message(${transactional}, '${prefix}', 'x')`);
  const prefixes = async (running: Running): Promise<unknown[]> => {
    const prefixOf = (record: SourceRecord): unknown => field(record, 'message', 'prefix');
    await running.until((records) => records.some((record) => prefixOf(record) === 'last'));
    return running.records.map(prefixOf);
  };
  assert.deepEqual(await prefixes(included), ['outbox', 'outside', 'last']);
  assert.deepEqual(await prefixes(excluded), ['no_out', 'no_box', 'last']);
});

test('max.batch.size', async () => {
  await using running = await runTask(raw('batches', { 'table.include.list': 'public.big', 'max.batch.size': '7' }));
  const sizes = new Set<number>();
  for (let read = 0; read < 6000;) {
    const { length } = await running.task.poll(new AbortController().signal);
    sizes.add(length);
    read += length;
  }
  assert.equal(Math.max(...sizes), 7);
});

test('max.queue.size, max.queue.size.in.bytes: while nobody polls, neither a snapshot nor a stream goes on reading', async () => {
  const start = async (name: string, more: RawConfig) => {
    const waiting: number[] = [];
    const setFigure = (figure: string, value: number): void => {
      if (figure === 'debezium_metrics_CurrentQueueSizeInBytes') waiting.push(value);
    };
    const config = raw(name, { 'table.include.list': 'public.big', ...more });
    return Object.assign(await runTask(config, { context: { setFigure } }), { waiting });
  };
  await using records = await start('records', { 'max.queue.size': '20' });
  await using bytes = await start('bytes', { 'max.queue.size.in.bytes': '20000' });
  // The figures are put each second: whoever would read on had the time for it.
  const looks = async ({ waiting }: typeof bytes, more: number): Promise<void> => {
    const wanted = waiting.length + more;
    await waitFor(() => waiting.length >= wanted, 'figures', 60_000);
  };
  await Promise.all([looks(records, 2), looks(bytes, 2)]);
  for (const running of [records, bytes]) {
    await running.count(6000, 60_000);
    await streaming(running);
  }
  await sql(database, 'update big set id = -id');
  await Promise.all([looks(records, 2), looks(bytes, 2)]);
  for (const running of [records, bytes]) {
    // Each key that changes is a delete, a tombstone and a create.
    await running.count(6000 + 18_000, 60_000);
    // What came with one read of the socket is taken in.
    const most = Math.max(...running.waiting);
    assert.ok(most >= 15_000 && most < 1_000_000, String(running.waiting));
  }
});

test('poll.interval.ms: whoever waits less has done so first', async () => {
  const none = { 'table.include.list': 'shop.t', 'snapshot.mode': 'no_data' };
  await using slow = await runTask(raw('slow', { ...none, 'poll.interval.ms': '1000' }));
  await using quick = await runTask(raw('quick', { ...none, 'poll.interval.ms': '1' }));
  const done: string[] = [];
  const polled = async (name: string, { task }: Running): Promise<void> => {
    assert.deepEqual(await task.poll(new AbortController().signal), []);
    done.push(name);
  };
  await Promise.all([polled('slow', slow), polled('quick', quick)]);
  assert.deepEqual(done, ['quick', 'slow']);
});

test('database.tcpKeepAlive, of either kind of connection', async (t) => {
  const keepAlive = t.mock.method(Socket.prototype, 'setKeepAlive');
  const asked = async (more: RawConfig): Promise<number> => {
    const before = keepAlive.mock.callCount();
    const connector = createConnector(configValues(raw('alive', { 'database.sslmode': 'disable', ...more })));
    await endClient(await connector.connect());
    await endClient(await connector.connectReplication());
    return keepAlive.mock.calls.slice(before).filter(({ arguments: [wanted] }) => wanted === true).length;
  };
  assert.deepEqual([await asked({}), await asked({ 'database.tcpKeepAlive': 'false' })], [2, 0]);
});

test('signal.kafka.groupId and signal.kafka.topic: what the log is asked to follow', async () => {
  const asked: Pick<TopicFollowing, 'topic' | 'group'>[] = [];
  const followTopic = async ({ topic, group }: TopicFollowing): Promise<void> => void asked.push({ topic, group });
  const kafka = { 'table.include.list': 'shop.t', 'snapshot.mode': 'no_data', 'signal.enabled.channels': 'kafka' };
  for (const more of [{}, { 'signal.kafka.groupId': 'mine', 'signal.kafka.topic': 'orders-signal' }]) {
    await using _ = await runTask(raw('signals', { ...kafka, ...more }), { context: { followTopic } });
  }
  assert.deepEqual(asked, [
    { topic: 'shop-signal', group: 'kafka-signal' },
    { topic: 'orders-signal', group: 'mine' },
  ]);
});

test('a task that is stopped while it starts leaves no connection behind', async () => {
  for (let round = 0; round < 8; round++) {
    await using _ = await runTask(raw('short', { 'table.include.list': 'shop.t', 'snapshot.mode': 'no_data' }));
    await sleep(round);
  }
  const left = `select from pg_stat_activity where datname = current_database() and application_name = 'millrace'`;
  await waitFor(async () => (await sql(database, left)).rowCount === 0, 'the last connection to be gone');
});

test('a masked column of a key is pointed out at validation, which passes all the same', async () => {
  const config = {
    name: 'masks',
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    ...raw('masks', { 'column.mask.hash.SHA-256.with.salt.hunter2': 'masked.*', 'message.key.columns': 'masked.b:y,x' }),
  };
  await sql(
    database,
    'create schema masked; create table masked.a (id text primary key, other text)',
    'create table masked.b (x text, y text, z text); create table masked.c (id int primary key)',
  );
  const { infos } = await checkConnector({ ...config, 'column.truncate.to.2.chars': 'none' }, await discoverPlugins());
  assert.equal(infos.error_count, 0);
  assert.deepEqual(
    infos.warnings?.map((text) => /^column (\S+) is to be masked or cut, but is part of the key/.exec(text)?.[1]),
    ['masked.a.id', 'masked.b.y', 'masked.b.x', 'masked.c.id'],
  );
  const { infos: others } = await checkConnector({ ...config, 'table.include.list': 'shop.t' }, await discoverPlugins());
  assert.equal('warnings' in others, false);
});
