/** Tables of many pages and few bytes, and what a topic's reader makes of their records. */
import type { SourceRecord } from '@millrace/runtime/api';

import type { PostgresAddress } from '../../../test/services/postgres.ts';
import { field, sql } from './harness.ts';

/** More pages than one piece has, with a row on each: readers share it. */
export const pagesOfLarge = 7_000;

/** One that is split between readers: rows of so many bytes (from 500 to 8,000), each on a page of its own. */
export const largeTable = (rowBytes: number): string[] => [
  'create table large (id int primary key, n int not null, filler text) with (fillfactor = 10, autovacuum_enabled = off)',
  'alter table large alter filler set storage plain',
  `insert into large select i, 0, repeat('x', ${rowBytes}) from generate_series(1, ${pagesOfLarge}) i`,
];

/** `large` (split between readers), `small`, `keyless`, `empty`, and `parts`, a table of three partitions. */
export async function createTables(database: PostgresAddress): Promise<void> {
  await sql(
    database,
    ...largeTable(500),
    'create table small (id int primary key, n int not null)',
    'insert into small select i, 0 from generate_series(1, 500) i',
    'create table keyless (id int, n int not null)',
    'alter table keyless replica identity full',
    'insert into keyless select i, 0 from generate_series(1, 300) i',
    'create table empty (id int primary key, n int not null)',
    'create table parts (id int primary key, n int not null) partition by range (id)',
    'create table parts_a partition of parts for values from (0) to (101)',
    'create table parts_b partition of parts for values from (101) to (201)',
    'create table parts_c partition of parts for values from (201) to (1000000)',
    'insert into parts select i, 0 from generate_series(1, 300) i',
  );
}

export const operation = (record: SourceRecord): string => String(field(record, 'op'));
export const marker = (record: SourceRecord): string => String(field(record, 'source', 'snapshot'));
export const tableOf = (record: SourceRecord): string => String(field(record, 'source', 'table'));

/** Table and id of the row, as it is after the change; of a deleted one, as it was. */
export const rowOf = (record: SourceRecord): string =>
  `${tableOf(record)} ${String(field(record, 'after', 'id') ?? field(record, 'before', 'id'))}`;

/** `table id` → `n`, when records are applied in order. */
export function applied(records: readonly SourceRecord[]): Map<string, unknown> {
  const rows = new Map<string, unknown>();
  for (const record of records) {
    if (record.value === null) continue;
    if (operation(record) === 'd') rows.delete(rowOf(record));
    else rows.set(rowOf(record), field(record, 'after', 'n'));
  }
  return rows;
}

/** The same of the database. */
export async function stored(database: PostgresAddress, tables: readonly string[]): Promise<Map<string, unknown>> {
  const queries = tables.map((table) => `select tableoid::regclass::text || ' ' || id as row, n from ${table}`);
  const { rows } = await sql(database, queries.join(' union all '));
  return new Map((rows as { row: string; n: number }[]).map(({ row, n }) => [row, n]));
}

export const sorted = (rows: ReadonlyMap<string, unknown>): string[] => Array.from(rows, ([row, n]) => `${row}: ${String(n)}`).sort();

/** Rows that came as `r` more than once. */
export function repeatedReads(records: readonly SourceRecord[]): string[] {
  const reads = records.filter((record) => record.value !== null && operation(record) === 'r').map(rowOf);
  const seen = new Set<string>();
  return reads.filter((row) => seen.has(row) || !seen.add(row));
}
