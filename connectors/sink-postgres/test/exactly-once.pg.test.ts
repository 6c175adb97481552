import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { schemas, structOf, structSchema } from '@millrace/runtime/api';

import { createDatabase } from '../../../test/services/postgres.ts';
import type { Database } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import plugin from '../index.ts';
import { at, rawConfig, record, rows, runSink, sql } from './harness.ts';

const schema = structSchema([
  ['id', schemas.int32],
  ['name', schemas.string],
]);
const row = (id: number, name = 'x') => structOf(schema, { id, name });
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => record(from + i, row(from + i)));

describe('positions in the target', () => {
  let database: Database;
  let tables = 0;
  before(async () => (database = await createDatabase(await usePostgres(), 'sink_once')));
  after(() => database[Symbol.asyncDispose]());

  const inserts = (more = {}) => rawConfig(database, { 'table.name.format': `plain_${++tables}`, 'auto.create': 'true', ...more });
  const count = async (raw: Readonly<Record<string, string>>) =>
    Number((await sql(database, `select count(*) from ${raw['table.name.format']}`))[0]?.['count']);

  it('a replay adds nothing, even of plain inserts', async () => {
    const raw = inserts();
    {
      await using sink = await runSink(raw);
      await sink.write(...range(0, 1200));
      deepEqual(await sink.safe(at(0, 1200)), [at(0, 1200)]);
    }
    await using again = await runSink(raw, { open: [at(0, 1000)] });
    await again.write(...range(1000, 1300));
    equal(await count(raw), 1300);
    match(again.logs.join('\n'), /info: .* up to offset 1200 already/);
  });

  it('records of a killed transaction come again, whole', async () => {
    const raw = inserts();
    await using sink = await runSink(raw);
    await sink.write(...range(0, 10));
    const written = sink.write(...range(10, 3000));
    // Sinks of other files' databases bear the same names.
    const mine = `application_name = 'millrace ${raw['name']}' and datname = current_database()`;
    await sql(database, `select pg_terminate_backend(pid) from pg_stat_activity where ${mine}`);
    await written;
    while (!(await sink.safe(at(0, 3000))).some(({ offset }) => offset === 3000n)) await new Promise((resolve) => setTimeout(resolve, 20));
    equal(await count(raw), 3000);
    equal(sink.reported.length, 0);
  });

  it('a reset by REST has all written again, an alteration goes on where it says', async () => {
    const raw = inserts();
    {
      await using sink = await runSink(raw);
      await sink.write(...range(0, 10));
    }
    equal(await plugin.alterOffsets?.(raw, [{ topic: 't', partition: 0, offset: 5n }]), true);
    {
      await using sink = await runSink(raw, { open: [at(0, 5)] });
      await sink.write(...range(5, 10));
      equal(await count(raw), 15);
    }
    await plugin.alterOffsets?.(raw, [{ topic: 't', partition: 0, offset: null }]);
    {
      await using sink = await runSink(raw);
      await sink.write(...range(0, 10));
      equal(await count(raw), 25);
    }
    await plugin.alterOffsets?.(raw, []);
    await using sink = await runSink(raw);
    await sink.write(...range(0, 10));
    equal(await count(raw), 35);
  });

  it('an alteration under a running task stops it, rather than being lost', async () => {
    const raw = inserts();
    await using sink = await runSink(raw);
    await sink.write(...range(0, 10));
    await plugin.alterOffsets?.(raw, [{ topic: 't', partition: 0, offset: 5n }]);
    await rejects(sink.write(...range(10, 20)), /its offset was altered while this task wrote to it\. Restart the task/);
    equal(await count(raw), 10);
    equal(sink.failures.length, 1);
  });

  it('a topic that was made anew is written from its beginning', async () => {
    const raw = inserts();
    {
      await using sink = await runSink(raw, { topicIds: { t: 'first' } });
      await sink.write(...range(0, 10));
    }
    await using sink = await runSink(raw, { topicIds: { t: 'second' } });
    await sink.write(...range(0, 4));
    equal(await count(raw), 14);
    match(sink.logs.join('\n'), /warn: .*topic t was deleted and made anew/);
    deepEqual(await rows(database, `select topic_id, next_offset from millrace_sink_offsets where connector = '${raw['name']}'`), [
      '{"topic_id":"second","next_offset":4}',
    ]);
  });

  it('two tasks that believe they have the partition write each record once', async () => {
    const raw = inserts();
    await using first = await runSink(raw);
    await using second = await runSink(raw, { task: 1 });
    await first.write(...range(0, 100));
    await second.write(...range(50, 200));
    await first.write(...range(100, 300));
    await Promise.all([first.write(...range(300, 2000)), second.write(...range(200, 2000))]);
    equal(await count(raw), 2000);
  });

  it('a target that lost its last transactions is filled again', async () => {
    const raw = inserts();
    await using sink = await runSink(raw);
    await sink.write(...range(0, 100));
    await sql(
      database,
      `delete from ${raw['table.name.format']} where id >= 60`,
      `update millrace_sink_offsets set next_offset = 60 where connector = '${raw['name']}'`,
    );
    await sink.write(...range(100, 110));
    deepEqual(sink.seeks, [at(0, 60)]);
    await sink.write(...range(60, 110));
    equal(await count(raw), 110);
  });

  it('a dead letter that the log may have lost is told again, and not tried again', async () => {
    const raw = inserts();
    await sql(database, `create table ${raw['table.name.format']} (id int, name varchar(5))`);
    const records = [record(0, row(0)), record(1, row(1, 'too long')), record(2, row(2))];
    {
      await using sink = await runSink(raw);
      await sink.write(...records);
      equal(sink.reported.length, 1);
    }
    {
      await using sink = await runSink(raw);
      await sql(database, `alter table ${raw['table.name.format']} alter name type text`);
      await sink.write(...records);
      deepEqual(
        sink.reported.map(({ record: { offset } }) => offset),
        [1n],
      );
      match(sink.reported[0]?.error.message ?? '', /value too long/);
    }
    equal(await count(raw), 2);
    // The group has committed beyond it, and the dead letters with that.
    await using sink = await runSink(raw, { open: [at(0, 3)] });
    await sink.write(record(3, row(3)));
    deepEqual(await rows(database, `select * from millrace_sink_offsets_refused where connector = '${raw['name']}'`), []);
  });

  it('without rights to keep positions it says so, and writes', async () => {
    await sql(
      database,
      `create role writer_${database.database} login`,
      `create schema narrow`,
      `grant usage on schema narrow to writer_${database.database}`,
      `create table narrow.t (id int, name text)`,
      `grant insert, select on narrow.t to writer_${database.database}`,
    );
    const raw = rawConfig(database, { 'connection.user': `writer_${database.database}`, 'table.name.format': 'narrow.t' });
    const url = { 'connection.url': `${raw['connection.url']}?currentSchema=narrow` };
    {
      await using sink = await runSink({ ...raw, ...url });
      await sink.write(...range(0, 3));
      match(sink.logs.join('\n'), /warn: .*records may be written twice after a crash: .*permission denied/);
      equal((await rows(database, 'select * from narrow.t')).length, 3);
    }
    await using strict = await runSink({ ...raw, ...url, 'millrace.offsets.table': 'mine' });
    await rejects(strict.write(...range(0, 3)), /Create it: CREATE TABLE/);
    await using marked = await runSink({ ...raw, ...url, 'millrace.origin': 'mine' });
    await rejects(marked.write(...range(3, 6)), /millrace\.origin=mine: .*under a replication origin: .*GRANT EXECUTE/);
    await sql(database, `drop owned by writer_${database.database}`, `drop role writer_${database.database}`);
    ok(strict.failures.length > 0);
  });
});
