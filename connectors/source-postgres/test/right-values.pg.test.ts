/** What Debezium gets wrong in values, each in a snapshot and in the stream, on the oldest and the newest PostgreSQL. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import type { SourceRecord } from '@millrace/runtime/api';

import { createDatabase, startPostgres } from '../../../test/services/postgres.ts';
import type { PostgresServer } from '../../../test/services/postgres.ts';
import { asMessage, convertersOf } from './fixtures.ts';
import { rawConfig, runTask, sql } from './harness.ts';
import type { RawConfig } from './harness.ts';

const converters = convertersOf({ 'value.converter.replace.null.with.default': 'false' });
type Json = Record<string, unknown>;
const at = (value: unknown, ...path: string[]): unknown => path.reduce<unknown>((one, name) => (one as Json | null)?.[name], value);
const afterOf = (record: SourceRecord): Json => at(asMessage(record, converters).value, 'payload', 'after') as Json;
const schemaOf = (record: SourceRecord): Json[] => {
  const fields = at(asMessage(record, converters).value, 'schema', 'fields') as Json[];
  return fields.find(({ field }) => field === 'after')?.['fields'] as Json[];
};
const number = (source: string) => ({ number: source });

/** Column, its type, a value, and what is written. */
const columns: readonly (readonly [name: string, type: string, value: string, expected: unknown])[] = [
  ['old_date', 'date', "'0044-03-15 BC'", number('-735160')],
  ['julian_date', 'date', "'1500-01-01'", number('-171664')],
  ['old_ts', 'timestamp', "'0044-03-15 10:00:00 BC'", number('-63517788000000000')],
  ['old_tstz', 'timestamptz', "'1500-01-01 00:00:00+00'", '1500-01-01T00:00:00.000000Z'],
  ['endless', 'date', "'infinity'", number('-2147472692')],
  ['endless_ts', 'timestamp(3)', "'-infinity'", number('-9223372036832400')],
  ['most_money', 'money', "'92233720368547758.07'", 'f/////////8='],
  [
    'grid',
    'int[][]',
    "'{{1,2},{3,NULL}}'",
    [
      [number('1'), number('2')],
      [number('3'), null],
    ],
  ],
  ['words', 'text[][]', `'{{a,"b c"}}'`, [['a', 'b c']]],
  ['row_in_grid', 'int[][]', "'{7,8}'", [[number('7'), number('8')]]],
  ['grid_in_row', 'int[]', "'{{1,2},{3,4}}'", ['1', '2', '3', '4'].map(number)],
  ['nan_items', 'numeric(5,1)[]', "'{1.5,NaN,NULL}'", ['Dw==', null, null]],
  ['moods', 'mood[]', "'{ok,NULL}'", ['ok', null]],
  ['times', 'time[]', "'{13:14:15.123456}'", [number('47655123456')]],
  ['zoned_times', 'timetz[]', "'{13:14:15.123456+02}'", ['11:14:15.123456Z']],
  ['bits', 'bit(3)[]', "'{101,NULL}'", ['BQ==', null]],
  ['hundreds', 'numeric(5,-2)', '12345', 'ew=='],
  ['a_name', 'name', "'namé'", 'namé'],
  ['names', 'name[]', "'{abc,NULL}'", ['abc', null]],
  ['intervals', 'interval[]', "'{1 day,NULL}'", [number('86400000000'), null]],
  ['sums', 'money[]', "'{1.5,NULL}'", ['AJY=', null]],
  ['varbits', 'varbit[]', "'{101,NULL}'", ['BQ==', null]],
  ['xmls', 'xml[]', "'{<a/>,NULL}'", ['<a/>', null]],
  ['points', 'point[]', `'{"(1,2)"}'`, [{ x: number('1.0'), y: number('2.0'), wkb: 'AQEAAAAAAAAAAADwPwAAAAAAAABA', srid: null }]],
  ['quoted', "text default 'it''s' not null", 'default', "it's"],
  ['é', 'int not null', '4', number('4')],
  ['domain_mood', 'mood_domain', "'sad'", 'sad'],
  ['nested_domain', 'nested_mood', "'sad'", 'sad'],
  ['domain_grid', 'grid_domain', "'{{1},{2}}'", [[number('1')], [number('2')]]],
  ['cursor', 'refcursor', "'c'", undefined],
  ['pair', 'pair', "'(1,x)'", undefined],
];
const types = [
  "create type mood as enum ('sad', 'ok')",
  "create domain mood_domain as mood check (value <> 'ok')",
  'create domain nested_mood as mood_domain',
  'create domain grid_domain as int[][]',
  'create type pair as (a int, b text)',
];
const table = `create table t (id serial primary key, ${columns.map(([name, type]) => `"${name}" ${type}`).join(', ')})`;
const insert = `insert into t values (default, ${columns.map(([, , value]) => value).join(', ')})`;

for (const version of ['15', '18'] as const) {
  describe(`values on PostgreSQL ${version}`, () => {
    let server: PostgresServer;
    before(async () => void (server = await startPostgres({ version })));
    after(() => server[Symbol.asyncDispose]());

    /** The records of what was there before, and of what came while streaming. */
    async function records(setUp: readonly string[], streamed: readonly string[], count: number, more: RawConfig = {}) {
      await using database = await createDatabase(server);
      await sql(database, ...setUp);
      await using running = await runTask(rawConfig(database, more));
      await running.until(() => running.logs.some((line) => line.includes('streaming from')));
      await sql(database, ...streamed);
      return { records: await running.count(count), logs: running.logs };
    }

    test('a row is the same in a snapshot and in the stream, and right', async () => {
      const { records: found } = await records([...types, table, insert], [insert], 2);
      const [snapshot, streamed] = found as [SourceRecord, SourceRecord];
      for (const [name, , , expected] of columns) {
        assert.deepEqual(afterOf(snapshot)[name], expected, `${name} in the snapshot`);
        assert.deepEqual(afterOf(streamed)[name], expected, `${name} in the stream`);
      }
      assert.deepEqual(schemaOf(snapshot), schemaOf(streamed));
      const schema = Object.fromEntries(schemaOf(streamed).map((field) => [field['field'], field]));
      assert.equal(at(schema, 'hundreds', 'parameters', 'scale'), '-2');
      assert.equal(at(schema, 'quoted', 'default'), "it's");
      assert.equal(at(schema, 'grid', 'items', 'type'), 'array');
      assert.equal(at(schema, 'domain_mood', 'parameters', 'allowed'), 'sad,ok');
      assert.equal(at(schema, 'é', 'optional'), false);
    });

    test('values of types without a form are bytes where they are asked for', async () => {
      const { records: found } = await records([...types, table, insert], [insert], 2, { 'include.unknown.datatypes': 'true' });
      for (const record of found) {
        assert.equal(afterOf(record)['cursor'], Buffer.from('c').toString('base64'));
        assert.equal(afterOf(record)['pair'], Buffer.from('(1,x)').toString('base64'));
      }
    });

    test('types of users that bear the names of known ones are not taken for them', async () => {
      const own = ['create type hstore as (a int)', "create type ltree as enum ('a')", 'create domain citext as int'];
      const setUp = [...own, 'create table o (id int primary key, h hstore, l ltree, c citext)', "insert into o values (1, '(1)', 'a', 5)"];
      const { records: found } = await records(setUp, ["insert into o values (2, '(1)', 'a', 5)"], 2);
      assert.deepEqual(
        found.map(afterOf),
        [1, 2].map((id) => ({ id: number(String(id)), l: 'a', c: number('5') })),
      );
    });

    test('generated columns are in both or in neither', async () => {
      const kinds = version === '18' ? ', v int generated always as (n + 1) virtual' : '';
      const setUp = [
        `create table g (id int primary key, n int, twice int generated always as (n * 2) stored${kinds})`,
        'insert into g values (1, 2)',
      ];
      const { records: found } = await records(setUp, ['insert into g values (2, 3)'], 2);
      assert.deepEqual(found.map(afterOf).map(Object.keys), Array(2).fill(version === '18' ? ['id', 'n', 'twice'] : ['id', 'n']));
      const theirs = await records(setUp, ['insert into g values (2, 3)'], 2, { 'debezium.bug.compatible': 'true' });
      assert.deepEqual(
        theirs.records.map((record) => 'twice' in afterOf(record)),
        [true, false],
      );
    });

    test('a label that an enum got since is in the schema of the rows that bear it', async () => {
      const { records: found } = await records(
        [
          "create type mood as enum ('sad', 'ok')",
          'create table t (id int primary key, m mood, ms mood[])',
          "insert into t values (1, 'ok', '{sad}')",
        ],
        [
          "insert into t values (2, 'sad', '{ok}')",
          "alter type mood add value 'glad'",
          "insert into t values (3, 'glad', '{ok}'), (4, 'sad', '{}')",
          "alter type mood add value 'mad' after 'sad'",
          "insert into t values (5, null, '{ok,mad}')",
          "alter type mood rename value 'glad' to 'happy'",
          "insert into t values (6, 'happy', null)",
          'delete from t where id = 3',
        ],
        8,
      );
      const rows = found.filter((record) => record.value !== null && afterOf(record) !== null);
      assert.deepEqual(
        rows.map((record) => [afterOf(record)['id'], afterOf(record)['m']]),
        [
          ['1', 'ok'],
          ['2', 'sad'],
          ['3', 'glad'],
          ['4', 'sad'],
          ['5', null],
          ['6', 'happy'],
        ].map(([id, m]) => [number(id as string), m]),
      );
      const allowed = rows.map((record) =>
        String(
          at(
            schemaOf(record).find(({ field }) => field === 'm'),
            'parameters',
            'allowed',
          ),
        ).split(','),
      );
      for (const [row, labels] of [
        [2, ['sad', 'ok', 'glad']],
        [4, ['sad', 'mad', 'ok']],
        [5, ['sad', 'mad', 'ok', 'happy']],
      ] as const)
        for (const label of labels) assert.ok(allowed[row]?.includes(label), `${label} in row ${row + 1}: ${allowed[row]}`);
    });
  });
}
