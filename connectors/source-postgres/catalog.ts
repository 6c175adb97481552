/** What PostgreSQL's catalog says of tables and types. */
import type { Client } from 'pg';

import type { TypeInfo, TypeLookup } from './values/resolve.ts';

export interface CatalogColumn {
  readonly name: string;
  readonly type: number;
  readonly typmod: number;
  readonly notNull: boolean;
  readonly generated: boolean;
  /** pg_get_expr's text, or null. */
  readonly defaultText: string | null;
}

export interface CatalogTable {
  readonly columns: readonly CatalogColumn[];
  /** In the order of the primary key's definition; empty without one. */
  readonly primaryKey: readonly string[];
  /** Of the first unique index whose columns are all NOT NULL; empty without one. */
  readonly uniqueKey: readonly string[];
  readonly types: TypeLookup;
}

const columnsQuery = `
select a.attname::text as name, a.atttypid as type, a.atttypmod as typmod,
  a.attnotnull or (t.typtype = 'd' and t.typnotnull) as "notNull",
  a.attgenerated <> '' as generated,
  case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end as "defaultText"
from pg_attribute a
join pg_type t on t.oid = a.atttypid
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped
order by a.attnum`;

const keysQuery = `
select i.indisprimary as primary, array(
  select a.attname::text
  from unnest(i.indkey::int2[]) with ordinality as k(attnum, position)
  join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
  where k.position <= i.indnkeyatts
  order by k.position) as columns
from pg_index i
join pg_class c on c.oid = i.indexrelid
where i.indrelid = $1 and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
order by c.relname`;

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
  t.typbasetype as base, t.typtypmod as "baseTypmod",
  t.typnamespace = 'pg_catalog'::regnamespace or exists (
    select from pg_depend d
    where d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = 'e') as known,
  array(select e.enumlabel::text from pg_enum e where e.enumtypid = t.oid order by e.enumsortorder) as labels
from wanted w
join pg_type t on t.oid = w.oid`;

/** A table's columns, keys and types; no columns when it does not exist (any more). `alsoTypes` are looked up too. */
export async function readTable(client: Client, oid: number, alsoTypes: readonly number[] = []): Promise<CatalogTable> {
  const { rows: columns } = await client.query<CatalogColumn>(columnsQuery, [oid]);
  const { rows: keys } = await client.query<{ primary: boolean; columns: string[] }>(keysQuery, [oid]);
  const wanted = [...new Set([...columns.map((column) => column.type), ...alsoTypes])];
  const { rows: types } = await client.query<TypeInfo>(typesQuery, [wanted]);
  const byOid = new Map(types.map((type) => [type.oid, type]));
  const required = new Set(columns.filter((column) => column.notNull).map((column) => column.name));
  return {
    columns,
    primaryKey: keys.find((key) => key.primary)?.columns ?? [],
    uniqueKey: keys.find((key) => !key.primary && key.columns.every((name) => required.has(name)))?.columns ?? [],
    types: (type) => byOid.get(type),
  };
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
