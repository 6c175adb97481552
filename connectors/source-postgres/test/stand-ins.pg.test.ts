import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { SourceRecord } from '@millrace/runtime/api';

import { createDatabase } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import type { PostgresAddress } from '../../../test/services/postgres.ts';
import { field, rawConfig, runTask, sql } from './harness.ts';
import type { RawConfig } from './harness.ts';
import { isRead, signal, signalConfig, signalTable, started } from './incremental-harness.ts';

const big = 'array(select g from generate_series(1, 3000) g)::numeric[]';
const named = ({ headers }: SourceRecord): unknown => headers.find(({ key }) => key === '__millrace.unavailable')?.value;
const ofTable = (records: readonly SourceRecord[]): SourceRecord[] => records.filter(({ topic }) => topic.endsWith('.public.t'));
const streaming = (logs: readonly string[]) => (): boolean => logs.some((line) => /streaming from/.test(line));

async function toasted(database: PostgresAddress): Promise<void> {
  await sql(
    database,
    'create table t (id int primary key, n int, nums numeric[], doc text, note text)',
    'alter table t alter nums set storage external, alter doc set storage external',
    `insert into t values (1, 1, ${big}, repeat('x', 9000)), (2, 1, ${big}, null)`,
  );
}

async function updated(database: PostgresAddress, more: RawConfig, change = 'update t set n = 2 where id = 1'): Promise<SourceRecord> {
  await using task = await runTask(rawConfig(database, { 'snapshot.mode': 'no_data', 'table.include.list': 'public.t', ...more }));
  await task.until(streaming(task.logs));
  await sql(database, change);
  const records = await task.until((all) => ofTable(all).length > 0);
  return ofTable(records)[0] as SourceRecord;
}

test('a header names the large values that did not come, and that nothing else shows', async () => {
  await using database = await createDatabase(await usePostgres());
  await toasted(database);
  const record = await updated(database, {});
  assert.deepEqual(named(record), ['nums']);
  assert.equal(field(record, 'after', 'nums'), null);
  assert.equal(field(record, 'after', 'doc'), '__debezium_unavailable_value');
  assert.deepEqual(named(await updated(database, { 'millrace.unavailable.header': 'all' })), ['nums', 'doc']);
  assert.equal(named(await updated(database, { 'debezium.bug.compatible': 'true' })), undefined);
});

const reselect = {
  'post.processors': 'again',
  'again.type': 'io.debezium.processors.reselect.ReselectColumnsPostProcessor',
};

test('a post-processor reads them again, and the header is gone', async () => {
  await using database = await createDatabase(await usePostgres());
  await toasted(database);
  const record = await updated(database, { ...reselect, 'again.reselect.null.values': 'false' });
  assert.equal((field(record, 'after', 'nums') as unknown[]).length, 3000);
  assert.equal(field(record, 'after', 'doc'), 'x'.repeat(9000));
  assert.equal(field(record, 'after', 'note'), null);
  assert.equal(named(record), undefined);

  const some = await updated(database, { ...reselect, 'again.reselect.columns.include.list': 'public.t:doc' });
  assert.equal(field(some, 'after', 'doc'), 'x'.repeat(9000));
  assert.deepEqual(named(some), ['nums']);
});

test('a row that is gone by then goes out as it is, or fails the task', async () => {
  await using database = await createDatabase(await usePostgres());
  await toasted(database);
  const gone = 'begin; update t set n = 2 where id = 1; delete from t where id = 1; commit';
  assert.equal(field(await updated(database, reselect, gone), 'after', 'doc'), '__debezium_unavailable_value');
  await assert.rejects(
    updated(database, { ...reselect, 'again.reselect.error.handling.mode': 'fail' }, gone.replaceAll('id = 1', 'id = 2')),
    /post-processor again: no row of public\.t has the key id=\d any more/,
  );
});

async function nan(
  more: RawConfig,
): Promise<readonly [records: SourceRecord[], logs: readonly string[], figures: ReadonlyMap<string, number>]> {
  await using database = await createDatabase(await usePostgres());
  await sql(database, 'create table t (id int primary key, n numeric(10,2) not null, m numeric)');
  await sql(database, "insert into t values (1, 'NaN', null)");
  await using task = await runTask(rawConfig(database, { 'table.include.list': 'public.t', ...more }));
  await task.until(streaming(task.logs));
  await sql(database, "insert into t values (2, 'NaN', 'NaN'), (3, 1.5, 2)");
  const records = await task.until((all) => ofTable(all).some((one) => field(one, 'after', 'id') === 3));
  const { figures } = task;
  // Put once more at the end.
  await task[Symbol.asyncDispose]();
  return [ofTable(records), task.logs, figures];
}

test('NaN where a decimal must be: a stand-in that a header names, the row left out, or the task ended', async () => {
  const [records, logs] = await nan({});
  assert.deepEqual(
    records.map((record) => [field(record, 'after', 'id'), String(field(record, 'after', 'n')), named(record)]),
    [
      [1, '0.00', ['n']],
      [2, '0.00', ['n']],
      [3, '1.50', undefined],
    ],
  );
  assert.equal(field(records[1] as SourceRecord, 'after', 'm'), null);
  assert.ok(logs.some((line) => /warn: column public\.t\.n holds NaN or an infinity.*its default is written/.test(line)));
  assert.ok(logs.some((line) => /warn: column public\.t\.m holds NaN or an infinity.*null is written/.test(line)));

  const [left, , figures] = await nan({ 'event.processing.failure.handling.mode': 'warn' });
  assert.equal(figures.get('debezium_metrics_NumberOfErroneousEvents'), 1);
  assert.deepEqual(
    left.map((record) => field(record, 'after', 'id')),
    [3],
  );
  await assert.rejects(nan({ 'debezium.bug.compatible': 'true' }), /null used for required field: "n"/);
  await assert.rejects(nan({ 'event.converting.failure.handling.mode': 'fail' }), /Set decimal\.handling\.mode=string/);
});

/** The rows of a snapshot that a signal asked for: id, the decimal, and what the header names. */
async function nanRead(type: string, more: RawConfig): Promise<readonly (readonly unknown[])[]> {
  await using database = await createDatabase(await usePostgres());
  await sql(
    database,
    signalTable,
    'create table t (id int primary key, n numeric(10,2) not null)',
    "insert into t values (1, 1.5), (2, 'NaN'), (3, 2.5)",
  );
  await using task = await runTask(signalConfig(database, more));
  await started(task);
  await signal(database, 'one', 'execute-snapshot', { type, 'data-collections': ['public.t'] });
  const records = await task.until((all) => ofTable(all).some((one) => field(one, 'after', 'id') === 3));
  return ofTable(records)
    .filter(isRead)
    .map((record) => [field(record, 'after', 'id'), String(field(record, 'after', 'n')), named(record)]);
}

for (const type of ['INCREMENTAL', 'BLOCKING']) {
  test(`${type}: NaN in a snapshot that a signal asked for, as in the stream`, async () => {
    const others = [
      [1, '1.50', undefined],
      [3, '2.50', undefined],
    ];
    assert.deepEqual(await nanRead(type, {}), [others[0], [2, '0.00', ['n']], others[1]]);
    assert.deepEqual(await nanRead(type, { 'event.processing.failure.handling.mode': 'skip' }), others);
    await assert.rejects(nanRead(type, { 'event.converting.failure.handling.mode': 'fail' }), /column public\.t\.n holds NaN/);
  });
}
