/** What a snapshot reads of a table, and from what. */
import { ConfigError } from '@millrace/runtime/api';
import pg from 'pg';
import type { Client } from 'pg';

import type { ShownColumn, TableLayout, TableShape } from '../records/envelope.ts';
import { explain } from '../connection/errors.ts';
import type { SelectOverrides } from '../config/select-overrides.ts';

/** A table's own SELECT (snapshot.select.statement.overrides). */
export interface TableOverride {
  /** In place of the table's name. */
  readonly from: string;
  /** What it selects; other columns of the table are null. */
  readonly columns: ReadonlySet<string>;
}

/** The columns of keys and values. A mask needs none. */
export const columnsRead = ({ columns, key }: TableShape): readonly ShownColumn[] => [
  ...columns.filter(({ fixed }) => fixed === undefined),
  ...key,
];

/** What is selected of a table, a column for each slot: those that are left out are not read either, but keep their place. */
export function selectList({ shape }: TableLayout, override: TableOverride | undefined): string[] {
  const shown = new Map(columnsRead(shape).map((column) => [column.slot, column.name]));
  return Array.from({ length: shape.width }, (_, slot) => {
    const name = shown.get(slot);
    return name === undefined || override?.columns.has(name) === false ? 'null' : pg.escapeIdentifier(name);
  });
}

/** Throws a ConfigError when the table's SELECT does not run, or leaves out what a record cannot do without. */
export async function readOverride(client: Client, { shape }: TableLayout, overrides: SelectOverrides): Promise<TableOverride | undefined> {
  const statement = overrides.statementOf(shape.schema, shape.table);
  if (statement === undefined) return undefined;
  const key = `snapshot.select.statement.overrides.${shape.schema}.${shape.table}`;
  // On a line of its own, so that a comment at the end of the statement ends there.
  const from = `(${statement}\n) as override`;
  let columns: Set<string>;
  try {
    const { fields } = await client.query(`select * from ${from} limit 0`);
    columns = new Set(fields.map(({ name }) => name));
  } catch (error) {
    const { code = '', message } = error as { code?: string; message?: string };
    // Class 42: a syntax error, a name that is none, a missing right.
    if (code.startsWith('42')) throw new ConfigError(`${key} does not run: ${message}.`, { cause: error, hint: 'Correct the SELECT.' });
    throw explain(error, `run ${key} for the snapshot`);
  }
  const needed = columnsRead(shape).find(({ name, schema }) => !schema.optional && !columns.has(name));
  if (needed !== undefined) {
    throw new ConfigError(`${key} does not select column "${needed.name}", which may not be null in records.`, {
      hint: 'Select it too (SELECT * does), or leave it out with column.exclude.list.',
    });
  }
  return { from, columns };
}
