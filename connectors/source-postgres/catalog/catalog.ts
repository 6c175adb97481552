/** What PostgreSQL's catalog says of tables and types. */
import pg from 'pg';
import type { Client } from 'pg';

import type { TypeInfo, TypeLookup } from '../values/resolve.ts';

export interface CatalogColumn {
  readonly name: string;
  readonly type: number;
  readonly typmod: number;
  /** How many dimensions it was declared with, if it is an array. */
  readonly dims: number;
  readonly notNull: boolean;
  readonly generated: boolean;
  /** Generated when it is read (PostgreSQL 18): no publication sends it. */
  readonly virtual: boolean;
  /** pg_get_expr's text, or null. */
  readonly defaultText: string | null;
}

export interface CatalogTable {
  readonly columns: readonly CatalogColumn[];
  /** In the order of the primary key's definition; empty without one. */
  readonly primaryKey: readonly string[];
  /** Of the first unique index whose columns are all NOT NULL; empty without one. */
  readonly uniqueKey: readonly string[];
  /** What Debezium takes for that: it may be the key of a partial index, by which rows outside of it are not told apart. */
  readonly looseKey: readonly string[];
  /** relreplident, as in a relation's message. */
  readonly replicaIdentity: string;
  /** In the order of the index that is the replica identity; empty without one. */
  readonly identityKey: readonly string[];
  readonly types: TypeLookup;
}

/** Makes JSON of the rows of a query. */
const rowsOf = (query: string): string => `coalesce((select json_agg(row_to_json(r)) from (${query}) r), '[]')`;

const columnsQuery = `
select a.attname as name, a.atttypid::int8 as type, a.atttypmod as typmod, a.attndims as dims,
  a.attnotnull or (t.typtype = 'd' and t.typnotnull) as "notNull",
  a.attgenerated <> '' as generated, a.attgenerated = 'v' as virtual,
  case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end as "defaultText"
from the
join pg_attribute a on a.attrelid = the.oid
join pg_type t on t.oid = a.atttypid
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attnum > 0 and not a.attisdropped
order by a.attnum`;

const keysQuery = `
select i.indisprimary as primary, i.indisreplident as identity, i.indpred is not null as partial, array(
  select a.attname
  from unnest(i.indkey::int2[]) with ordinality as k(attnum, position)
  join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
  where k.position <= i.indnkeyatts
  order by k.position) as columns
from the
join pg_index i on i.indrelid = the.oid
join pg_class c on c.oid = i.indexrelid
where i.indisunique and i.indisvalid and i.indexprs is null
order by c.relname`;

/** One statement, so that all of it is of one moment: columns and keys that do not fit together would be no key. */
const tableQuery = `
with the as (
  select c.oid, c.relreplident
  from pg_class c
  where c.oid = coalesce((select oid from pg_class where oid = $1), to_regclass($2)::oid)
)
select (select relreplident::text from the) as "replicaIdentity",
  ${rowsOf(columnsQuery)} as columns, ${rowsOf(keysQuery)} as keys`;

const typesQuery = `
with recursive wanted as (
  select t.oid, t.typelem, t.typbasetype, t.typcategory from pg_type t where t.oid = any($1::oid[])
  union
  select t.oid, t.typelem, t.typbasetype, t.typcategory
  from wanted w
  join pg_type t on t.oid = w.typbasetype or (w.typcategory = 'A' and t.oid = w.typelem)
)
select t.oid, t.typname::text as name, t.typtype::text as kind,
  case when t.typtype <> 'd' and t.typcategory = 'A' then t.typelem else 0 end as item,
  t.typbasetype as base, t.typtypmod as "baseTypmod", t.typndims as "baseDims",
  t.typnamespace = 'pg_catalog'::regnamespace or exists (
    select from pg_depend d
    where d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = 'e') as known,
  (select nspname::text from pg_namespace n where n.oid = t.typnamespace and n.nspname <> all (current_schemas(true))) as "farSchema",
  array(select e.enumlabel::text from pg_enum e where e.enumtypid = t.oid order by e.enumsortorder) as labels
from wanted w
join pg_type t on t.oid = w.oid`;

interface KeyRow {
  readonly primary: boolean;
  readonly identity: boolean;
  readonly partial: boolean;
  readonly columns: readonly string[];
}

interface TableRow {
  readonly replicaIdentity: string | null;
  readonly columns: readonly CatalogColumn[];
  readonly keys: readonly KeyRow[];
}

/**
 * A table's columns, keys and types; no columns when it does not exist. `alsoTypes` are looked up too. Where the
 * table was dropped since, one that bears the same name now is described, if a name is given.
 */
export async function readTable(
  client: Client,
  oid: number,
  alsoTypes: readonly number[] = [],
  name?: { readonly schema: string; readonly table: string },
): Promise<CatalogTable> {
  const named = name === undefined ? null : `${pg.escapeIdentifier(name.schema)}.${pg.escapeIdentifier(name.table)}`;
  const { rows } = await client.query<TableRow>(tableQuery, [oid, named]);
  const { replicaIdentity, columns, keys } = rows[0] as TableRow;
  const wanted = [...new Set([...columns.map((column) => column.type), ...alsoTypes])];
  const { rows: types } = await client.query<TypeInfo>(typesQuery, [wanted]);
  const byOid = new Map(types.map((type) => [type.oid, type]));
  const required = new Set(columns.filter((column) => column.notNull).map((column) => column.name));
  const unique = keys.filter((key) => !key.primary && key.columns.every((column) => required.has(column)));
  return {
    columns,
    primaryKey: keys.find((key) => key.primary)?.columns ?? [],
    uniqueKey: unique.find(({ partial }) => !partial)?.columns ?? [],
    looseKey: unique[0]?.columns ?? [],
    replicaIdentity: replicaIdentity ?? 'd',
    identityKey: keys.find((key) => key.identity)?.columns ?? [],
    types: (type) => byOid.get(type),
  };
}

/** Whether a publication sends generated columns, which one can from PostgreSQL 18 on. */
export async function publishesGenerated(client: Client, publication: string): Promise<boolean> {
  const { rows } = await client.query<{ stored: boolean }>(
    "select to_jsonb(p) ->> 'pubgencols' = 's' as stored from pg_publication p where pubname = $1",
    [publication],
  );
  return rows[0]?.stored === true;
}

export interface TableName {
  readonly oid: number;
  readonly schema: string;
  readonly table: string;
}

/** Every ordinary and partitioned table of the database, PostgreSQL's own left out; `ancestors` of a partition. */
export async function listTables(
  client: Client,
): Promise<readonly (TableName & { readonly partitioned: boolean; readonly ancestors: readonly number[] })[]> {
  const { rows } = await client.query<TableName & { partitioned: boolean; ancestors: number[] }>(`
    select c.oid, n.nspname::text as schema, c.relname::text as table, c.relkind = 'p' as partitioned,
      case when c.relispartition
        then array(select a.relid::oid from pg_partition_ancestors(c.oid) a where a.relid <> c.oid)
        else '{}'::oid[] end as ancestors
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and c.relpersistence = 'p'
      and n.nspname not in ('pg_catalog', 'information_schema')
      and n.nspname not like 'pg\\_toast%' and n.nspname not like 'pg\\_temp%'`);
  return rows;
}
