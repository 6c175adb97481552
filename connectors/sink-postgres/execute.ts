/** Runs the phases of a transaction; what one bad row breaks is taken apart until it alone is left out. */
import type { SinkRecord } from '@millrace/runtime/api';
import type { Client } from 'pg';

import { stepsOf } from './batch.ts';
import type { Step, TableBatch } from './batch.ts';
import { codeOf, faultOf } from './errors.ts';
import { copiedAsNew } from './new-rows.ts';
import type { RowChange } from './planner.ts';
import { prepareStep } from './statements.ts';

/** A record that the table refuses, and why: the server's error. */
export interface Refusal {
  readonly record: SinkRecord;
  readonly table: string;
  readonly error: unknown;
}

export interface ExecuteOptions {
  readonly batchRows: number;
  /** Constraints that wait for the end of the transaction are checked after each step, while it is known whose fault it is. */
  readonly checkDeferred: boolean;
  /** A table whose rows needed those of another one first. */
  readonly comesLater: (table: string) => void;
  /** Rows that were to be changed and are not there. */
  readonly notFound: (table: string, rows: number) => void;
}

/** All of it, or a rejection with the server's error. */
export async function execute(client: Client, batches: readonly TableBatch[], options: ExecuteOptions): Promise<void> {
  for (const batch of batches) await runTable(client, batch, options);
}

async function runTable(client: Client, { table, phases }: TableBatch, options: ExecuteOptions): Promise<void> {
  // One statement is made while the one before is on its way.
  let before: Promise<void> = Promise.resolve();
  for (const phase of phases) {
    if (phase.truncate) {
      await before;
      before = client.query(`TRUNCATE ${table.sql}`).then(() => {});
    }
    for (const step of stepsOf(phase)) {
      const items = inOrder(step.items);
      if (step.kind === 'upsert') {
        await before;
        if (await copiedAsNew(client, step, items)) continue;
      }
      // COPY takes any number of rows as they come; a statement holds all of its in memory, at the server too.
      const most = step.kind === 'insert' && step.plan.table.copyable ? items.length : options.batchRows;
      for (let from = 0; from < items.length; from += most) {
        const send = prepare(step, items.slice(from, from + most), options);
        await before;
        before = send(client);
        before.catch(() => {});
      }
    }
  }
  await before;
}

/** The order in which all tasks lock rows. That of numbers as they grow, which often is how they come. */
const byKey = ({ key: a = '' }: RowChange, { key: b = '' }: RowChange): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

function inOrder(items: readonly RowChange[]): readonly RowChange[] {
  if (items[0]?.key === undefined) return items;
  const sorted = items.every((item, at) => at === 0 || byKey(items[at - 1] as RowChange, item) <= 0);
  return sorted ? items : items.toSorted(byKey);
}

function prepare(step: Step, items: readonly RowChange[], { notFound }: ExecuteOptions): (client: Client) => Promise<void> {
  const send = prepareStep(step, items);
  return async (client) => {
    const rows = await send(client);
    if (step.kind === 'update' && rows < items.length) notFound(step.plan.table.label, items.length - rows);
  };
}

/** As `execute`, but leaves out the records that cannot be written, and returns them. */
export async function executeCarefully(client: Client, batches: readonly TableBatch[], options: ExecuteOptions): Promise<Refusal[]> {
  const failed: TableBatch[] = [];
  for (const batch of batches) {
    if ((await attempt(client, options, () => runTable(client, batch, options))) !== undefined) failed.push(batch);
  }
  const refusals: Refusal[] = [];
  for (const batch of failed) {
    // What it refers to may have come with another table of the same transaction.
    if (failed.length < batches.length && (await attempt(client, options, () => runTable(client, batch, options))) === undefined) {
      options.comesLater(batch.table.sql);
      continue;
    }
    for (const phase of batch.phases) {
      if (phase.truncate) await client.query(`TRUNCATE ${batch.table.sql}`);
      for (const step of stepsOf(phase)) refusals.push(...(await isolate(client, step, options)));
    }
  }
  return refusals;
}

/** In a savepoint: resolves with the error that was undone; rejects with one that is not a row's fault. */
async function attempt(client: Client, { checkDeferred }: ExecuteOptions, work: () => Promise<unknown>): Promise<unknown> {
  await client.query('SAVEPOINT millrace');
  try {
    await work();
    if (checkDeferred) await client.query('SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED');
    await client.query('RELEASE SAVEPOINT millrace');
    return undefined;
  } catch (error) {
    if (faultOf(error) !== 'row') throw error;
    await client.query('ROLLBACK TO SAVEPOINT millrace; RELEASE SAVEPOINT millrace');
    return error;
  }
}

interface Failure {
  readonly item: RowChange;
  readonly error: unknown;
}

async function isolate(client: Client, step: Step, options: ExecuteOptions): Promise<Refusal[]> {
  let failures: Failure[] = [];
  // In the order in which they came, in which one may make room for another.
  await split(
    client,
    step,
    step.items.toSorted((a, b) => a.order - b.order),
    options,
    failures,
  );
  for (let before = Number.POSITIVE_INFINITY; failures.length < before && failures.some((failure) => mayPass(step, failure));) {
    before = failures.length;
    failures = await again(client, step, failures, options);
  }
  const refusals: Refusal[] = [];
  for (const { item, error } of failures) {
    if (item.parts === undefined) refusals.push({ record: item.record, table: item.plan.table.label, error });
    else refusals.push(...(await oneByOne(client, item.parts, options)));
  }
  return refusals;
}

/** Other rows of the step may have made room for it: the row that it refers to, a unique value that moved on. */
function mayPass({ kind }: Step, { error }: Failure): boolean {
  const code = codeOf(error);
  return code === '23503' || (kind !== 'insert' && (code === '23505' || code === '23P01'));
}

async function again(client: Client, step: Step, failures: readonly Failure[], options: ExecuteOptions): Promise<Failure[]> {
  const left: Failure[] = [];
  for (const failure of failures) {
    const error = mayPass(step, failure)
      ? await attempt(client, options, () => prepare(step, [failure.item], options)(client))
      : failure.error;
    if (error !== undefined) left.push({ item: failure.item, error });
  }
  return left;
}

/** A key's changes as they came, since what they come to was refused. */
async function oneByOne(client: Client, changes: readonly RowChange[], options: ExecuteOptions): Promise<Refusal[]> {
  const refusals: Refusal[] = [];
  for (const change of changes) {
    for (const step of stepsOf({ truncate: false, keyed: new Map(), unkeyed: [change] })) {
      const error = await attempt(client, options, () => prepare(step, [change], options)(client));
      if (error !== undefined) refusals.push({ record: change.record, table: change.plan.table.label, error });
    }
  }
  return refusals;
}

const splitInto = 8;

async function split(client: Client, step: Step, items: readonly RowChange[], options: ExecuteOptions, failures: Failure[]): Promise<void> {
  if (items.length === 0) return;
  const error = await attempt(client, options, () => prepare(step, items, options)(client));
  if (error === undefined) return;
  const [only] = items;
  if (items.length === 1 && only !== undefined) {
    failures.push({ item: only, error });
    return;
  }
  const line = badLine(error);
  if (line !== undefined && line <= items.length) {
    await split(client, step, items.slice(0, line - 1), options, failures);
    await split(client, step, items.slice(line - 1, line), options, failures);
    await split(client, step, items.slice(line), options, failures);
    return;
  }
  const size = Math.ceil(items.length / splitInto);
  for (let from = 0; from < items.length; from += size) await split(client, step, items.slice(from, from + size), options, failures);
}

/** COPY says in which line it stumbled, counted from one. */
function badLine(error: unknown): number | undefined {
  const where = (error as { where?: unknown }).where;
  const line = /^COPY .+, line (\d+)/m.exec(typeof where === 'string' ? where : '')?.[1];
  return line === undefined ? undefined : Number(line);
}
