/** What `snapshot.max.threads` readers make of small tables, of a SELECT of its own, and of a failure of one of them. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import type { TaskReport } from '@millrace/runtime/api';

import { createDatabase, startPostgres } from '../../../test/services/postgres.ts';
import type { PostgresAddress, PostgresServer } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { tidCondition } from '../position/tid.ts';
import { rawConfig, runTask, sql, waitFor } from './harness.ts';
import { createTables, largeTable, pagesOfLarge, repeatedReads, rowOf, tableOf } from './snapshot-tables.ts';

/** Sessions of the connector, whatever they do. */
async function sessions(database: PostgresAddress): Promise<string[]> {
  const { rows } = await sql(
    database,
    `select coalesce(query, backend_type) as what from pg_stat_activity where datname = '${database.database}' and pid <> pg_backend_pid()
     and backend_type in ('client backend', 'walsender')`,
  );
  return (rows as { what: string }[]).map(({ what }) => what);
}

const leavesNobody = (database: PostgresAddress): Promise<void> =>
  waitFor(async () => (await sessions(database)).length === 0, 'all sessions to be gone');

for (const version of ['15', '18'] as const) {
  describe(`several readers (PostgreSQL ${version})`, () => {
    let own: PostgresServer | undefined;
    before(async () => void (own = version === '18' ? undefined : await startPostgres({ version })));
    after(() => own?.[Symbol.asyncDispose]());
    const database = async () => createDatabase(own ?? (await usePostgres()), 'readers');

    test('tables that are smaller than a piece, and empty ones, come once, and no session stays', async () => {
      await using mine = await database();
      const sizes = [0, 1, 2, 0, 3];
      const wanted = 6;
      for (const [i, rows] of sizes.entries()) {
        await sql(mine, `create table t${i} (id int primary key)`, `insert into t${i} select generate_series(1, ${rows})`);
      }
      {
        await using running = await runTask(rawConfig(mine, { 'snapshot.max.threads': '4' }));
        await waitFor(() => running.logs.some((line) => line.includes('streaming from replication slot')), 'the stream');
        const records = await running.count(wanted);
        assert.equal(records.length, wanted);
        assert.deepEqual(repeatedReads(records), []);
        assert.ok(running.logs.some((line) => line.includes(`snapshot: done, 5 tables, ${wanted} rows`)));
      }
      await leavesNobody(mine);
    });

    test('a large table is cut by places that PostgreSQL finds without reading what lies before them', async () => {
      await using mine = await database();
      await sql(mine, ...largeTable(500));
      const condition = tidCondition({ after: 65_536 * 100, toBlock: 200 });
      const { rows } = await sql(mine, `explain select * from only large where ${condition}`);
      assert.match(JSON.stringify(rows), /Tid Range Scan/);
    });

    test('a table with a SELECT of its own is read once, by one of them', async () => {
      await using mine = await database();
      await createTables(mine);
      const raw = rawConfig(mine, {
        'snapshot.max.threads': '3',
        'table.include.list': 'public.large,public.small',
        'snapshot.select.statement.overrides': 'public.large',
        'snapshot.select.statement.overrides.public.large': 'select id, n, filler from large where id % 2 = 0',
      });
      await using running = await runTask(raw);
      const records = await running.count(pagesOfLarge / 2 + 500);
      assert.deepEqual(repeatedReads(records), []);
      assert.ok(records.filter((record) => tableOf(record) === 'large').every((record) => Number(rowOf(record).split(' ')[1]) % 2 === 0));
      await waitFor(
        () => running.logs.some((line) => line.includes(`snapshot: done, 2 tables, ${pagesOfLarge / 2 + 500} rows`)),
        'the end',
      );
    });

    test('a reader that fails, fails the task with its table and cause, and ends the others', async () => {
      await using mine = await database();
      await createTables(mine);
      const raw = rawConfig(mine, {
        'snapshot.max.threads': '3',
        'table.include.list': 'public.large,public.small',
        'max.queue.size': '300',
        'max.batch.size': '100',
        'snapshot.select.statement.overrides': 'public.small',
        'snapshot.select.statement.overrides.public.small': 'select id, 10 / (id - 400) as n from small order by id',
      });
      {
        await using running = await runTask(raw);
        await assert.rejects(
          running.until(() => false),
          (error: Error) => {
            assert.match(error.message, /read table public\.small for the snapshot/);
            assert.match(error.message, /division by zero/);
            return true;
          },
        );
      }
      await leavesNobody(mine);
      const { rows } = await sql(mine, `select slot_name, temporary from pg_replication_slots where database = '${mine.database}'`);
      assert.deepEqual(rows, [{ slot_name: raw['slot.name'], temporary: false }], 'and nothing but the slot, which the next start uses');
    });
  });
}

test('what the slot retains is watched while tables are read, for that may take long', async () => {
  await using mine = await createDatabase(await usePostgres(), 'readers');
  await createTables(mine);
  const raw = rawConfig(mine, {
    'max.queue.size': '300',
    'status.update.interval.ms': '200',
    'millrace.slot.retained.warn.bytes': '1',
  });
  const reports: (TaskReport | undefined)[] = [];
  await using running = await runTask(raw, { context: { setReport: (report) => void reports.push(report) } });
  // Nobody polls: the snapshot stands still.
  await waitFor(() => Number(running.figures.get('snapshot-rows-total')) > 0, 'the first rows');
  await sql(mine, 'create table elsewhere as select generate_series(1, 1000) i');
  await waitFor(() => running.notes.some((note) => note?.includes('above millrace.slot.retained.warn.bytes')), 'the warning');
  await waitFor(() => reports.at(-1)?.['slot']?.['aboveThreshold'] === true, 'the report');
  const { snapshot } = reports.at(-1) ?? {};
  assert.equal(snapshot?.['tables'], 7);
  assert.ok(Number(snapshot?.['tablesDone']) < 7);
  assert.ok(!running.logs.some((line) => line.includes('streaming from replication slot')));
});
