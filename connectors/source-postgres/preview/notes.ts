/** What is to be known of a preview beside its records. */
import type { CatalogColumn } from '../catalog/catalog.ts';
import type { TableLayout } from '../records/envelope.ts';
import type { Settings } from '../config/settings.ts';
import type { CapturedTable } from '../catalog/tables.ts';

/** So many tables are named, of however many there are. */
const mostNamed = 20;

export function tableNames(tables: readonly CapturedTable[]): string {
  const names = tables.slice(0, mostNamed).map(({ schema, table }) => `${schema}.${table}`);
  const left = tables.length - names.length;
  return `${names.join(', ')}${left > 0 ? ` and ${left} more` : ''}`;
}

/** Which tables match, and whether the connector reads their rows at all. `mode` is that of the config. */
export function modeNotes(mode: string, settings: Settings, tables: readonly CapturedTable[]): string[] {
  if (tables.length === 0) {
    return [`no table of database "${settings.database}" matches the filters: nothing will be captured until one is created.`];
  }
  const notes = [`${tables.length === 1 ? 'one table matches' : `${tables.length} tables match`}: ${tableNames(tables)}.`];
  if (settings.snapshotRules.data === 'never') {
    return [
      ...notes,
      `snapshot.mode=${mode} reads no rows: these records show what rows look like (op "r"); the connector writes their changes alone.`,
    ];
  }
  const unread = tables.filter(({ schema, table }) => !settings.inSnapshot(`${schema}.${table}`));
  if (unread.length === 0) return notes;
  return [
    ...notes,
    `snapshot.include.collection.list leaves out ${tableNames(unread)}: the rows that are there are shown, but changes alone are written.`,
  ];
}

/** Undefined where a table's records have all of its columns. */
export function leftOutNote(
  { schema, table }: CapturedTable,
  { shape }: TableLayout,
  columns: readonly CatalogColumn[],
): string | undefined {
  const shown = new Set(shape.columns.map(({ name }) => name));
  const names = columns.filter(({ name }) => !shown.has(name)).map(({ name }) => name);
  if (names.length === 0) return undefined;
  return `${schema}.${table}: ${names.length === 1 ? 'a column is' : `${names.length} columns are`} left out of values: ${names.join(', ')}.`;
}
