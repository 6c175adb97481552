/** The statements that write many rows: COPY for new ones, arrays of columns (unnest) for all else. */
import pg from 'pg';
import type { Client } from 'pg';

import type { Step } from './batch.ts';
import { copyIn } from './copy-in.ts';
import type { Plan, PlanColumn } from './plan.ts';
import type { RowChange } from './planner.ts';
import { arrayText, copyChunks } from './rows-text.ts';

const quote = (name: string): string => pg.escapeIdentifier(name);

/** Sends what was made, and resolves with how many rows there were to change. Rejects with the server's error. */
export type Send = (client: Client) => Promise<number>;

/** What writes the items' rows, with its texts made: that takes its time, in which the server may do something else. */
export function prepareStep(step: Step, items: readonly RowChange[]): Send {
  const { plan, kind } = step;
  const written = step.written === undefined ? plan.columns.map((_, at) => at) : [...step.written];
  switch (kind) {
    case 'insert':
      if (plan.table.copyable) return (client) => copyRows(client, step, items);
      return sender(step, written, items, 'insert', () => insertSql(plan, written, ''));
    case 'upsert':
      return sender(step, written, items, 'upsert', () => insertSql(plan, written, conflictClause(plan, written)));
    case 'update':
      return update(step, written, items);
    case 'patch':
      return patch(step, written, items);
    case 'delete': {
      const keys = written.slice(0, plan.keyCount);
      return locked(
        step,
        keys,
        items,
        sender(step, keys, items, 'delete', () => deleteSql(plan, keys)),
      );
    }
  }
}

/** `make` is asked for each kind of statement and set of columns once. */
function sender(step: Step, columns: readonly number[], items: readonly RowChange[], kind: string, make: () => string): Send {
  const { plan, written } = step;
  const id = written === undefined ? kind : `${kind} ${columns.join(',')}`;
  let text = plan.sql.get(id);
  if (text === undefined) plan.sql.set(id, (text = make()));
  const query = { text, values: columns.map((at) => arrayText(plan, at, items)) };
  return async (client) => (await client.query(query)).rowCount ?? 0;
}

/**
 * An update or delete takes its locks in whatever order its plan has; tasks that do so in different orders would wait for
 * each other. So the rows are locked before, by a statement of its own.
 */
function locked(step: Step, keys: readonly number[], items: readonly RowChange[], then: Send): Send {
  if (items.length < 2) return then;
  const lock = sender(step, keys, items, 'lock', () => lockSql(step.plan, keys));
  return async (client) => {
    await lock(client);
    return then(client);
  };
}

function update(step: Step, written: readonly number[], items: readonly RowChange[]): Send {
  const { plan } = step;
  if (written.length <= plan.keyCount) return async () => items.length;
  const change = sender(step, written, items, 'update', () => updateSql(plan, written));
  return locked(step, written.slice(0, plan.keyCount), items, change);
}

/** Changes the rows that are there; only then tries to add the others, which may lack what the table requires. */
function patch(step: Step, written: readonly number[], items: readonly RowChange[]): Send {
  const { plan } = step;
  const change = update(step, written, items);
  return async (client) => {
    const changed = await change(client);
    if (changed < items.length) await sender(step, written, items, 'add', () => addSql(plan, written))(client);
    return items.length;
  };
}

/** `unnest($1::int8[], …) AS d(c0, …)` */
function rowsSql(plan: Plan, columns: readonly number[], more = ''): string {
  const parts = columns.map((at, place) => {
    const { column } = plan.columns[at] as PlanColumn;
    return `$${place + 1}::${column.viaText ? 'text' : column.type}[]`;
  });
  return `unnest(${parts.join(', ')})${more === '' ? '' : ' WITH ORDINALITY'} AS d(${columns.map((at) => `c${at}`).join(', ')}${more})`;
}

function valueSql(plan: Plan, at: number): string {
  const { column } = plan.columns[at] as PlanColumn;
  return column.viaText ? `d.c${at}::${column.type}` : `d.c${at}`;
}

const nameSql = (plan: Plan, at: number): string => quote((plan.columns[at] as PlanColumn).column.name);

function insertSql(plan: Plan, columns: readonly number[], end: string): string {
  const overriding = columns.some((at) => plan.columns[at]?.column.identityAlways) ? ' OVERRIDING SYSTEM VALUE' : '';
  const names = columns.map((at) => nameSql(plan, at)).join(', ');
  const values = columns.map((at) => valueSql(plan, at)).join(', ');
  return `INSERT INTO ${plan.table.sql} (${names})${overriding} SELECT ${values} FROM ${rowsSql(plan, columns)}${end}`;
}

function conflictClause(plan: Plan, columns: readonly number[]): string {
  const keys = columns.slice(0, plan.keyCount).map((at) => nameSql(plan, at));
  const sets = columns.slice(plan.keyCount).map((at) => `${nameSql(plan, at)} = EXCLUDED.${nameSql(plan, at)}`);
  return ` ON CONFLICT (${keys.join(', ')}) DO ${sets.length === 0 ? 'NOTHING' : `UPDATE SET ${sets.join(', ')}`}`;
}

const matches = (plan: Plan, columns: readonly number[]): string =>
  columns
    .slice(0, plan.keyCount)
    .map((at) => `t.${nameSql(plan, at)} = ${valueSql(plan, at)}`)
    .join(' AND ');

function lockSql(plan: Plan, keys: readonly number[]): string {
  const rows = rowsSql(plan, keys, ', place');
  return `SELECT count(*) FROM (SELECT 1 FROM ${rows} JOIN ${plan.table.sql} AS t ON ${matches(plan, keys)} ORDER BY d.place FOR UPDATE OF t) AS l`;
}

function updateSql(plan: Plan, columns: readonly number[]): string {
  const sets = columns.slice(plan.keyCount).map((at) => `${nameSql(plan, at)} = ${valueSql(plan, at)}`);
  return `UPDATE ${plan.table.sql} AS t SET ${sets.join(', ')} FROM ${rowsSql(plan, columns)} WHERE ${matches(plan, columns)}`;
}

const deleteSql = (plan: Plan, keys: readonly number[]): string =>
  `DELETE FROM ${plan.table.sql} AS t USING ${rowsSql(plan, keys)} WHERE ${matches(plan, keys)}`;

/** Rows that are not there; ON CONFLICT would not help, since required columns are checked before. */
const addSql = (plan: Plan, columns: readonly number[]): string =>
  insertSql(
    plan,
    columns,
    ` WHERE NOT EXISTS (SELECT 1 FROM ${plan.table.sql} AS t WHERE ${matches(plan, columns)}) ON CONFLICT DO NOTHING`,
  );

/** `within` may put statements around the one that copies. */
export async function copyRows(
  client: Client,
  { plan, written }: Step,
  items: readonly RowChange[],
  within: (sql: string) => string = (sql) => sql,
): Promise<number> {
  const columns = written ?? plan.columns.map((_, at) => at);
  const sql = `COPY ${plan.table.sql} (${columns.map((at) => nameSql(plan, at)).join(', ')}) FROM STDIN`;
  await copyIn(client, within(sql), copyChunks(plan, written, items));
  return items.length;
}
