/** How records of one shape are written into one table: compiled once, used for each. */
import { DataError } from '@millrace/runtime/api';
import type { SinkRecord } from '@millrace/runtime/api';

import { columnOf } from './catalog.ts';
import type { Column, Table } from './catalog.ts';
import type { FieldSpec } from './fields.ts';
import type { Settings } from './settings.ts';
import { needsCopyEscape, newline, nullMark, tab } from './copy-text.ts';
import type { Rows } from './rows.ts';
import { encoderOf } from './values/encoder.ts';
import { isPlaceholder } from './values/placeholder.ts';
import type { ValueWrite } from './values/value-text.ts';

export interface PlanColumn {
  readonly column: Column;
  readonly field: FieldSpec;
  readonly text: (value: unknown) => string;
  readonly write: ValueWrite;
  /** Its text never needs escaping. */
  readonly plain: boolean;
  /** Written for null. */
  readonly ifNull: string | null;
}

export interface Plan {
  readonly table: Table;
  /** Those of the key first. */
  readonly columns: readonly PlanColumn[];
  readonly keyCount: number;
  /** For records without fields beyond the key. */
  readonly sql: Map<string, string>;
}

/** Throws a DataError for fields that the table cannot take. */
export function compilePlan(table: Table, fields: readonly FieldSpec[], settings: Settings, needsUniqueKey: boolean): Plan {
  // Writes and deletes of one row must come to the same key, in whatever order their schemas have its parts.
  const keys = fields.filter(({ isKey }) => isKey).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const ordered = [...keys, ...fields.filter(({ isKey }) => !isKey)];
  const columns = ordered.flatMap((field): PlanColumn[] => {
    const column = columnOf(table, columnName(field.name, settings));
    if (column === undefined) throw missingColumn(table, field.name, settings);
    // The table computes it, from what it computes it from at the source too.
    if (column.generated) return [];
    const { text, write, plain } = encoderOf(field.schema, column, field.name, settings.values);
    const fallback = settings.values.nullToDefault ? (field.schema?.defaultValue ?? null) : null;
    return [{ column, field, text, write, plain, ifNull: fallback === null ? null : text(fallback) }];
  });
  const names = columns.map(({ column }) => column.name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined)
    throw new DataError(`two fields of the record go into column "${twice}" of ${table.label}: their names differ in case only.`);
  const keyCount = columns.filter(({ field }) => field.isKey).length;
  if (needsUniqueKey) requireUniqueKey(table, names.slice(0, keyCount), settings);
  return { table, columns, keyCount, sql: new Map() };
}

export const columnName = (field: string, { foldNames }: Pick<Settings, 'foldNames'>): string => (foldNames ? field.toLowerCase() : field);

function missingColumn(table: Table, field: string, { keyNames, evolve }: Settings): DataError {
  return new DataError(`table ${table.label} has no column "${field}", which the record has.`, {
    hint: evolve
      ? 'It cannot be added without a schema: add the column, or read records with their schemas.'
      : `Add the column, set ${keyNames.evolve}${keyNames.evolve.includes('=') ? '' : '=true'}, or leave the field out with the transform ReplaceField.`,
  });
}

function requireUniqueKey(table: Table, key: readonly string[], { keyNames }: Settings): void {
  if (key.length === 0) throw new DataError(`insert.mode=upsert needs to know the key of table ${table.label}: set ${keyNames.keyMode}.`);
  const wanted = new Set(key);
  if (table.uniqueKeys.some((columns) => columns.length === wanted.size && columns.every((name) => wanted.has(name)))) return;
  throw new DataError(`table ${table.label} has no primary key or unique constraint on (${key.join(', ')}), which upsert needs.`, {
    hint: `ALTER TABLE … ADD PRIMARY KEY, or choose others by ${keyNames.keyMode} and the key fields.`,
  });
}

/** A row among `rows`. */
export interface WrittenRow {
  readonly row: number;
  /** Tells rows apart; undefined without a key. */
  readonly key: string | undefined;
  /** Some values are not known, and are to be left as they are. */
  readonly sparse: boolean;
}

/**
 * Writes the values of a row, as a line that COPY takes wherever no byte of it needs escaping. Throws a DataError that names
 * the field of one that cannot be written.
 */
export function writeRow(plan: Plan, rows: Rows, record: SinkRecord, value: unknown, placeholder: string | undefined): WrittenRow {
  const { columns, keyCount } = plan;
  const { text: out } = rows;
  const begin = out.position;
  const row = rows.begin(columns.length);
  let key: string | undefined;
  let [sparse, isLine] = [false, true];
  for (let at = 0; at < columns.length; at++) {
    const column = columns[at] as PlanColumn;
    const part = column.field.read(record, value);
    if (at > 0) out.byte(tab);
    const start = out.position;
    try {
      if (at < keyCount) {
        const text = writeKey(column, rows, row, at, part);
        key = key === undefined ? text : `${key}\u0001${text}`;
      } else if (part === null || part === undefined) writeText(rows, row, at, column.ifNull);
      else if (placeholder !== undefined && isPlaceholder(part, placeholder)) {
        rows.setKept(row, at);
        sparse = true;
      } else {
        column.write(part, out);
        rows.setWritten(row, at, start);
      }
    } catch (error) {
      rows.undo(row, begin);
      throw unwritable(plan.table, column.field.name, error);
    }
    if (rows.start(row, at) < 0) out.text(nullMark);
    else if (!column.plain && isLine) isLine = !needsCopyEscape(out, start);
  }
  out.byte(newline);
  if (isLine && !sparse) rows.setLine(row, begin);
  return { row, key, sparse };
}

/** Returns what is written, since rows are told apart by it. */
function writeKey({ text, ifNull }: PlanColumn, rows: Rows, row: number, at: number, part: unknown): string {
  const cell = part === null || part === undefined ? ifNull : text(part);
  writeText(rows, row, at, cell);
  return cell ?? '\u0000';
}

function writeText(rows: Rows, row: number, at: number, cell: string | null): void {
  if (cell === null) return rows.setNull(row, at);
  const start = rows.text.position;
  rows.text.text(cell);
  rows.setWritten(row, at, start);
}

function unwritable(table: Table, field: string, cause: unknown): DataError {
  const found = cause instanceof RangeError ? 'it is nested too deep' : cause instanceof Error ? cause.message : String(cause);
  return new DataError(`field "${field}" cannot be written into ${table.label}: ${found}`, { cause });
}
