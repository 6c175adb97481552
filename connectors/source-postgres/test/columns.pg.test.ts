/** What config makes of columns, on a real server. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, describe, test } from 'node:test';

import type { SourceRecord, Struct } from '@millrace/runtime/api';

import { createDatabase } from '../../../test/services/postgres.ts';
import type { PostgresServer } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { rawConfig, runTask, sql } from './harness.ts';

let server: PostgresServer;
before(async () => void (server = await usePostgres()));

/** A struct's fields as a plain object; bytes as text. */
const plain = (struct: unknown): Record<string, unknown> | null =>
  struct === null
    ? null
    : Object.fromEntries(
        (struct as Struct).schema.fields.map(({ name }) => {
          const value = (struct as Struct).get(name);
          return [name, value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value];
        }),
      );
const part = ({ value }: SourceRecord, name: 'before' | 'after') => plain((value as Struct | null)?.get(name) ?? null);
const parameters = ({ value }: SourceRecord, column: string) => {
  const row = (value as Struct).schema.fields.find(({ name }) => name === 'after')?.schema;
  return row?.fields?.find(({ name }) => name === column)?.schema.parameters;
};
const sha = (text: string, length = 64): string => createHash('sha256').update(`pepper${text}`).digest('hex').slice(0, length);

interface Run {
  readonly setup: readonly string[];
  readonly changes?: readonly string[];
  readonly config: Readonly<Record<string, string>>;
  /** How many records come in all. */
  readonly records: number;
}

/** The records of a snapshot and a stream, and what was logged. */
async function run({ setup, changes = [], config, records }: Run): Promise<{ records: readonly SourceRecord[]; logs: readonly string[] }> {
  await using database = await createDatabase(server);
  await sql(database, ...setup);
  await using task = await runTask(rawConfig(database, { 'table.include.list': 'public.*', 'tombstones.on.delete': 'false', ...config }));
  // Changes before the slot is there would be part of the snapshot.
  await task.until(() => task.logs.some((line) => line.includes('streaming from')));
  await sql(database, ...changes);
  await task.count(records);
  return { records: [...task.records], logs: [...task.logs] };
}

describe('masked, hashed and cut columns', () => {
  test('in rows, old rows, and where PostgreSQL sends no value', async () => {
    const { records, logs } = await run({
      setup: [
        `create table t (id text primary key, phone text not null default '1', name varchar(20) not null, note text, pay numeric not null,
          raw bytea, mail varchar(100) not null default 'x@y')`,
        "insert into t values ('k1', '555-1234', 'Alice', null, 12.5, 'abcdef', 'a@b')",
      ],
      changes: ["update t set note = 'long note' where id = 'k1'", "delete from t where id = 'k1'"],
      config: {
        'column.mask.with.3.chars': 'public.t.(id|phone|note|pay)',
        'column.mask.hash.v2.SHA-256.with.salt.pepper': 'public.t.(name|mail)',
        'column.truncate.to.4.chars': 'public.t.(raw|note)',
        'column.propagate.source.type': 'public.t.(phone|name)',
      },
      records: 3,
    });
    const [read, update, gone] = records as [SourceRecord, SourceRecord, SourceRecord];
    const row = { id: '***', phone: '***', name: sha('Alice', 20), note: '***', raw: 'abcd', mail: sha('a@b') };
    const { pay, ...shown } = part(read, 'after') ?? {};
    assert.notEqual(pay, '***');
    assert.deepEqual(shown, row, 'null is masked, too, as in Debezium');
    assert.deepEqual(plain(read.key), { id: 'k1' }, 'keys stay as they are');
    const { pay: _, ...updated } = part(update, 'after') ?? {};
    assert.deepEqual(updated, row);
    const { pay: __, ...before } = part(gone, 'before') ?? {};
    assert.deepEqual(before, { ...row, name: sha('', 20), raw: null, mail: sha('x@y') }, 'what stands in for values is hashed as they are');

    assert.deepEqual(parameters(read, 'note'), { masked: 'true' });
    assert.deepEqual(parameters(read, 'raw'), { truncateLength: '4' });
    assert.deepEqual(parameters(read, 'name'), {
      masked: 'true',
      '__debezium.source.column.type': 'VARCHAR',
      '__debezium.source.column.length': '20',
      '__debezium.source.column.scale': '0',
      '__debezium.source.column.name': 'name',
    });
    assert.equal((read.keySchema?.fields ?? [])[0]?.schema.parameters, undefined);
    const said = logs.join('\n');
    assert.match(said, /warn: column public\.t\.id is to be masked or cut, but is part of the key/);
    assert.match(said, /warn: column public\.t\.pay is not masked, as in Debezium: its type, numeric/);
    assert.doesNotMatch(said, /pepper/);
  });

  test('a column that is left out of values stays in keys', async () => {
    const { records } = await run({
      setup: ['create table t (a int, b int, c text, primary key (b, a))', "insert into t values (1, 2, 'x')"],
      changes: ["insert into t values (3, 4, 'y')"],
      config: { 'column.include.list': 'public.t.c' },
      records: 2,
    });
    assert.deepEqual(
      records.map((record) => [plain(record.key), part(record, 'after')]),
      [
        [{ b: 2, a: 1 }, { c: 'x' }],
        [{ b: 4, a: 3 }, { c: 'y' }],
      ],
    );
  });
});

test('updates that change nothing that is shown are left out', async () => {
  const { records } = await run({
    setup: [
      'create table t (id int primary key, a text, b text, secret text, cut text)',
      'alter table t replica identity full',
      "insert into t values (1, 'a', null, 's', 'abc')",
      'create table d (id int primary key, a text)',
      "insert into d values (1, 'a')",
    ],
    changes: [
      'update t set a = a',
      "update t set b = 'left out'",
      "update t set secret = 't'",
      "update t set cut = 'abd'",
      "update t set cut = 'x'",
      'update d set a = a',
      'update t set id = 2',
      'update t set a = null',
    ],
    config: {
      'skip.messages.without.change': 'true',
      'column.exclude.list': 'public.t.b',
      'column.mask.with.3.chars': 'public.t.secret',
      'column.truncate.to.2.chars': 'public.t.cut',
    },
    records: 7,
  });
  const changes = records
    .filter((record) => (record.value as Struct).get('op') !== 'r')
    .map((record) => `${record.topic} ${String((record.value as Struct).get('op'))}`);
  assert.deepEqual(changes, ['shop.public.t u', 'shop.public.d u', 'shop.public.t d', 'shop.public.t c', 'shop.public.t u']);
});

test('keys of other columns, of a table that shares its topic, with other names', async () => {
  const { records } = await run({
    setup: [
      'create table orders_1 (id int primary key, "né" text)',
      "insert into orders_1 values (1, 'x')",
      'create table plain_2 (v int)',
    ],
    changes: ['insert into plain_2 values (7)'],
    config: {
      'message.key.columns': 'public.orders_.*:n.',
      'topic.naming.strategy': 'io.debezium.schema.SchemaRegexTopicNamingStrategy',
      'topic.regex': '(.*)_\\d',
      'topic.replacement': '$1',
      'topic.key.field.name': 'from',
      'field.name.adjustment.mode': 'avro_unicode',
      'schema.name.adjustment.mode': 'avro_unicode',
      'topic.prefix': 'my_shop',
    },
    records: 2,
  });
  const [order, row] = records as [SourceRecord, SourceRecord];
  assert.equal(order.topic, 'my_shop.public.orders');
  assert.deepEqual(plain(order.key), { n_u00e9: 'x', from: 'my_shop.public.orders_1' });
  assert.equal(order.keySchema?.name, 'my_u005fshop.public.orders.Key');
  assert.equal(order.keySchema?.fields?.[0]?.schema.optional, true);
  assert.deepEqual(part(order, 'after'), { id: 1, n_u00e9: 'x' });
  assert.deepEqual(plain(row.key), { from: 'my_shop.public.plain_2' }, 'a table without a key has that one');
});

describe('what a snapshot reads', () => {
  const key = 'snapshot.select.statement.overrides';
  const setup = [
    'create table t (id int primary key, a text, b text not null)',
    "insert into t select i, 'a' || i, 'b' from generate_series(1, 5) i",
  ];

  test('a statement of one’s own', async () => {
    const { records, logs } = await run({
      setup,
      changes: ["insert into t values (9, 'a9', 'b')"],
      config: { [key]: 'public.t', [`${key}.public.t`]: 'select b, id, 1 as more from t where id > 3 order by id desc -- the newest' },
      records: 3,
    });
    assert.deepEqual(
      records.map((record) => part(record, 'after')),
      [
        { id: 5, a: null, b: 'b' },
        { id: 4, a: null, b: 'b' },
        { id: 9, a: 'a9', b: 'b' },
      ],
    );
    assert.ok(!logs.some((line) => line.includes('has no effect')));
  });

  test('a statement that does not run, or leaves out what is needed, fails the task', async () => {
    await using database = await createDatabase(server);
    await sql(database, ...setup);
    for (const [statement, complaint] of [
      ['select id from t', /overrides\.public\.t does not select column "b"/],
      ['select nothing from nowhere', /overrides\.public\.t does not run: relation "nowhere"/],
    ] as const) {
      await using task = await runTask(
        rawConfig(database, { 'table.include.list': 'public.t', [key]: 'public.t', [`${key}.public.t`]: statement }),
      );
      await assert.rejects(task.count(1), complaint);
    }
  });
});

test('replica identities are set where they differ, and the stream goes on where they cannot be', async () => {
  await using database = await createDatabase(server);
  await sql(
    database,
    ...['a', 'b', 'c', 'd'].map(
      (name) => `create table ${name} (id int primary key, sku int not null, constraint ${name}_sku unique (sku))`,
    ),
  );
  const values = 'public.a:FULL,public.b:INDEX b_sku,public.c:INDEX nothing,public.(d):FULL,public.d:NOTHING';
  const config = rawConfig(database, {
    'table.include.list': 'public.*',
    'replica.identity.autoset.values': values,
    'snapshot.mode': 'no_data',
  });
  const identities = async (): Promise<string> => {
    const { rows } = await sql(
      database,
      "select string_agg(relreplident::text, '' order by relname) as found from pg_class where relname in ('a', 'b', 'c', 'd')",
    );
    return String((rows[0] as { found: string }).found);
  };
  await using task = await runTask(config);
  assert.equal(await identities(), 'fidd');
  const said = task.logs.join('\n');
  assert.match(said, /replica identity of table public\.b was DEFAULT, and is now USING INDEX "b_sku"/);
  assert.match(said, /warn: .*public\.c could not be set to USING INDEX "nothing"/);
  assert.match(said, /warn: .*more than one expression matches table public\.d/);
  await task.until(() => task.logs.some((line) => line.includes('streaming from')));
});
