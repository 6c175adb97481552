import { deepEqual, equal, match } from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { schemaOf, schemas, structOf, structSchema } from '@millrace/runtime/api';
import type { SinkRecord, StructSchema } from '@millrace/runtime/api';

import { createDatabase } from '../../../test/services/postgres.ts';
import type { Database } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { at, rawConfig, record, rows, runSink, sql } from './harness.ts';

const keySchema = structSchema([['id', schemas.int32]]);
const schema = structSchema([
  ['id', schemas.int32],
  ['name', schemas.string],
]);

const shuffled = (count: number, seed: number): number[] => {
  const list = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1, state = seed; i > 0; i--) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    const j = state % (i + 1);
    [list[i], list[j]] = [list[j] as number, list[i] as number];
  }
  return list;
};

describe('several tasks on one table', () => {
  let database: Database;
  before(async () => (database = await createDatabase(await usePostgres(), 'sink_tasks')));
  after(() => database[Symbol.asyncDispose]());

  it('write the same rows in other orders, without a deadlock', async () => {
    await sql(database, 'create table shared (id int primary key, name text)');
    const deadlocks = async () =>
      Number((await sql(database, `select deadlocks from pg_stat_database where datname = current_database()`))[0]?.['deadlocks']);
    for (const mode of ['upsert', 'update']) {
      const raw = rawConfig(database, {
        'table.name.format': 'shared',
        'insert.mode': mode,
        'pk.mode': 'record_key',
        'batch.size': '300',
        'max.retries': '0',
      });
      const tasks = await Promise.all([0, 1, 2].map((task) => runSink(raw, { task, open: [at(task, 0)] })));
      const of = (partition: number): SinkRecord[] =>
        [1, 2, 3].flatMap((round) =>
          shuffled(1500, 17 * partition + round).map((id, i) =>
            record(round * 10_000 + i, structOf(schema, { id, name: `${partition} ${round}` }), {
              partition,
              key: structOf(keySchema, { id }),
            }),
          ),
        );
      await Promise.all(tasks.map((sink, partition) => sink.write(...of(partition))));
      for (const sink of tasks) {
        equal(sink.failures.length, 0);
        await sink[Symbol.asyncDispose]();
      }
    }
    equal(await deadlocks(), 0);
    equal((await rows(database, 'select 1 from shared')).length, 1500);
  });

  it('write and delete the same rows, without a task that gives up', async () => {
    await sql(database, 'create table mixed (id int primary key, name text)');
    const raw = rawConfig(database, {
      'table.name.format': 'mixed',
      'insert.mode': 'upsert',
      'pk.mode': 'record_key',
      'delete.enabled': 'true',
      'batch.size': '200',
      'max.retries': '1',
    });
    const tasks = await Promise.all([0, 1, 2].map((task) => runSink(raw, { task, open: [at(task, 0)] })));
    const of = (partition: number, round: number): SinkRecord[] =>
      shuffled(1000, 31 * partition + round).map((id, i) => {
        const gone = (id + partition + round) % 3 === 0;
        const value = gone ? null : structOf(schema, { id, name: `${partition} ${round}` });
        return record(round * 1000 + i, value, { partition, key: structOf(keySchema, { id }) });
      });
    await Promise.all(
      tasks.map(async (sink, partition) => {
        for (let round = 0; round < 20; round++) await sink.write(...of(partition, round));
        while (sink.failures.length === 0 && (await sink.safe(at(partition, 20_000)))[0]?.offset !== 20_000n) await sleep(20);
      }),
    );
    for (const sink of tasks) {
      deepEqual([sink.failures, sink.reported], [[], []]);
      await sink[Symbol.asyncDispose]();
    }
  });

  it('add columns and tables at the same time, while they write', async () => {
    const wider = (width: number): StructSchema =>
      structSchema([
        ['id', schemas.int32],
        ...Array.from({ length: width }, (_, i) => [`c${i}`, schemaOf('string', { optional: true })] as const),
      ]);
    const raw = rawConfig(database, {
      'insert.mode': 'upsert',
      'pk.mode': 'record_key',
      'auto.create': 'true',
      'auto.evolve': 'true',
      'table.name.format': 'evolving',
    });
    const tasks = await Promise.all([0, 1, 2].map((task) => runSink(raw, { task, open: [at(task, 0)] })));
    const widths = Array.from({ length: 6 }, (_, width) => wider(width));
    await Promise.all(
      tasks.map(async (sink, partition) => {
        for (const [width, shape] of widths.entries()) {
          const batch = Array.from({ length: 400 }, (_, i) => {
            const id = partition * 100_000 + width * 1000 + i;
            const values = Object.fromEntries(shape.fields.slice(1).map(({ name }) => [name, `${name} of ${id}`]));
            return record(width * 1000 + i, structOf(shape, { id, ...values }), { partition, key: structOf(keySchema, { id }) });
          });
          await sink.write(...batch);
        }
      }),
    );
    for (const sink of tasks) {
      deepEqual([sink.failures, sink.reported], [[], []]);
      await sink[Symbol.asyncDispose]();
    }
    const [found] = await sql(
      database,
      `select count(*) as n, count(c4) as last, count(*) filter (where c0 = 'c0 of ' || id) as right from evolving`,
    );
    deepEqual([found?.['n'], found?.['last'], found?.['right']].map(Number), [7200, 1200, 6000]);
  });

  it('refuses a column that the rows which are there could not have', async () => {
    await sql(database, 'create table strict (id int primary key)');
    const raw = rawConfig(database, { 'table.name.format': 'strict', 'auto.evolve': 'true' });
    await using sink = await runSink(raw);
    await sink.write(record(0, structOf(schema, { id: 1, name: 'x' })));
    match(
      sink.reported[0]?.error.message ?? '',
      /column "name" cannot be added to table public\.strict: its field is not optional and has no default/,
    );
    const withDefault = structSchema([
      ['id', schemas.int32],
      ['name', schemaOf('string', { defaultValue: "it's new" })],
      ['n', schemaOf('int32', { optional: true, defaultValue: 7 })],
    ]);
    await sink.write(record(1, structOf(withDefault, { id: 1, name: 'x' })));
    await sql(database, 'insert into strict (id) values (2)');
    deepEqual(await rows(database, 'select * from strict order by id'), ['{"id":1,"name":"x","n":7}', `{"id":2,"name":"it's new","n":7}`]);
  });
});
