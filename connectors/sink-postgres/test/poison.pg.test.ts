import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { decimalSchema, Decimal, schemas, structOf, structSchema } from '@millrace/runtime/api';
import type { SinkRecord } from '@millrace/runtime/api';

import { createDatabase } from '../../../test/services/postgres.ts';
import type { Database } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { at, rawConfig, record, rows, runSink, sql } from './harness.ts';
import type { Running } from './harness.ts';

const schema = structSchema([
  ['id', schemas.int64],
  ['name', schemas.optionalString],
  ['amount', decimalSchema(2, { optional: true })],
  ['mood', schemas.string],
  ['parent', schemas.optionalInt64],
  ['doc', schemas.string],
]);
const keySchema = structSchema([['id', schemas.int64]]);
type Row = { name?: string | null; amount?: Decimal; mood?: string; parent?: number | null; doc?: string };
const good = (offset: number, id: number, more: Row = {}): SinkRecord =>
  record(offset, structOf(schema, { id, name: 'n', amount: Decimal.parse('1.50'), mood: 'fine', parent: null, doc: '{}', ...more }), {
    key: structOf(keySchema, { id }),
  });

const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
/** What is wrong, and what the person is told of it. */
const kinds: readonly (readonly [name: string, bad: Row, told: RegExp])[] = [
  ['too long', { name: 'x'.repeat(21) }, /value too long for type character varying\(20\).*Widen the column/],
  ['null where none may be', { name: null }, /null value in column "name".*violates not-null.*The column needs a value/],
  ['number too large', { amount: Decimal.parse('123456.00') }, /numeric field overflow.*Widen the column/],
  ['unknown enum value', { mood: 'bored' }, /invalid input value for enum mood: "bored".*not of the type of its column/],
  ['no such parent', { parent: 999_999_999 }, /foreign key constraint.*The row that it refers to is not there/],
  ['check broken', { amount: Decimal.parse('-1.00') }, /violates check constraint/],
  ['no JSON', { doc: '{' }, /invalid input syntax for type json/],
  ['nested too deep', { doc: deep(20_000) }, /stack depth limit exceeded|nested too deep/],
  ['a NUL in text', { name: 'a\u0000b' }, /invalid byte sequence.*0x00.*cannot store the character U\+0000/],
  ['refused by a trigger', { name: 'forbidden' }, /nobody may be called forbidden/],
];

describe('bad rows', () => {
  let database: Database;
  let count = 0;
  before(async () => {
    database = await createDatabase(await usePostgres(), 'sink_poison');
    await sql(
      database,
      `create type mood as enum ('fine', 'sad')`,
      `create function no_forbidden() returns trigger language plpgsql as $$ begin
         if new.name = 'forbidden' then raise exception 'nobody may be called forbidden'; end if; return new; end $$`,
    );
  });
  after(() => database[Symbol.asyncDispose]());

  async function table(): Promise<string> {
    const name = `rows_${++count}`;
    await sql(
      database,
      `create table ${name} (id bigint primary key, name varchar(20) not null, amount numeric(6,2) check (amount > 0), mood mood,
         parent bigint references ${name}, doc jsonb)`,
      `create trigger t before insert or update on ${name} for each row execute function no_forbidden()`,
    );
    return name;
  }
  const ids = async (name: string) =>
    (await sql<{ id: string }>(database, `select id from ${name} order by id`)).map(({ id }) => Number(id));
  const offsets = ({ reported }: Running) => reported.map(({ record: { offset } }) => Number(offset));

  for (const mode of ['insert', 'upsert']) {
    it(`${mode}: each of ten kinds is told by itself, and the others are written`, async () => {
      const name = await table();
      await using sink = await runSink(rawConfig(database, { 'table.name.format': name, 'insert.mode': mode, 'pk.mode': 'record_key' }));
      const records = kinds.flatMap(([, bad], i) => [
        good(i * 10, i * 10),
        good(i * 10 + 1, i * 10 + 1, bad),
        good(i * 10 + 2, i * 10 + 2),
      ]);
      await sink.write(...records);
      deepEqual(
        offsets(sink),
        kinds.map((_, i) => i * 10 + 1),
      );
      for (const [i, [what, , told]] of kinds.entries()) match(sink.reported[i]?.error.message ?? '', told, what);
      deepEqual(
        await ids(name),
        kinds.flatMap((_, i) => [i * 10, i * 10 + 2]),
      );
    });

    it(`${mode}: one in a hundred of thousands`, async () => {
      const name = await table();
      await using sink = await runSink(rawConfig(database, { 'table.name.format': name, 'insert.mode': mode, 'pk.mode': 'record_key' }));
      const isBad = (i: number) => i % 100 === 7;
      const bad = (i: number) => kinds[((i / 100) % 5) | 0]?.[1];
      await sink.write(...Array.from({ length: 5000 }, (_, i) => good(i, i, isBad(i) ? bad(i) : {})));
      equal((await ids(name)).length, 4950);
      deepEqual(
        offsets(sink),
        Array.from({ length: 50 }, (_, i) => i * 100 + 7),
      );
      deepEqual(await sink.safe(at(0, 5000)), [at(0, 5000)]);
    });
  }

  it('a second row of one key is refused, the first one stays', async () => {
    const name = await table();
    await using sink = await runSink(rawConfig(database, { 'table.name.format': name, 'pk.mode': 'record_key' }));
    await sink.write(good(0, 1, { name: 'first' }), good(1, 1, { name: 'second' }), good(2, 2));
    deepEqual(offsets(sink), [1]);
    match(sink.reported[0]?.error.message ?? '', /duplicate key.*A row with this key is there already: use insert\.mode=upsert/);
    deepEqual(await rows(database, `select id, name from ${name} where id = 1`), ['{"id":1,"name":"first"}']);
  });

  it('of changes to one key, only the bad ones are left out', async () => {
    const name = await table();
    await using sink = await runSink(rawConfig(database, { 'table.name.format': name, 'insert.mode': 'upsert', 'pk.mode': 'record_key' }));
    await sink.write(good(0, 1, { name: 'first' }), good(1, 1, { name: 'second' }), good(2, 1, { mood: 'bored' }), good(3, 2));
    deepEqual(offsets(sink), [2]);
    deepEqual(await rows(database, `select id, name from ${name} where id = 1`), ['{"id":1,"name":"second"}']);
  });

  it('rows that make room for each other are not bad', async () => {
    await sql(database, `create table seats (id bigint primary key, seat text unique)`, `insert into seats values (1, 'b'), (2, 'a')`);
    const seat = structSchema([
      ['id', schemas.int64],
      ['seat', schemas.string],
    ]);
    await using sink = await runSink(
      rawConfig(database, { 'table.name.format': 'seats', 'insert.mode': 'upsert', 'pk.mode': 'record_value', 'pk.fields': 'id' }),
    );
    // In their order they fit; by key, 1 would come first, and find the seat taken.
    await sink.write(record(0, structOf(seat, { id: 2, seat: 'c' })), record(1, structOf(seat, { id: 1, seat: 'a' })));
    deepEqual(offsets(sink), []);
    deepEqual(await rows(database, 'select * from seats order by id'), ['{"id":1,"seat":"a"}', '{"id":2,"seat":"c"}']);
  });

  it('rows of two tables that refer to each other come in either order', async () => {
    await sql(
      database,
      `create table z_parents (id bigint primary key)`,
      `create table a_children (id bigint primary key, parent bigint references z_parents)`,
    );
    const [parent, child] = [
      structSchema([['id', schemas.int64]]),
      structSchema([
        ['id', schemas.int64],
        ['parent', schemas.int64],
      ]),
    ];
    const open = [at(0, 0, 'z_parents'), at(0, 0, 'a_children')];
    await using sink = await runSink(rawConfig(database), { open });
    for (let i = 0; i < 3; i++) {
      await sink.write(
        record(i, structOf(child, { id: i, parent: i }), { topic: 'a_children' }),
        record(i, structOf(parent, { id: i }), { topic: 'z_parents' }),
      );
    }
    deepEqual(offsets(sink), []);
    equal((await rows(database, 'select * from a_children')).length, 3);
  });

  it('a constraint that waits for the commit', async () => {
    await sql(database, `create table later (id bigint primary key, parent bigint references later deferrable initially deferred)`);
    const later = structSchema([
      ['id', schemas.int64],
      ['parent', schemas.optionalInt64],
    ]);
    await using sink = await runSink(rawConfig(database, { 'table.name.format': 'later' }));
    await sink.write(
      record(0, structOf(later, { id: 2, parent: 1 })),
      record(1, structOf(later, { id: 1, parent: null })),
      record(2, structOf(later, { id: 3, parent: 77 })),
    );
    deepEqual(offsets(sink), [2]);
  });

  it('a table or column that is missing, and a record without its key', async () => {
    const name = await table();
    await using sink = await runSink(
      rawConfig(database, { 'table.name.format': '${topic}', 'insert.mode': 'upsert', 'pk.mode': 'record_key' }),
      {
        open: [at(0, 0, 'nowhere'), at(0, 0, name)],
      },
    );
    const more = structSchema([
      ['id', schemas.int64],
      ['extra', schemas.string],
    ]);
    const parts = { topic: name, key: structOf(keySchema, { id: 1 }) };
    await sink.write(
      { ...good(0, 1), topic: 'nowhere' },
      record(0, structOf(more, { id: 1, extra: 'x' }), parts),
      { ...good(1, 2), topic: name, key: null, keySchema: null },
      { ...good(2, 3), topic: name },
    );
    deepEqual(
      sink.reported.map(({ error }) => error.message),
      [
        'table nowhere does not exist. Create it, or set auto.create=true.',
        `table public.${name} has no column "extra", which the record has. Add the column, set auto.evolve=true, or leave the field out with the transform ReplaceField.`,
        'the record has no key, which pk.mode=record_key needs. Make one of the value with the transform ValueToKey.',
      ],
    );
    deepEqual(await ids(name), [3]);
  });

  it('what is not tolerated fails the task, and nothing of the transaction is written', async () => {
    const name = await table();
    await using sink = await runSink(rawConfig(database, { 'table.name.format': name }), { tolerate: false });
    await rejects(sink.write(good(0, 1), good(1, 2, { mood: 'bored' })), {
      name: 'DataError',
      message: /could not write a record into table public\./,
    });
    deepEqual(await ids(name), []);
    ok(sink.failures[0]?.message.includes('bored'));
  });

  it('a table that is changed under the task is looked at again', async () => {
    const name = await table();
    await using sink = await runSink(rawConfig(database, { 'table.name.format': name, 'insert.mode': 'upsert', 'pk.mode': 'record_key' }));
    await sink.write(good(0, 1));
    await sql(database, `alter table ${name} rename column mood to "Mood"`, `alter table ${name} alter "Mood" type text`);
    await sink.write(good(1, 2, { mood: 'bored' }));
    deepEqual(offsets(sink), []);
    await sql(database, `drop table ${name}`);
    await sink.write(good(2, 3));
    match(sink.reported[0]?.error.message ?? '', /does not exist\. Create it/);
  });
});
