/** What the target's catalog says of a table. */
import type { Client } from 'pg';

import { describeTable, quoted } from './identifiers.ts';
import type { TableName } from './identifiers.ts';

export interface Column {
  readonly name: string;
  /** As SQL writes it, without length or precision: `numeric`, `public.mood`. */
  readonly type: string;
  /** pg_type's name, of the base type for a domain: `int4`, `timestamptz`, `geometry`. */
  readonly base: string;
  /** typcategory: A arrays, B boolean, D dates and times, N numbers, S strings, U user-defined … */
  readonly category: string;
  /** atttypmod, or -1. */
  readonly typmod: number;
  /** Arrays, composites and domains, which travel as text between arrays of rows. */
  readonly viaText: boolean;
  readonly notNull: boolean;
  readonly hasDefault: boolean;
  readonly generated: boolean;
  readonly identityAlways: boolean;
}

export interface Table {
  readonly name: TableName;
  /** For messages, with the schema that it was found in. */
  readonly label: string;
  /** Quoted, for SQL. */
  readonly sql: string;
  /** COPY cannot write there: a view, or a table with row security or rules. */
  readonly copyable: boolean;
  readonly columns: readonly Column[];
  /** Columns of each unique key that ON CONFLICT can name. */
  readonly uniqueKeys: readonly (readonly string[])[];
}

interface FoundTable {
  readonly oid: number;
  readonly schema: string;
  readonly table: string;
  readonly kind: string;
  readonly guarded: boolean;
}

interface FoundColumn extends Omit<Column, 'viaText'> {
  readonly kind: string;
}

const kinds = new Set(['r', 'p', 'f', 'v']);

/** Undefined where there is no such table, or a view that is not wanted. */
export async function readTable(client: Client, name: TableName, views: boolean): Promise<Table | undefined> {
  const { rows } = await client.query<FoundTable>(
    `select c.oid::int8::int as oid, n.nspname as schema, c.relname as table, c.relkind as kind, c.relrowsecurity or c.relhasrules as guarded
     from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = pg_catalog.to_regclass($1)`,
    [quoted(name)],
  );
  const [found] = rows;
  if (found === undefined || !kinds.has(found.kind) || (found.kind === 'v' && !views)) return undefined;
  const columns = await client.query<FoundColumn>(
    `select a.attname as name, pg_catalog.format_type(a.atttypid, -1) as type, coalesce(b.typname, t.typname) as base,
       coalesce(b.typcategory, t.typcategory) as category, t.typtype as kind, a.atttypmod as typmod, a.attnotnull as "notNull",
       a.atthasdef or a.attidentity <> '' as "hasDefault", a.attgenerated <> '' as generated, a.attidentity = 'a' as "identityAlways"
     from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
       left join pg_catalog.pg_type b on b.oid = nullif(t.typbasetype, 0)
     where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [found.oid],
  );
  const keys = await client.query<{ columns: string[] }>(
    `select array(select a.attname::text from unnest(i.indkey[0:i.indnkeyatts - 1]) with ordinality k(attnum, place)
         join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum order by k.place) as columns
     from pg_catalog.pg_index i
     where i.indrelid = $1::oid and i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null and i.indexprs is null
     order by i.indisprimary desc, i.indexrelid`,
    [found.oid],
  );
  const place = { schema: found.schema, table: found.table };
  return {
    name,
    label: describeTable(place),
    sql: quoted(place),
    copyable: found.kind !== 'v' && !found.guarded,
    columns: columns.rows.map(({ kind, ...column }) => ({
      ...column,
      viaText: column.category === 'A' || kind === 'c' || kind === 'd',
    })),
    uniqueKeys: keys.rows.map((key) => key.columns),
  };
}

/** By its name, or by one that differs in case only where that is the only one. */
export function columnOf(table: Table, name: string): Column | undefined {
  const exact = table.columns.find((column) => column.name === name);
  if (exact !== undefined) return exact;
  const lower = name.toLowerCase();
  const similar = table.columns.filter((column) => column.name.toLowerCase() === lower);
  return similar.length === 1 ? similar[0] : undefined;
}
