/** Debezium's include and exclude lists: regular expressions that match the whole name, whatever its case. */
import { ConfigError, javaPattern } from '@millrace/runtime/api';

import { isTable } from './signal-settings.ts';
import type { TableRef } from './signal-settings.ts';

export type NameFilter = (name: string) => boolean;

export interface Pattern {
  test(name: string): boolean;
}

/** Throws a ConfigError for a pattern that is none. */
export function pattern(key: string, text: string): Pattern {
  try {
    const { matches } = javaPattern(`(?i)${text.trim()}`);
    return { test: matches };
  } catch (cause) {
    throw new ConfigError(`${key}: "${text}" is not a regular expression: ${(cause as Error).message}`, { cause });
  }
}

export const patterns = (key: string, list: readonly string[] | null): Pattern[] =>
  (list ?? []).filter((text) => text.trim() !== '').map((text) => pattern(key, text));

export interface FilterLists {
  readonly schemas: { readonly include: readonly Pattern[]; readonly exclude: readonly Pattern[] };
  readonly tables: { readonly include: readonly Pattern[]; readonly exclude: readonly Pattern[] };
  readonly columns: { readonly include: readonly Pattern[]; readonly exclude: readonly Pattern[] };
  /** The signal table, which is captured in any case. */
  readonly signals?: TableRef | undefined;
}

const matches = ({ include, exclude }: FilterLists['tables'], name: string): boolean =>
  include.length > 0 ? include.some((regex) => regex.test(name)) : !exclude.some((regex) => regex.test(name));

export const isWantedTable = (lists: FilterLists, schema: string, table: string): boolean =>
  isTable(lists.signals, schema, table) ||
  (schema !== 'pg_catalog' &&
    schema !== 'information_schema' &&
    matches(lists.schemas, schema) &&
    matches(lists.tables, `${schema}.${table}`));

export const isWantedColumn = (lists: FilterLists, schema: string, table: string, column: string): boolean =>
  matches(lists.columns, `${schema}.${table}.${column}`);

/** Tables in the order of the patterns that include them, by name within a pattern. */
export function inSnapshotOrder<T extends { readonly schema: string; readonly table: string }>(
  lists: FilterLists,
  tables: readonly T[],
): T[] {
  const name = (table: T): string => `${table.schema}.${table.table}`;
  const rank = (table: T): number => lists.tables.include.findIndex((regex) => regex.test(name(table)));
  return [...tables].sort((a, b) => rank(a) - rank(b) || (name(a) < name(b) ? -1 : 1));
}

/** One column (a pattern for `schema.table.column`) that belongs to keys. */
export interface KeyRule {
  readonly column: Pattern;
}

/**
 * `message.key.columns`: `shop.orders:id,region;(.*).items:sku`. Columns are patterns, too, and all rules count that
 * match a table. Throws a ConfigError. Source: io.debezium.relational.Key.CustomKeyMapper.
 */
export function keyRules(text: string | null): KeyRule[] {
  if (text === null) return [];
  const rules = text.split(';').filter((rule) => rule.trim() !== '');
  if (rules.length === 0)
    throw new ConfigError('message.key.columns: Must not be empty.', { hint: 'Write schema.table:column,column, or remove it.' });
  return rules.flatMap((rule) => {
    const at = rule.lastIndexOf(':');
    const table = rule.slice(0, at).trim();
    const columns = rule
      .slice(at + 1)
      .split(',')
      .map((column) => column.trim())
      .filter((column) => column !== '');
    if (at < 0 || table === '' || columns.length === 0) {
      throw new ConfigError(`message.key.columns: "${rule.trim()}" is not of the form schema.table:column,column.`);
    }
    return columns.map((column) => ({ column: pattern('message.key.columns', `${table}.${column}`) }));
  });
}

/** The columns of a table that rules put into its key: in the rules' order; none where no rule speaks of the table. */
export function ruledKey(rules: readonly KeyRule[], schema: string, table: string, columns: readonly string[]): string[] {
  const found = rules.flatMap((rule) => columns.filter((name) => rule.column.test(`${schema}.${table}.${name}`)));
  return [...new Set(found)];
}
