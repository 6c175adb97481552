/** What of a table its publication sends: column lists and row filters, which there are from PostgreSQL 15 on. */
import type { Client } from 'pg';

export interface PublishedPart {
  /** Null for all, of which generated ones go by the publication. */
  readonly columns: ReadonlySet<string> | null;
  /** A condition, in SQL. */
  readonly rowFilter: string | null;
}

interface PartRow {
  readonly oid: number;
  readonly columns: string[] | null;
  readonly filter: string | null;
}

/** A table that is published with its whole schema is so without a filter. */
const partsQuery = `
select r.prrelid as oid,
  case when r.prattrs is not null then array(
    select a.attname::text from pg_attribute a
    where a.attrelid = r.prrelid and a.attnum = any(r.prattrs::int2[])
    order by a.attnum) end as columns,
  case when not exists (
    select from pg_publication_namespace n join pg_class c on c.relnamespace = n.pnnspid
    where n.pnpubid = r.prpubid and c.oid = r.prrelid) then pg_get_expr(r.prqual, r.prrelid) end as filter
from pg_publication p
join pg_publication_rel r on r.prpubid = p.oid
where p.pubname = $1 and (r.prattrs is not null or r.prqual is not null)`;

/** By the tables' oids; those that are published whole are not among them. */
export async function publishedParts(client: Client, publication: string): Promise<ReadonlyMap<number, PublishedPart>> {
  const { rows: found } = await client.query<{ lists: boolean }>("select current_setting('server_version_num')::int >= 150000 as lists");
  if (found[0]?.lists !== true) return new Map();
  const { rows } = await client.query<PartRow>(partsQuery, [publication]);
  return new Map(rows.map(({ oid, columns, filter }) => [oid, { columns: columns && new Set(columns), rowFilter: filter }]));
}

/** For messages: nothing for a table that is sent whole. */
export function toldOf(part: PublishedPart | undefined): string {
  const columns = part?.columns === null || part === undefined ? [] : [`columns ${[...part.columns].join(', ')}`];
  const rows = part?.rowFilter ? [`rows where ${part.rowFilter}`] : [];
  const told = [...columns, ...rows];
  return told.length === 0 ? '' : `, as the publication sends it: ${told.join(', ')}`;
}

/** What rows have to be, beside another condition; undefined for anything. */
export function allOf(...conditions: readonly (string | null | undefined)[]): string | undefined {
  const given = conditions.filter((condition) => condition !== null && condition !== undefined);
  return given.length === 0 ? undefined : given.map((condition) => `(${condition})`).join(' and ');
}
