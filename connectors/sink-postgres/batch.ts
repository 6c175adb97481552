/**
 * Operations of a transaction brought together: for each table a row of phases, in each of which every key occurs once,
 * so that one statement can write many rows. What a key's operations come to in the end is the same as one by one.
 */
import type { Table } from './catalog.ts';
import type { Plan } from './plan.ts';
import type { Operation, RowChange, WriteKind } from './planner.ts';

export interface Phase {
  /** Before everything else. */
  truncate: boolean;
  readonly keyed: Map<string, RowChange>;
  readonly unkeyed: RowChange[];
}

export interface TableBatch {
  readonly table: Table;
  readonly phases: Phase[];
}

/** Tables in the order of their names: tasks that lock rows of several do so in one order. */
export function collapse(operations: readonly Operation[]): TableBatch[] {
  const batches = new Map<string, TableBatch>();
  let batch: TableBatch | undefined;
  operations.forEach((operation, order) => {
    if (operation.kind === 'none' || operation.kind === 'refused') return;
    const { table } = operation.plan;
    if (batch?.table !== table) batch = batches.get(table.sql);
    if (batch === undefined) batches.set(table.sql, (batch = { table, phases: [newPhase(false)] }));
    if (operation.kind === 'truncate') batch.phases.push(newPhase(true));
    else add(batch, operation, order);
  });
  return [...batches.values()].toSorted((a, b) => (a.table.sql < b.table.sql ? -1 : 1));
}

const newPhase = (truncate: boolean): Phase => ({ truncate, keyed: new Map(), unkeyed: [] });

function add(batch: TableBatch, change: RowChange, order: number): void {
  change.order = order;
  const phase = batch.phases.at(-1) as Phase;
  const { key } = change;
  if (key === undefined) {
    phase.unkeyed.push(change);
    return;
  }
  const before = phase.keyed.get(key);
  const result = before === undefined ? change : merged(before, change);
  if (result !== undefined) {
    phase.keyed.set(key, result);
    return;
  }
  const next = newPhase(false);
  next.keyed.set(key, change);
  batch.phases.push(next);
}

/** What two changes of a key come to; undefined where they have to be done one after the other. */
function merged(before: RowChange, change: RowChange): RowChange | undefined {
  const parts = [...(before.parts ?? [before]), change];
  if (change.kind === 'delete') return { ...change, parts };
  if (before.kind === 'delete') {
    return change.kind === 'insert' || change.kind === 'upsert' ? { ...change, deleteFirst: true, parts } : undefined;
  }
  // A second insert has to be refused by the database, and not here.
  if (change.kind === 'insert' || before.plan !== change.plan) return undefined;
  const { row, sparse } = change.sparse ? change.rows.merge(before.row, change.row, change.plan.columns.length) : change;
  return { ...change, kind: mergedKind(before.kind, change.kind, sparse), deleteFirst: before.deleteFirst, row, sparse, parts };
}

function mergedKind(before: WriteKind, change: WriteKind, sparse: boolean): WriteKind {
  if (before === 'insert') return 'insert';
  if (change === 'update') return before === 'upsert' ? 'upsert' : before;
  return sparse ? 'patch' : 'upsert';
}

/** One statement's worth: rows of one kind, with values for the same columns. */
export interface Step {
  readonly kind: WriteKind;
  readonly plan: Plan;
  /** Which of the plan's columns are written; all of them where undefined. */
  readonly written: readonly number[] | undefined;
  readonly items: readonly RowChange[];
}

const kindOrder: readonly WriteKind[] = ['delete', 'update', 'patch', 'upsert', 'insert'];

/** Deletes come first, then changes: both may free what a new row needs. */
export function stepsOf(phase: Phase): Step[] {
  const groups = new Map<string, Step & { items: RowChange[] }>();
  const ids = new Map<Plan, number>();
  let last: (Step & { items: RowChange[] }) | undefined;
  const put = (kind: WriteKind, item: RowChange): void => {
    const { plan } = item;
    const sparse = kind !== 'delete' && item.sparse;
    // Mostly one is like the one before.
    if (last?.plan === plan && last.kind === kind && last.written === undefined && !sparse) {
      last.items.push(item);
      return;
    }
    if (!ids.has(plan)) ids.set(plan, ids.size);
    const written = sparse ? plan.columns.flatMap((_, at) => (item.rows.isKept(item.row, at) ? [] : [at])) : undefined;
    // Any plan will do for a delete: the key's columns are the same.
    const id = kind === 'delete' ? keyColumns(plan) : `${ids.get(plan)} ${written?.join(',') ?? ''}`;
    last = groups.get(`${kind} ${id}`);
    if (last === undefined) groups.set(`${kind} ${id}`, (last = { kind, plan, written, items: [item] }));
    else last.items.push(item);
  };
  for (const item of phase.keyed.values()) {
    if (item.deleteFirst) put('delete', item);
    put(item.kind, item);
  }
  for (const item of phase.unkeyed) put(item.kind, item);
  return [...groups.values()].toSorted((a, b) => kindOrder.indexOf(a.kind) - kindOrder.indexOf(b.kind));
}

const keyColumns = ({ columns, keyCount }: Plan): string =>
  columns
    .slice(0, keyCount)
    .map(({ column, plain }) => `${column.name} ${plain}`)
    .join('\u0000');
