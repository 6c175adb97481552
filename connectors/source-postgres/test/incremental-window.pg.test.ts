/** Incremental snapshots while the table is written to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import pg from 'pg';

import { createDatabase } from '../../../test/services/postgres.ts';
import type { PostgresAddress } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { field, runTask, sql } from './harness.ts';
import type { RawConfig } from './harness.ts';
import {
  applied,
  completed,
  crashAndResume,
  drained,
  isRead,
  signal,
  signalConfig,
  signalTable,
  started,
  tableRows,
} from './incremental-harness.ts';

const rowsBefore = 600;

function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Writes until it is stopped: inserts, updates, deletes, changed keys, several in a transaction. */
function startLoad(database: PostgresAddress, seed: number): { stop(): Promise<number> } {
  const random = randomOf(seed);
  const id = (): number => Math.floor(random() * 900);
  let stopped = false;
  const statement = (): string => {
    const kind = random();
    if (kind < 0.35) return `insert into t values (${id()}, nextval('versions')) on conflict (id) do update set v = nextval('versions')`;
    if (kind < 0.7) return `update t set v = nextval('versions') where id = ${id()}`;
    if (kind < 0.9) return `delete from t where id = ${id()}`;
    return `update t set id = ${900 + id()}, v = nextval('versions') where id = ${id()} and not exists (select from t where id >= 900)`;
  };
  const done = (async () => {
    const client = new pg.Client({ connectionString: database.url });
    client.on('error', () => {}); // the database may go first
    await client.connect();
    let writes = 0;
    while (!stopped) {
      const statements = Array.from({ length: 1 + Math.floor(random() * 4) }, statement);
      await client.query(`begin; ${statements.join('; ')}; ${random() < 0.1 ? 'rollback' : 'commit'}`);
      writes++;
    }
    await client.end();
    return writes;
  })();
  return {
    async stop() {
      stopped = true;
      return await done;
    },
  };
}

async function prepare(database: PostgresAddress): Promise<void> {
  await sql(
    database,
    'create table t (id int primary key, v int)',
    'create sequence versions',
    signalTable,
    `insert into t select g, nextval('versions') from generate_series(1, ${rowsBefore}) g`,
  );
}

const modes: readonly (readonly [name: string, config: RawConfig])[] = [
  ['marks inserted', {}],
  ['a mark inserted and deleted', { 'incremental.snapshot.watermarking.strategy': 'INSERT_DELETE' }],
  ['read-only', { 'read.only': 'true' }],
];
for (const [name, config] of modes) {
  for (const seed of [1, 2]) {
    test(`under load the topic equals the table, and no row is read after a newer change of it: ${name}, seed ${seed}`, async () => {
      await using database = await createDatabase(await usePostgres());
      await prepare(database);
      await using running = await runTask(signalConfig(database, config));
      await started(running);
      const load = startLoad(database, seed);
      await signal(database, 'one', 'execute-snapshot', { 'data-collections': ['public.t'] });
      await completed(running, 60_000);
      const writes = await load.stop();
      await drained(running, database);
      assert.ok(writes > 0);
      assert.deepEqual(applied(running.records), await tableRows(database));
      const reads = running.records.filter(isRead);
      assert.ok(reads.length > 0);
      assert.ok(reads.every((record) => field(record, 'source', 'snapshot') === 'incremental'));
    });
  }
}

test('killed in the middle of chunks, again and again, it goes on: each row is read at most once', async () => {
  await using database = await createDatabase(await usePostgres());
  await prepare(database);
  const raw = signalConfig(database);
  const random = randomOf(7);
  let running = await runTask(raw);
  try {
    await started(running);
    const load = startLoad(database, 7);
    await signal(database, 'one', 'execute-snapshot', { 'data-collections': ['public.t'] });
    for (const reads of [15, 90, 200, 300]) {
      await running.until((records) => records.filter(isRead).length >= reads, 60_000);
      const { length } = running.records;
      running = await crashAndResume(running, raw, length - Math.floor(random() * 10));
    }
    await completed(running, 60_000);
    await load.stop();
    await drained(running, database);
    assert.deepEqual(applied(running.records), await tableRows(database));
    const ids = running.records.filter(isRead).map((record) => field(record, 'after', 'id'));
    assert.equal(new Set(ids).size, ids.length);
  } finally {
    await running[Symbol.asyncDispose]();
  }
});

test('a truncate or another column in the middle of it', async () => {
  await using database = await createDatabase(await usePostgres());
  await prepare(database);
  await using running = await runTask(signalConfig(database));
  await started(running);
  await signal(database, 'one', 'execute-snapshot', { 'data-collections': ['public.t'] });
  await running.until((records) => records.some(isRead));
  await sql(database, "alter table t add column extra text default 'x'", `update t set v = nextval('versions') where id = 590`);
  await completed(running, 60_000);
  await drained(running, database);
  assert.deepEqual(applied(running.records), await tableRows(database));
  const last = running.records.filter(isRead).at(-1);
  assert.equal(last && field(last, 'after', 'extra'), 'x');
});
