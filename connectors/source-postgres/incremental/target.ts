/** The table that is being read, and what is known of it since its last chunk. */
import type { Client } from 'pg';

import { generatedColumns } from '../catalog/generated-columns.ts';
import type { Settings } from '../config/settings.ts';
import type { GeneratedColumns } from '../catalog/table-key.ts';
import { capturedTables } from '../catalog/tables.ts';
import type { CapturedTable } from '../catalog/tables.ts';
import type { CollectionEntry } from './snapshot-state.ts';

export interface Target {
  readonly entry: CollectionEntry;
  readonly table: CapturedTable;
  /** Which of its generated columns are read. */
  readonly generated: GeneratedColumns;
  oid: number;
  /** The columns that tell rows apart in the stream; the first chunk finds them out. */
  identity: readonly string[];
}

/** Undefined for a table that is not captured. */
export async function findTarget(client: Client, settings: Settings, entry: CollectionEntry): Promise<Target | undefined> {
  const table = (await capturedTables(client, settings)).find((one) => `${one.schema}.${one.table}` === entry.id);
  if (table === undefined) return undefined;
  return { entry, table, generated: await generatedColumns(client, settings), oid: table.oid, identity: [] };
}
