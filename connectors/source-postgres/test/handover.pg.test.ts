import assert from 'node:assert/strict';
import { test } from 'node:test';

import pg from 'pg';

import { createDatabase } from '../../../test/services/postgres.ts';
import type { PostgresAddress } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { field, keyField, rawConfig, runTask, sql } from './harness.ts';

/** Writers that insert one row after another, each in a range of its own, until they are told to stop. */
function startWriters(database: PostgresAddress, count: number): { stop(): Promise<Set<number>> } {
  let stopping = false;
  const written = new Set<number>();
  const writer = async (from: number): Promise<void> => {
    const client = new pg.Client({ connectionString: database.url });
    client.on('error', () => {}); // the database may go first
    await client.connect();
    for (let id = from; !stopping; id += 2) {
      await client.query('begin');
      await client.query('insert into t values ($1)', [id]);
      await client.query('insert into t values ($1)', [id + 1]);
      await client.query(id % 10 === 0 ? 'rollback' : 'commit');
      if (id % 10 !== 0) written.add(id).add(id + 1);
    }
    await client.end();
  };
  const all = Array.from({ length: count }, (_, index) => writer((index + 1) * 1_000_000 + 1 - 1 + index));
  return {
    async stop() {
      stopping = true;
      await Promise.all(all);
      return written;
    },
  };
}

for (const slot of ['new', 'existing'] as const) {
  test(`each row of a busy table comes once, from the snapshot or from the stream (${slot} slot)`, async () => {
    await using database = await createDatabase(await usePostgres(), 'handover');
    await sql(database, 'create table t (id int primary key)', 'insert into t select generate_series(1, 20000)');
    const raw = rawConfig(database);
    if (slot === 'existing') {
      await sql(
        database,
        'create publication pub for table t',
        `select pg_create_logical_replication_slot('${raw['slot.name']}', 'pgoutput')`,
      );
    }
    for (let round = 0; round < 3; round++) {
      const writers = startWriters(database, 4);
      await using running = await runTask(raw);
      await running.until((records) => records.some((record) => field(record, 'op') === 'c'));
      const written = await writers.stop();
      await sql(database, 'insert into t values (-1)');
      await running.until((records) => records.some((record) => keyField(record, 'id') === -1));

      const ids = running.records.map((record) => keyField(record, 'id') as number);
      assert.equal(new Set(ids).size, ids.length, 'no row twice');
      const seen = new Set(ids);
      assert.deepEqual(
        [...written].filter((id) => !seen.has(id)),
        [],
        'no row missing',
      );
      assert.equal([...seen].filter((id) => id > 0 && id <= 20_000).length, 20_000);
      const kinds = running.records.map((record) => field(record, 'op'));
      assert.equal(kinds.lastIndexOf('r') < kinds.indexOf('c'), true, 'the snapshot first');
      // The next round starts anew, with a slot that is there already.
      await sql(database, 'delete from t where id < 0 or id > 20000');
    }
  });
}
