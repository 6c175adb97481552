/** What becomes of values, in columns that the sink makes and in columns that are there. */
import { deepEqual, equal } from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { dateSchema, schemas, structOf, structSchema, withOptions } from '@millrace/runtime/api';

import { createDatabase } from '../../../test/services/postgres.ts';
import type { Database } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { rawConfig, record, rows, runSink, sql } from './harness.ts';
import { debeziumCases, plainCases } from './value-cases.ts';
import type { ValueCase } from './value-cases.ts';

const keySchema = structSchema([['id', schemas.int32]]);
const flavours = [
  ['confluent', plainCases, { 'auto.create': 'true', 'auto.evolve': 'true', 'pk.mode': 'record_key' }],
  [
    'debezium',
    [...plainCases, ...debeziumCases],
    { 'schema.evolution': 'basic', 'primary.key.mode': 'record_key', 'quote.identifiers': 'true' },
  ],
] as const;

describe('values', () => {
  let database: Database;
  before(async () => {
    database = await createDatabase(await usePostgres(), 'sink_values');
    await sql(database, `create type mood as enum ('sad', 'happy')`);
  });
  after(() => database[Symbol.asyncDispose]());

  const recordOf = (cases: readonly ValueCase[], offset: number, isNull = false) => {
    const schema = structSchema([
      ['id', schemas.int32],
      ...cases.map(({ name, schema: of }) => [name, withOptions(of, { optional: true })] as const),
    ]);
    const values = isNull ? {} : Object.fromEntries(cases.map(({ name, value }) => [name, value]));
    return record(offset, structOf(schema, { id: offset, ...values }), { key: structOf(keySchema, { id: offset }) });
  };
  const textsOf = async (table: string, id: number, names: readonly string[]): Promise<unknown[]> => {
    const [row] = await sql(
      database,
      `select ${names.map((name) => `"${name}"::text as "${name}"`).join(', ')} from "${table}" where id = ${id}`,
    );
    return names.map((name) => [name, row?.[name]]);
  };

  for (const [flavour, cases, more] of flavours) {
    const names = cases.map(({ name }) => name);
    for (const mode of ['insert', 'upsert']) {
      const table = `made_${flavour}_${mode}`;
      it(`${flavour}, ${mode}: into columns that are made for them`, async () => {
        await using sink = await runSink(rawConfig(database, { ...more, 'insert.mode': mode, 'table.name.format': table }), { flavour });
        // Two at a time, so that arrays of arrays are met as well.
        await sink.write(recordOf(cases, 1), recordOf(cases, 2), recordOf(cases, 3, true));
        deepEqual(
          sink.reported.map(({ error }) => error.message),
          [],
        );
        const types = await sql(
          database,
          `select attname, format_type(atttypid, atttypmod) as type from pg_attribute where attrelid = '"${table}"'::regclass and attnum > 1`,
        );
        deepEqual(
          types.map(({ attname, type }) => [attname, type]),
          cases.map(({ name, type }) => [name, type]),
        );
        const expected = cases.map(({ name, text }) => [name, text]);
        deepEqual(await textsOf(table, 1, names), expected);
        deepEqual(await textsOf(table, 2, names), expected);
        deepEqual(
          await textsOf(table, 3, names),
          names.map((name) => [name, null]),
        );
      });
    }
  }

  it('into columns of other types that are there', async () => {
    const others = [...plainCases, ...debeziumCases].flatMap(({ name, into = {}, ...rest }) =>
      Object.entries(into).map(([type, text], place) => ({ ...rest, name: `${name}_${place}`, type, text })),
    );
    await sql(database, `create table there (id int primary key, ${others.map(({ name, type }) => `"${name}" ${type}`).join(', ')})`);
    for (const mode of ['insert', 'upsert']) {
      const raw = rawConfig(database, { 'insert.mode': mode, 'pk.mode': 'record_key', 'table.name.format': 'there' });
      await using sink = await runSink(raw);
      const offset = mode === 'insert' ? 1 : 2;
      await sink.write(recordOf(others, offset));
      deepEqual(
        sink.reported.map(({ error }) => error.message),
        [],
      );
      deepEqual(
        await textsOf(
          'there',
          offset,
          others.map(({ name }) => name),
        ),
        others.map(({ name, text }) => [name, text]),
      );
    }
  });

  it('moments in the zone of the settings, old dates in either calendar', async () => {
    const moments = plainCases.filter(({ name }) => name === 'timestamp' || name === 'date');
    const raw = rawConfig(database, {
      'auto.create': 'true',
      'db.timezone': 'America/New_York',
      'date.timezone': 'UTC',
      'table.name.format': 'zoned',
    });
    await using sink = await runSink(raw);
    await sink.write(recordOf(moments, 1));
    equal(sink.reported.length, 0);
    deepEqual(await textsOf('zoned', 1, ['timestamp', 'date']), [
      ['timestamp', '2024-02-29 07:34:56.789'],
      ['date', '2024-02-29'],
    ]);
  });

  for (const [calendar, expected] of [
    ['LEGACY', '1500-01-01'],
    ['PROLEPTIC_GREGORIAN', '1500-01-10'],
  ]) {
    it(`dates before 1582 in the ${calendar} calendar`, async () => {
      const table = `old_${calendar}`;
      const schema = structSchema([['date', dateSchema()]]);
      const raw = rawConfig(database, { 'auto.create': 'true', 'date.calendar.system': calendar as string, 'table.name.format': table });
      await using sink = await runSink(raw);
      await sink.write(record(0, structOf(schema, { date: new Date(Date.UTC(1500, 0, 10)) })));
      deepEqual(await rows(database, `select date::text from "${table}"`), [`{"date":"${expected}"}`]);
    });
  }

  it('counts of microseconds and nanoseconds that the config names', async () => {
    for (const [unit, count] of [
      ['microseconds', 1_709_210_096_789_123n],
      ['nanoseconds', 1_709_210_096_789_123_456n],
    ] as const) {
      const table = `counted_${unit}`;
      const schema = structSchema([['at', schemas.int64]]);
      const more = { 'timestamp.precision.mode': unit, 'timestamp.fields.list': 'at', 'table.name.format': table };
      await using sink = await runSink(rawConfig(database, { 'auto.create': 'true', ...more }));
      await sink.write(record(0, structOf(schema, { at: count })));
      deepEqual(await rows(database, `select at::text from ${table}`), ['{"at":"2024-02-29 12:34:56.789123"}']);
    }
  });
});
