/** What PostgreSQL's catalog says of the tables that a snapshot reads: their parts, and how large they are. */
import type { Client } from 'pg';

import type { Settings } from '../config/settings.ts';
import type { CapturedTable } from '../catalog/tables.ts';
import type { SnapshotProgress } from '../position/progress.ts';
import { everything } from '../position/tid.ts';
import { wholePart } from './work.ts';
import type { Part, TableWork } from './work.ts';

interface PartRow {
  root: number;
  oid: number;
  schema: string;
  table: string;
  kind: string;
  filenode: number | null;
  pages: number;
  tuples: number;
  heap: boolean;
  toasted: boolean;
  whole: boolean;
}

const partsQuery = `
select t.root, c.oid, n.nspname::text as schema, c.relname::text as table, c.relkind::text as kind,
  pg_relation_filenode(c.oid)::int8::float8 as filenode,
  coalesce(case when c.relkind = 'r' then pg_relation_size(c.oid) / current_setting('block_size')::int end, 0)::float8 as pages,
  greatest(c.reltuples, 0)::float8 as tuples,
  c.relkind = 'r' and a.amname = 'heap' and current_setting('server_version_num')::int >= 140000 as heap,
  c.reltoastrelid <> 0 and c.relreplident <> 'f' and coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0) > 0 as toasted,
  not has_table_privilege(c.oid, 'select') or row_security_active(t.root) as whole
from (
  select r.oid as root, coalesce(p.relid::oid, r.oid) as oid
  from unnest($1::oid[]) as r(oid)
  left join lateral (select relid from pg_partition_tree(r.oid) where isleaf) p on r.oid = any($2::oid[])
) t
join pg_class c on c.oid = t.oid
join pg_namespace n on n.oid = c.relnamespace
left join pg_am a on a.oid = c.relam`;

/** The tables' parts, as they are now, less what `progress` tells to be done. */
export async function planTables(
  client: Client,
  tables: readonly CapturedTable[],
  settings: Settings,
  progress: SnapshotProgress | undefined,
  nextXid: number,
  onRewritten: (table: CapturedTable) => void,
): Promise<TableWork[]> {
  const done = new Set(progress?.done);
  const wanted = tables.filter(({ oid }) => !done.has(oid));
  const partitioned = wanted.filter((table) => table.partitioned).map(({ oid }) => oid);
  const { rows } = await client.query<PartRow>(partsQuery, [wanted.map(({ oid }) => oid), partitioned]);
  const byRoot = Map.groupBy(rows, ({ root }) => root);
  // What the stream leaves out of a changed row, or does not tell of at all, only the row itself holds. And once
  // transaction ids have come round, a row of old may look as if it had changed.
  const silent = nextXid >= 2 ** 32 || settings.skipped.has('u') || settings.skipUnchanged || settings.skipsOrigins;

  const planned = wanted.map((table): TableWork => {
    const found = byRoot.get(table.oid) ?? [];
    const before = progress?.open.get(table.oid);
    // A partition that may not be read by itself is read by its root.
    const overridden = settings.selectOverrides.statementOf(table.schema, table.table) !== undefined;
    const whole = overridden || (table.partitioned && (found.length === 0 || found.some((row) => row.whole)));
    const parts = found.map((row): Part => {
      const stored = before?.parts.get(row.oid);
      const rewritten = stored !== undefined && stored.filenode !== (row.filenode ?? 0);
      if (rewritten) onRewritten(table);
      return {
        oid: row.oid,
        schema: row.schema,
        table: row.table,
        only: row.kind !== 'p',
        filenode: row.filenode ?? 0,
        pages: row.pages,
        ranged: row.heap,
        changedToo: progress !== undefined && (silent || row.toasted),
        left: stored === undefined || rewritten || (!row.heap && stored.left.length > 0) ? [everything] : [...stored.left],
        taken: new Set(),
      };
    });
    return {
      table,
      parts: whole ? [{ ...wholePart(table), pages: found.reduce((sum, { pages }) => sum + pages, 0) }] : parts,
      estimatedRows: found.reduce((sum, { tuples }) => sum + tuples, 0),
      reading: undefined,
      rows: before?.rows ?? 0,
      held: undefined,
      begun: before !== undefined,
    };
  });
  const { snapshotOrder } = settings;
  if (snapshotOrder === 'disabled') return planned;
  const sign = snapshotOrder === 'ascending' ? 1 : -1;
  return planned.sort((a, b) => sign * (a.estimatedRows - b.estimatedRows));
}
