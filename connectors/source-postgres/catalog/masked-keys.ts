/** Columns that rules would mask or cut, and that stand in keys as they are. */
import type { Client } from 'pg';

import { readTable } from './catalog.ts';
import type { Settings } from '../config/settings.ts';
import { catalogColumns, catalogRelation, keyNames } from './table-key.ts';
import { capturedTables } from './tables.ts';

/** For the log and for validation; `name` is schema.table.column. */
export const maskedKeyWarning = (name: string): string =>
  `column ${name} is to be masked or cut, but is part of the key, where it stands as it is, since masking it would merge rows. Choose another key with message.key.columns, if it is secret.`;

/** One for each such column of the tables that the filters choose. */
export async function maskedKeyWarnings(client: Client, settings: Settings): Promise<readonly string[]> {
  if (!settings.columnRules.rewrites) return [];
  const tables = await capturedTables(client, settings);
  const { rows } = await client.query<{ oid: number; column: string }>(
    `select attrelid as oid, attname::text as column from pg_attribute where attrelid = any($1) and attnum > 0 and not attisdropped`,
    [tables.map(({ oid }) => oid)],
  );
  const columns = Map.groupBy(rows, ({ oid }) => oid);
  const warnings: string[] = [];
  for (const { oid, schema, table, published } of tables) {
    const isMasked = (column: string): boolean => settings.columnRules.rewriteOf(schema, table, column) !== undefined;
    if (!columns.get(oid)?.some(({ column }) => isMasked(column))) continue;
    const catalog = await readTable(client, oid);
    const relation = catalogRelation(oid, schema, table, catalog, 'all', published);
    const key = keyNames(relation, catalogColumns(relation, catalog), catalog, settings, []);
    warnings.push(...key.filter(isMasked).map((column) => maskedKeyWarning(`${schema}.${table}.${column}`)));
  }
  return warnings;
}
