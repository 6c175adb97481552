/**
 * What a snapshot reads instead of a whole table.
 * Source: RelationalDatabaseConnectorConfig.getSnapshotSelectOverridesByTable, TableId.parse.
 */
import type { RawConfig } from '@millrace/runtime/api';

export interface SelectOverrides {
  /** The SELECT of a table, without a semicolon at its end, or undefined. */
  statementOf(schema: string, table: string): string | undefined;
  /** What was configured and has no effect. */
  readonly notes: readonly string[];
}

const listKey = 'snapshot.select.statement.overrides';

export const isSelectOverride = (key: string): boolean => key.startsWith(`${listKey}.`);

/** The list says which of the keys `snapshot.select.statement.overrides.<table>` count, as in Debezium. */
export function readSelectOverrides(raw: RawConfig): SelectOverrides {
  const listed = (raw[listKey] ?? '')
    .split(',')
    .map((table) => table.trim())
    .filter((table) => table !== '');
  const statements = new Map<string, string>();
  const notes: string[] = [];
  for (const table of listed) {
    const statement = raw[`${listKey}.${table}`]?.trim().replace(/[;\s]+$/, '') ?? '';
    if (statement === '') notes.push(`${listKey} names ${table}, but ${listKey}.${table} is not set: the table is read whole`);
    else statements.set(JSON.stringify(identifierParts(table)), statement);
  }
  for (const key of Object.keys(raw)) {
    if (isSelectOverride(key) && !listed.includes(key.slice(listKey.length + 1))) {
      notes.push(`${key} has no effect, since ${listKey} does not name that table`);
    }
  }
  return { statementOf: (schema, table) => statements.get(JSON.stringify([schema, table])), notes };
}

/** `shop.orders` or `"my.schema"."a ""table"""`. */
function identifierParts(text: string): string[] {
  return [...text.matchAll(/"((?:[^"]|"")*)"|[^."]+/g)].map(([whole, quoted]) => quoted?.replaceAll('""', '"') ?? whole.trim());
}
