/** Two databases that copy one table to each other: what a sink writes is not read as a change of its own. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { readEmbedded } from '../../../test/e2e/topic-records.ts';
import { eventually } from '../../../test/e2e/worker-states.ts';
import { startMillrace } from '../../../test/services/millrace.ts';
import { createDatabase, startPostgres } from '../../../test/services/postgres.ts';
import type { PostgresAddress } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { sql } from './harness.ts';
import { sinkConfig, sourceConfig, untilEqual } from './pipeline.ts';

const table = 'create table notes (id int primary key, side text, version int)';

/** What the side's slot need not send again. */
const confirmed = async (side: PostgresAddress): Promise<bigint> => {
  const [row] = await sql(
    side,
    `select (confirmed_flush_lsn - '0/0')::text as lsn from pg_replication_slots where slot_name = '${side.database}'`,
  );
  return BigInt(row?.['lsn'] ?? 0);
};
const now = async (side: PostgresAddress): Promise<bigint> =>
  BigInt((await sql(side, `select (pg_current_wal_lsn() - '0/0')::text as lsn`))[0]?.['lsn']);

for (const version of ['18', '15'] as const) {
  describe(`a pair that copies both ways, PostgreSQL ${version}`, () => {
    it('never echoes, and lets both slots move', { timeout: 5 * 60_000 }, async () => {
      await using own = version === '15' ? await startPostgres({ version }) : undefined;
      const server = own ?? (await usePostgres());
      await using a = await createDatabase(server, 'pair_a');
      await using b = await createDatabase(server, 'pair_b');
      await sql(a, table);
      await sql(b, table);
      await using worker = await startMillrace({ properties: { 'offset.flush.interval.ms': '200' } });

      const names = [`from_${a.database}`, `from_${b.database}`, `to_${a.database}`, `to_${b.database}`];
      for (const [from, to, more] of [
        [a, b, {}],
        // Of two ways in which offsets move: without heartbeats, and with them.
        [b, a, { 'heartbeat.interval.ms': '200' }],
      ] as const) {
        const skip = {
          'snapshot.mode': 'no_data',
          'table.include.list': 'public.notes',
          'millrace.skip.origins': `millrace_to_${from.database}_*`,
          ...more,
        };
        await worker.put(`from_${from.database}`, sourceConfig(from.database, from, skip));
        const into = { 'collection.name.format': 'notes', 'millrace.origin': 'millrace', 'schema.evolution': 'none' };
        await worker.put(`to_${to.database}`, sinkConfig(to, { topics: `${from.database}.public.notes`, ...into }));
      }

      for (const { database } of [a, b]) {
        const streams = `select from pg_replication_slots where slot_name = '${database}' and active and not temporary`;
        await eventually(`${database} to be read`, async () => (await sql(a, streams)).length === 1);
      }
      const rounds = 40;
      for (let round = 0; round < rounds; round++) {
        const [ours, theirs] = [round * 2, round * 2 + 1];
        await sql(a, `insert into notes values (${ours}, 'a', 0)`, `update notes set version = 1 where id = ${ours}`);
        await sql(b, `insert into notes values (${theirs}, 'b', 0)`, `begin; update notes set version = 1 where id = ${theirs}; commit`);
        if (round % 4 === 0) await sql(a, `delete from notes where id = ${ours}`);
      }
      const rows = 'select row_to_json(notes)::text as row from notes order by id';
      const found = await untilEqual(worker, names, (which) => sql(which === 'source' ? a : b, rows));
      equal(found.length, rounds * 2 - rounds / 4);

      // Once more each way, and on what came from the other side; whatever echoed before has arrived by then.
      await sql(a, `update notes set version = 2 where side = 'b'`);
      await eventually(
        'changes of the other side',
        async () => (await sql(b, `select from notes where side = 'b' and version = 2`)).length === rounds,
      );
      await sql(b, `update notes set version = 3 where side = 'a'`);
      await untilEqual(worker, names, (which) => sql(which === 'source' ? a : b, rows));

      // Only the other side's changes come to each now, all of them left out: its slot moves all the same.
      for (const [quiet, busy] of [
        [a, b],
        [b, a],
      ] as const) {
        await sql(busy, `update notes set version = version + 10 where side = '${busy === a ? 'a' : 'b'}'`);
        await untilEqual(worker, names, (which) => sql(which === 'source' ? a : b, rows));
        const reached = await now(quiet);
        await eventually(`the slot of ${quiet.database} to pass ${reached}`, async () => (await confirmed(quiet)) >= reached);
      }
      // Each side's topic has what was changed there, and nothing else.
      const topics = [a, b].map(({ database }) => `${database}.public.notes`);
      await worker.stop();
      const records = await readEmbedded(join(worker.folder, 'log'), topics);
      const operations = topics.map((topic) => {
        const values = (records[topic] ?? []).flatMap(({ value }) =>
          value === null ? [] : [JSON.parse(value) as { payload: { op: string } }],
        );
        return Object.fromEntries(['c', 'u', 'd'].map((op) => [op, values.filter(({ payload }) => payload.op === op).length]));
      });
      const left = rounds - rounds / 4;
      deepEqual(operations, [
        { c: rounds, u: rounds + rounds + left, d: rounds / 4 },
        { c: rounds, u: rounds + left + rounds, d: 0 },
      ]);
      ok((records[topics[0] as string] ?? []).length > 0);
    });
  });
}
