/** Debezium's recordings of signals, incremental and blocking snapshots, and ours of the same. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import type { TopicFollowing } from '@millrace/runtime/api';

import { openTestLog } from '../../../test/contract/embedded-test-log.ts';
import { batchOf } from '../../../test/contract/log-fixture.ts';
import { createDatabase, startPostgres } from '../../../test/services/postgres.ts';
import type { PostgresServer, Database } from '../../../test/services/postgres.ts';
import { followTopic } from '../../../runtime/worker/topic-follower.ts';
import { asMessage, connectorConfig, convertersOf, differences, recorded, script } from './fixtures.ts';
import type { Message } from './fixtures.ts';
import { rawConfig, runTask, sql } from './harness.ts';
import type { RunOptions, Running } from './harness.ts';

/** The version on which Debezium was recorded. */
let server: PostgresServer;
before(async () => void (server = await startPostgres({ version: '15' })));
after(() => server[Symbol.asyncDispose]());

const silent = { debug() {}, info() {}, warn() {}, error() {} };

async function start(name: string, database: Database, more: Record<string, string> = {}, options: RunOptions = {}) {
  const config = connectorConfig(name);
  const own = Object.fromEntries(
    Object.entries(rawConfig(database)).filter(([key]) => key.startsWith('database.') || key === 'slot.name' || key.includes('retr')),
  );
  const running = await runTask({ ...config, ...own, ...more }, options);
  const converter = convertersOf(config);
  return { running, messages: (): Message[] => running.records.map((record) => asMessage(record, converter)) };
}

type Payload = Record<string, unknown> & { source?: Record<string, unknown>; after?: Record<string, unknown> };
const payloadOf = (message: Message): Payload => (message.value as { payload?: Payload } | null)?.payload ?? {};
const notified = (running: Running, id: string, type: string): boolean =>
  running.records.some(({ topic, value }) => {
    const struct = value as { get(name: string): unknown } | null;
    return topic.endsWith('.notifications') && struct?.get('id') === id && struct.get('type') === type;
  });

/** What differs in every run, made the same: ids that are random, and times. */
function settled(message: Message): Message {
  const text = JSON.stringify(message, (key, value: unknown) => {
    if (key === 'timestamp') return 'a time';
    return value;
  });
  const random = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g;
  return JSON.parse(text.replace(random, 'an id').replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'a time')) as Message;
}

function compare(expected: readonly Message[], found: readonly Message[]): string[] {
  const [theirs, ours] = [expected, found].map((messages) => Map.groupBy(messages.map(settled), ({ topic }) => topic)) as [
    Map<string, Message[]>,
    Map<string, Message[]>,
  ];
  return [...new Set([...theirs.keys(), ...ours.keys()])].flatMap((topic) => {
    const [left, right] = [theirs.get(topic) ?? [], ours.get(topic) ?? []];
    const count = left.length === right.length ? [] : [`${topic}: ${left.length} expected, ${right.length} found`];
    return [...count, ...left.flatMap((message, i) => (right[i] === undefined ? [] : differences(message, right[i], `${topic}[${i}]`)))];
  });
}

test('signals of the table: incremental, with a condition, with a surrogate key, blocking', async () => {
  await using database = await createDatabase(server);
  const [setup, statements] = script('signals_incremental_snapshot').split('-- while streaming') as [string, string];
  await sql(database, setup.replace('-- before', ''));
  const { running, messages } = await start('signals_incremental_snapshot', database);
  await using _running = running;
  await running.until(() => running.logs.some((line) => line.includes('streaming from')));

  const ends: Record<string, () => boolean> = {
    'inc-1': () => notified(running, 'inc-1', 'COMPLETED'),
    'inc-2': () => notified(running, 'inc-2', 'COMPLETED'),
    'inc-3': () => notified(running, 'inc-3', 'COMPLETED'),
    'blk-1': () => running.logs.some((line) => line.includes('blocking snapshot: done')),
  };
  for (const statement of statements.split(/SELECT pg_sleep\(\d\);/)) {
    if (statement.trim() === '') continue;
    await sql(database, statement);
    const end = Object.entries(ends).find(([id]) => statement.includes(`'${id}'`))?.[1];
    if (end !== undefined) await running.until(end);
  }
  await running.until((records) => records.some(({ key }) => (key as { get(name: string): unknown } | null)?.get('id') === 'stop-1'));

  const expected = recorded('signals_incremental_snapshot');
  // Of a table without a key Debezium keeps one row a chunk.
  const keyless = (message: Message): boolean => message.topic === 'rbg1.sig.nopk';
  const found = compare(
    expected.filter((message) => !keyless(message)),
    messages().filter((message) => !keyless(message)),
  );
  assert.deepEqual(found, []);
  const rows = messages().filter(keyless);
  assert.deepEqual(
    rows.map((message) => payloadOf(message).after?.['v']),
    ['n1', 'n2', 'n3'],
  );
  const last = expected.filter(keyless)[0] as Message;
  assert.deepEqual(compare([last], [rows[2] as Message]), []);
});

test('read-only: signals of the topic, and nothing written to the database', async () => {
  await using database = await createDatabase(server);
  await using opened = await openTestLog();
  const { log } = opened;
  const name = 'readonly_incremental_kafka_signal_heartbeat';
  await sql(database, script('signals_incremental_snapshot').split('-- while streaming')[0]?.replace('-- before', '') ?? '');
  await sql(database, "update sig.t1 set v = 'upd' where id = 3");
  await log.createTopics([{ name: 'rbg2-signal', partitions: 1 }]);
  const followed = (following: TopicFollowing) => followTopic(log, following, 'signals', silent);
  const { running, messages } = await start(name, database, {}, { context: { followTopic: followed } });
  await using _running = running;
  await running.until(() => running.logs.some((line) => line.includes('streaming from')));
  await using producer = await log.openProducer({ clientId: 'test' });
  const request = '{"data-collections":["sig.t1"],"type":"INCREMENTAL"}';
  const send = (key: string, id: string) =>
    producer.append([batchOf('rbg2-signal', 0, [{ key, value: `{"type":"execute-snapshot","id":"${id}","data":${request}}` }])]);
  await send('another', 'k-0');
  for (const id of ['k-1', 'k-2']) {
    await send('rbg2', id);
    await running.until(() => notified(running, id, 'COMPLETED'));
  }
  const aside = (message: Message): boolean => message.topic.startsWith('__debezium-heartbeat') || message.topic === 'rbg2.sig.hb';
  const found = compare(
    recorded(name).filter((message) => !aside(message)),
    messages().filter((message) => !aside(message)),
  );
  assert.deepEqual(found, []);
});

test('a table without a key: every row with a surrogate key, none without', async () => {
  await using database = await createDatabase(server);
  await sql(
    database,
    'create schema inc; create table inc.nopk (k int, v text); create table inc.nopk_full (k int, v text)',
    'alter table inc.nopk_full replica identity full',
    "insert into inc.nopk select g, 'v' || g from generate_series(1, 20) g; insert into inc.nopk_full select k, v from inc.nopk",
    'create table inc.sig (id varchar(42) primary key, type varchar(32) not null, data varchar(2048) null)',
  );
  const { running, messages } = await start('incremental_keyless', database, { 'notification.enabled.channels': 'log' });
  await using _running = running;
  await running.until(() => running.logs.some((line) => line.includes('streaming from')));
  let ended = 0;
  for (const statement of script('incremental_keyless')
    .split('-- while streaming')[1]
    ?.split(/select pg_sleep\(\d\);/) ?? []) {
    if (statement.trim() === '') continue;
    await sql(database, statement);
    ended++;
    await running.until(() => running.logs.filter((line) => line.includes('Incremental Snapshot COMPLETED')).length === ended);
  }
  assert.ok(running.logs.some((line) => line.includes('inc.nopk_full has no primary key')));

  const expected = recorded('incremental_keyless');
  const rows = messages().filter(({ topic }) => topic === 'rbinc.inc.nopk');
  assert.deepEqual(
    rows.map((message) => payloadOf(message).after?.['v']),
    Array.from({ length: 20 }, (_, i) => `v${i + 1}`),
  );
  assert.deepEqual(
    compare(
      expected.filter(({ topic }) => topic === 'rbinc.inc.nopk'),
      rows.slice(-1),
    ),
    [],
  );
  assert.deepEqual(
    messages().filter(({ topic }) => topic === 'rbinc.inc.nopk_full'),
    [],
  );
});
