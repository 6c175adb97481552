/** Rows of every type that source-postgres reads, through the log, into a table like theirs: text for text the same. */
import { deepEqual } from 'node:assert/strict';
import { test } from 'node:test';

import { startMillrace } from '../../../test/services/millrace.ts';
import { createDatabase } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { sql } from './harness.ts';
import { sinkConfig, sourceConfig, untilEqual } from './pipeline.ts';

const columns: Readonly<Record<string, readonly string[]>> = {
  smallint: ['-32768', '7'],
  integer: ['2147483647', '-1'],
  bigint: ['-9223372036854775808', '9007199254740993'],
  real: ['3.25', 'NaN'],
  'double precision': ['1e308', '-Infinity'],
  numeric: ['123456789012345678901234567890.123', '-0.5'],
  'numeric(20,4)': ['1234567890123456.7891', '-1'],
  money: ['12.34', '-0.01'],
  boolean: ['t', 'f'],
  text: ['line\n\ttab "q" \\N \\', ''],
  'varchar(20)': ['é🦆', 'NULL'],
  'char(5)': ['ab', ''],
  bytea: ['\\x00ff5c', '\\x'],
  date: ['2024-02-29', '0044-03-15 BC'],
  time: ['12:34:56.789012', '00:00'],
  // Debezium has all of them in UTC.
  timetz: ['12:34:56.789012+00', '00:00+00'],
  timestamp: ['2024-02-29 12:34:56.789012', 'infinity'],
  timestamptz: ['2024-02-29 12:34:56.789012+05:30', '1900-01-01 00:00+00'],
  interval: ['1 year 2 mons 3 days 04:05:06.5', '-1 day'],
  uuid: ['0b0f2a55-64a4-4e7b-b1c3-0e5d5d9b5c3e', '00000000-0000-0000-0000-000000000000'],
  json: ['{"a": [1, null, "\\u00e9"]}', '[]'],
  jsonb: ['{"big": 12345678901234567890}', '"text"'],
  xml: ['<a b="c">d</a>', '<e/>'],
  'bit(1)': ['1', '0'],
  'bit(10)': ['1010100101', '0000000001'],
  // Debezium's bytes do not tell how long a shorter one is.
  'bit varying(12)': ['101000000101', '111100001111'],
  inet: ['10.0.0.1/8', '::1'],
  cidr: ['10.0.0.0/8', '::/0'],
  macaddr: ['08:00:2b:01:02:03', '00:00:00:00:00:00'],
  int4range: ['[1,10)', 'empty'],
  tstzrange: ['["2024-01-01 00:00:00+00","2024-01-02 00:00:00+00")', 'empty'],
  point: ['(1.5,-2)', '(0,0)'],
  tsvector: [`'a':1 'b':2`, `'word'`],
  mood: ['happy', 'sad'],
  'integer[]': ['{1,NULL,3}', '{}'],
  'text[]': ['{"a,b","NULL",NULL,"\\"q\\" \\\\"}', '{""}'],
  'uuid[]': ['{0b0f2a55-64a4-4e7b-b1c3-0e5d5d9b5c3e}', '{}'],
  'numeric(8,2)[]': ['{1.50,-2.25}', '{}'],
  'timestamptz[]': ['{"2024-02-29 12:34:56+00"}', '{}'],
};
const names = Object.keys(columns).map((_, place) => `c${place}`);

for (const times of ['adaptive', 'connect', 'isostring']) {
  test(`each type of column, time.precision.mode=${times}`, { timeout: 5 * 60_000 }, async () => {
    const server = await usePostgres();
    await using from = await createDatabase(server, 'types_from');
    await using to = await createDatabase(server, 'types_to');
    // What Connect's milliseconds, and the ends of time, cannot hold is not asked of them.
    const short = times === 'connect' ? (text: string) => text.replace('.789012', '.789').replace('infinity', '1999-01-01') : String;
    const plain = (text: string) =>
      times === 'isostring' ? text.replace('infinity', '1999-01-01').replace('0044-03-15 BC', '0044-03-15') : text;
    const all = Object.values(columns).map((texts) => texts.map((text) => plain(short(text)).replaceAll("'", "''")));
    const table = `create table typed (id int primary key, ${Object.keys(columns)
      .map((type, place) => `c${place} ${type}`)
      .join(', ')})`;
    for (const side of [from, to]) await sql(side, `create type mood as enum ('sad', 'happy')`, table);
    const insert = (id: number, which: number): string =>
      `insert into typed values (${id}, ${all.map((texts) => (which > 1 ? 'null' : `'${texts[which]}'`)).join(', ')})`;
    await sql(from, insert(1, 0), insert(2, 1), insert(3, 2));

    await using worker = await startMillrace({ properties: { 'offset.flush.interval.ms': '200' } });
    const more = { 'table.include.list': 'public.typed', 'time.precision.mode': times, 'include.unknown.datatypes': 'true' };
    await worker.put('source', sourceConfig(from.database, from, { ...more, 'interval.handling.mode': 'string' }));
    const topics = `${from.database}.public.typed`;
    await worker.put('there', sinkConfig(to, { topics, 'collection.name.format': 'typed', 'schema.evolution': 'none' }));
    await worker.put('made', sinkConfig(to, { topics, 'collection.name.format': 'made' }));
    const texts = `select id, ${names.map((name) => `${name}::text`).join(', ')} from typed order by id`;
    const read = (which: 'source' | 'target') => sql(which === 'source' ? from : to, texts);
    await untilEqual(worker, ['source', 'there'], read);
    // By the stream, after the snapshot; and a row changed from one to the other.
    await sql(
      from,
      insert(11, 0),
      insert(12, 1),
      insert(13, 2),
      'update typed set c9 = c9 || c9 where id < 10',
      'delete from typed where id = 3',
    );
    const rows = await untilEqual(worker, ['source', 'there', 'made'], read);
    deepEqual(
      rows.map(({ id }) => id),
      [1, 2, 11, 12, 13],
    );
    const count = (which: 'source' | 'target') =>
      sql(which === 'source' ? from : to, `select id from ${which === 'source' ? 'typed' : 'made'} order by id`);
    await untilEqual(worker, ['made'], count);
  });
}
