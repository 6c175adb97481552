/**
 * Upserts of rows that are all new, as those of a snapshot are: COPY takes them for half of what INSERT … ON CONFLICT costs the
 * server. The unique index is what tells: where one of the rows is there already, COPY is undone and nothing has happened.
 */
import type { Client } from 'pg';

import type { Step } from './batch.ts';
import type { Table } from './catalog.ts';
import { faultOf } from './errors.ts';
import type { RowChange } from './planner.ts';
import { copyRows } from './statements.ts';

/** Below this the statements around it cost more than it saves. */
const fewestRows = 100;
/** Steps that are not tried after one of their rows was there; each time twice as many, up to the last. */
const firstRest = 16;
const longestRest = 4096;

interface Hope {
  /** Steps that are not tried yet. */
  resting: number;
  /** After the next row that is there already. */
  rest: number;
}

const hopes = new WeakMap<Table, Hope>();

/** Whether they are all in the table now; false where nothing was done. Rejects with an error that is no row's fault. */
export async function copiedAsNew(client: Client, step: Step, items: readonly RowChange[]): Promise<boolean> {
  const { table } = step.plan;
  if (step.kind !== 'upsert' || !table.copyable || items.length < fewestRows) return false;
  let hope = hopes.get(table);
  if (hope === undefined) hopes.set(table, (hope = { resting: 0, rest: firstRest }));
  if (hope.resting > 0) {
    hope.resting--;
    return false;
  }
  try {
    await copyRows(client, step, items, (copy) => `SAVEPOINT millrace_new; ${copy}; RELEASE SAVEPOINT millrace_new`);
    hope.rest = firstRest;
    return true;
  } catch (error) {
    if (faultOf(error) !== 'row') throw error;
    await client.query('ROLLBACK TO SAVEPOINT millrace_new; RELEASE SAVEPOINT millrace_new');
    hope.resting = hope.rest;
    hope.rest = Math.min(hope.rest * 2, longestRest);
    return false;
  }
}
