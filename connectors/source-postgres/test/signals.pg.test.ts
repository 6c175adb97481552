/** Signals of other channels, blocking snapshots, and what is told of the initial one. */
import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import type { Struct } from '@millrace/runtime/api';

import { createDatabase } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { field, rawConfig, runTask, sql, waitFor } from './harness.ts';
import {
  completed,
  crashAndResume,
  drained,
  isRead,
  noticeData,
  notices,
  signal,
  signalConfig,
  signalTable,
  started,
} from './incremental-harness.ts';

test('a blocking snapshot: the stream waits, and loses nothing; crashed in the middle it is made again', async () => {
  await using database = await createDatabase(await usePostgres());
  await sql(
    database,
    signalTable,
    'create table a (id int primary key, v text); create table b (id int primary key)',
    `insert into a select g, 'v' || g from generate_series(1, 300) g; insert into b select generate_series(1, 3)`,
  );
  // So small that it has to wait for room again and again.
  const raw = signalConfig(database, { 'max.queue.size': '16', 'max.batch.size': '8' });
  let running = await runTask(raw);
  try {
    await started(running);
    const select = 'select v, id from public.a where id <= 100;';
    await signal(database, 'block', 'execute-snapshot', {
      type: 'BLOCKING',
      'data-collections': ['public.a', 'public.b'],
      'additional-conditions': [{ 'data-collection': 'public.a', filter: select }],
    });
    await running.until((records) => records.filter(isRead).length >= 50);
    const crashedAt = running.records.length;
    running = await crashAndResume(running, raw, crashedAt);
    await running.until((records) => records.slice(crashedAt).some(isRead));
    await sql(database, `update a set v = 'new' where id = 7`, 'insert into b values (4)');
    await running.until(() => running.logs.some((line) => line.includes('the stream goes on')));
    await drained(running, database);

    const again = running.records.slice(crashedAt);
    const reads = again.filter(isRead);
    assert.deepEqual(
      reads.map((record) => field(record, 'after', 'id')),
      [...Array.from({ length: 100 }, (_, i) => i + 1), 1, 2, 3, ...(reads.length > 103 ? [4] : [])],
    );
    const markers = reads.map((record) => field(record, 'source', 'snapshot'));
    assert.deepEqual(
      [markers[0], markers[1], markers[99], markers[100], markers.at(-1)],
      ['first', 'true', 'last_in_data_collection', 'first_in_data_collection', 'last'],
    );
    assert.ok(again.some((record) => record.topic === 'shop.public.a' && field(record, 'op') === 'u'));
    assert.ok(again.some((record) => record.topic === 'shop.public.b' && field(record, 'op') === 'c'));
    assert.equal(again.at(-1)?.sourceOffset['millrace_signals'], undefined);
  } finally {
    await running[Symbol.asyncDispose]();
  }
});

test('a signal whose own record was stored, and nothing after it, is not lost', async () => {
  await using database = await createDatabase(await usePostgres());
  await sql(database, signalTable, 'create table t (id int primary key)', 'insert into t select generate_series(1, 5)');
  const raw = signalConfig(database);
  let running = await runTask(raw);
  try {
    await started(running);
    await signal(database, 'one', 'execute-snapshot', { 'data-collections': ['public.t'] });
    await running.until((records) => records.some(({ topic }) => topic === 'shop.public.signals'));
    const own = running.records.findIndex(({ topic }) => topic === 'shop.public.signals');
    running = await crashAndResume(running, raw, own + 1);
    await completed(running);
    assert.equal(running.records.filter(isRead).length, 5);
  } finally {
    await running[Symbol.asyncDispose]();
  }
});

test('signals of a file, without a signal table; what is no signal is told of', async () => {
  await using database = await createDatabase(await usePostgres());
  await sql(database, 'create table t (id int primary key)', 'insert into t select generate_series(1, 5)');
  const folder = await mkdtemp(join(tmpdir(), 'millrace-signals-'));
  try {
    const file = join(folder, 'signals.txt');
    const raw = rawConfig(database, {
      'snapshot.mode': 'no_data',
      'signal.enabled.channels': 'file,jmx',
      'signal.file': file,
      'signal.poll.interval.ms': '20',
      'status.update.interval.ms': '50',
      'notification.enabled.channels': 'sink,log,jmx',
      'notification.sink.topic.name': 'notices',
    });
    let running = await runTask(raw);
    await using _ = { [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
    await started(running);
    const lines = [
      '{"id":"1","type":"log","data":{"message":"here is {}"}}',
      'not json',
      '{"id":"2","type":"dance","data":{}}',
      '{"id":"3","type":"execute-snapshot","data":{"data-collections":["public.t"]}}',
    ];
    await writeFile(file, `${lines.join('\n')}\n`);
    // Nothing is stored of it at the crash: all is read again.
    await running.until(() => running.logs.some((line) => line.includes('of type dance')));
    running = await crashAndResume(running, raw, 0);
    await completed(running);
    assert.equal(running.records.filter(isRead).length, 5);
    assert.equal(await readFile(file, 'utf8'), `${lines.join('\n')}\n`);
    await appendFile(file, '{"id":"4","type":"log","data":{"message":"added {}"}}\n');
    await running.until(() => running.logs.some((line) => line.includes('info: added')));
    // An idle stream, but there is something to be stored.
    const emptied = async (): Promise<void> =>
      waitFor(async () => {
        let polls = 0;
        await running.until(() => polls++ > 0);
        running.commit();
        return (await readFile(file, 'utf8')) === '';
      }, 'the file to be emptied');
    await emptied();
    assert.equal(running.logs.filter((line) => line.includes('info: here is')).length, 1);
    await sql(database, 'insert into t values (6)');
    await running.until((records) => records.some((record) => record.topic === 'shop.public.t' && field(record, 'op') === 'c'));
    assert.equal(running.records.at(-1)?.sourceOffset['millrace_signal_file'], undefined);

    // The offset is stored, and then the crash comes before the file can be emptied.
    const said = [...running.logs];
    const [first = ''] = lines;
    await writeFile(file, first);
    await running.until(() => String(running.position()?.['millrace_signal_file']).startsWith(`${first.length}:`));
    const offset = running.position();
    await running[Symbol.asyncDispose]();
    running = await runTask(raw, { offset });
    await appendFile(file, '\n{"id":"5","type":"log","data":{"message":"only this {}"}}');
    await running.until(() => running.logs.some((line) => line.includes('only this')));
    assert.ok(!running.logs.some((line) => line.includes('info: here is')));
    await emptied();
    for (const text of [
      /info: here is \{.*\}/,
      /warn: a line of the signal file .* is left out: it is not JSON/,
      /warn: signal "2" of type dance is left out: its type is not known/,
      /warn: signal.enabled.channels: there is no channel "jmx" here/,
      /warn: notification.enabled.channels: there is no channel "jmx" here/,
      /info: notification: Incremental Snapshot COMPLETED/,
    ])
      assert.match(said.join('\n'), text);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('the initial snapshot leaves the signal table out, and tells what it does', async () => {
  await using database = await createDatabase(await usePostgres());
  await sql(
    database,
    signalTable,
    `insert into signals values ('old', 'log', '{}')`,
    'create table t (id int primary key)',
    'insert into t values (1), (2)',
  );
  await using running = await runTask(signalConfig(database, { 'snapshot.mode': 'initial' }));
  await running.until((records) => notices(records, 'COMPLETED').length === 1);
  assert.deepEqual(
    notices(running.records).map((notice: Struct) => [
      notice.get('type'),
      noticeData(notice, 'current_collection_in_progress') ?? noticeData(notice, 'total_rows_scanned'),
    ]),
    [
      ['STARTED', undefined],
      ['IN_PROGRESS', 'public.t'],
      ['TABLE_SCAN_COMPLETED', '2'],
      ['COMPLETED', undefined],
    ],
  );
  assert.equal(running.records.filter(isRead).length, 2);
  assert.equal(running.records.at(-1)?.sourceOffset['snapshot_completed'], true);
});

test('a signal table that may not be written to: chunks go without marks', async () => {
  await using database = await createDatabase(await usePostgres());
  const role = `reader_${database.database}`;
  await sql(
    database,
    signalTable,
    'create table t (id int primary key)',
    'insert into t select generate_series(1, 50)',
    'create publication pub for table t, signals',
    `create role ${role} login replication password 'secret'; grant select on t, signals to ${role}`,
  );
  try {
    const raw = signalConfig(database, { 'database.user': role, 'database.password': 'secret', 'publication.autocreate.mode': 'disabled' });
    await using running = await runTask(raw);
    await started(running);
    await signal(database, 'one', 'execute-snapshot', { 'data-collections': ['public.t'] });
    await completed(running);
    assert.equal(running.records.filter(isRead).length, 50);
    assert.ok(running.logs.some((line) => line.includes('chunks are not marked')));
  } finally {
    const slot = `slot_${database.database}`;
    await waitFor(async () => {
      const { rows } = await sql(database, `select active from pg_replication_slots where slot_name = '${slot}'`);
      return rows.every((row: { active: boolean }) => !row.active);
    }, 'the slot');
    await sql(database, `drop owned by ${role}; drop role ${role}`);
  }
});
