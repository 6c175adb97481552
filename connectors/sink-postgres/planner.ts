/** From records to operations on tables. */
import { DataError, sameSchema } from '@millrace/runtime/api';
import type { Schema, SinkRecord } from '@millrace/runtime/api';
import type { Client } from 'pg';

import { changeOf } from './change.ts';
import type { Change, RowOperation } from './change.ts';
import { faultOf } from './errors.ts';
import { fieldsOf } from './fields.ts';
import { tableNamer } from './identifiers.ts';
import { compilePlan, writeRow } from './plan.ts';
import type { Plan, WrittenRow } from './plan.ts';
import type { Rows } from './rows.ts';
import type { Settings } from './settings.ts';
import type { Tables } from './tables.ts';

/** `patch`: an upsert of a row some of whose values are not known, so that it can only be changed where it is. */
export type WriteKind = 'insert' | 'upsert' | 'update' | 'patch' | 'delete';

/** A row to be written or deleted; several of one key may have become one. */
export interface RowChange {
  readonly kind: WriteKind;
  /** The last that it was made of. */
  readonly record: SinkRecord;
  readonly plan: Plan;
  /** Its values: the row of that number among these. */
  readonly rows: Rows;
  readonly row: number;
  /** Some of its values are to be left as they are. */
  readonly sparse: boolean;
  readonly key: string | undefined;
  /** The row is to be gone before it is written anew, since columns that are not written must not stay. */
  readonly deleteFirst: boolean;
  /** What it was made of, in order; undefined for itself alone. */
  readonly parts: readonly RowChange[] | undefined;
  /** Its place in the transaction. */
  order: number;
}

export type Operation =
  | RowChange
  | { readonly kind: 'truncate'; readonly record: SinkRecord; readonly plan: Plan }
  /** Nothing is to be done for it. */
  | { readonly kind: 'none'; readonly record: SinkRecord }
  | { readonly kind: 'refused'; readonly record: SinkRecord; readonly error: Error };

interface Known {
  readonly keySchema: Schema | null;
  readonly rowSchema: Schema | null;
  /** Names of fields, for records without schemas. */
  readonly names: string;
  readonly purpose: Purpose;
  /** Undefined: there is no table, and nothing to do. */
  readonly plan: Plan | undefined | DataError;
  readonly untilMs: number;
}

/** Deletes know the key alone, truncates not even that. */
type Purpose = 'write' | 'upsert' | 'delete' | 'truncate';

/** How long a table that cannot take records is believed to be so. */
const refusalMs = 2_000;
const mostPlans = 1_000;

export class Planner {
  readonly #settings: Settings;
  readonly #tables: Tables;
  readonly #nameOf: (record: SinkRecord) => string;
  #plans = new Map<string, Known[]>();
  #count = 0;

  constructor(settings: Settings, tables: Tables) {
    this.#settings = settings;
    this.#tables = tables;
    this.#nameOf = tableNamer(settings);
  }

  /** Tables may have changed. */
  forget(): void {
    this.#plans.clear();
    this.#count = 0;
    this.#tables.forget();
  }

  /** Of each record, with its values written to `rows`; looks up, creates and extends tables on the way. Rejects for what is not the records' fault. */
  async operations(client: Client, records: readonly SinkRecord[], rows: Rows): Promise<Operation[]> {
    const operations: Operation[] = [];
    for (const record of records) {
      try {
        operations.push(this.#operation(record, rows) ?? (await this.#planned(client, record, rows)));
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        operations.push({ kind: 'refused', record, error });
      }
    }
    return operations;
  }

  /** What can be said without asking the database: undefined for a record of a shape that was not seen yet. */
  known(record: SinkRecord, rows: Rows): Operation | undefined {
    try {
      return this.#operation(record, rows);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      return { kind: 'refused', record, error };
    }
  }

  #operation(record: SinkRecord, rows: Rows): Operation | undefined {
    const change = changeOf(record);
    const purpose = this.#purposeOf(change);
    if (purpose === undefined) return { kind: 'none', record };
    const row = change.kind === 'row' || change.kind === 'delete' ? change.row : null;
    const rowSchema = change.kind === 'row' || change.kind === 'delete' ? change.schema : null;
    const found = this.#find(this.#nameOf(record), record.keySchema, rowSchema, namesOf(record, row, rowSchema, this.#settings), purpose);
    if (found === undefined) return undefined;
    if (found.plan instanceof DataError) throw found.plan;
    return this.#asPlanned(found.plan, record, change, rows);
  }

  /** As above, where the table is to be looked up first. */
  async #planned(client: Client, record: SinkRecord, rows: Rows): Promise<Operation> {
    const change = changeOf(record);
    const purpose = this.#purposeOf(change);
    if (purpose === undefined) return { kind: 'none', record };
    const row = change.kind === 'row' || change.kind === 'delete' ? change.row : null;
    const rowSchema = change.kind === 'row' || change.kind === 'delete' ? change.schema : null;
    const names = namesOf(record, row, rowSchema, this.#settings);
    const plan = await this.#make(client, this.#nameOf(record), record, row, rowSchema, names, purpose);
    return this.#asPlanned(plan, record, change, rows);
  }

  /** Undefined where nothing is to be done. */
  #purposeOf(change: Change): Purpose | undefined {
    const { deletes, truncates, insertMode } = this.#settings;
    switch (change.kind) {
      case 'nothing':
        return undefined;
      case 'delete':
        return deletes && this.#hasKey(change.row) ? 'delete' : undefined;
      case 'truncate':
        return truncates ? 'truncate' : undefined;
      case 'row':
        return insertMode === 'upsert' ? 'upsert' : 'write';
    }
  }

  #asPlanned(plan: Plan | undefined, record: SinkRecord, change: Change, rows: Rows): Operation {
    if (plan === undefined) return { kind: 'none', record };
    switch (change.kind) {
      case 'nothing':
        return { kind: 'none', record };
      case 'truncate':
        return { kind: 'truncate', record, plan };
      case 'delete':
        return rowChange('delete', record, plan, rows, writeRow(plan, rows, record, change.row, undefined));
      case 'row':
        return this.#write(plan, record, change.row, change.operation, rows);
    }
  }

  /** A tombstone after a delete event has no more to say where the key, or the name of the table, stands in the value. */
  #hasKey(row: unknown): boolean {
    if (row !== null && row !== undefined) return true;
    return this.#settings.keyMode === 'record_key' && !this.#settings.tableFormat.includes('${source.');
  }

  #write(plan: Plan, record: SinkRecord, row: unknown, operation: RowOperation, rows: Rows): Operation {
    const { insertMode, keyMode, placeholder } = this.#settings;
    // An event that says that the row is there: another one of that key would be refused at best.
    const changes = insertMode === 'insert' && operation === 'u' && keyMode.startsWith('record_');
    const mode = changes ? 'update' : insertMode;
    const written = writeRow(plan, rows, record, row, mode === 'insert' || operation === 'c' ? undefined : placeholder);
    const kind = mode === 'upsert' && written.sparse ? 'patch' : mode;
    return rowChange(kind, record, plan, rows, written);
  }

  #find(name: string, keySchema: Schema | null, rowSchema: Schema | null, names: string, purpose: Purpose): Known | undefined {
    const plans = this.#plans.get(name);
    if (plans === undefined) return undefined;
    for (let at = 0; at < plans.length; at++) {
      const known = plans[at] as Known;
      if (known.purpose !== purpose || known.names !== names) continue;
      if (!sameSchema(known.rowSchema, rowSchema) || !sameSchema(known.keySchema, keySchema)) continue;
      if (known.untilMs === Number.POSITIVE_INFINITY || known.untilMs > Date.now()) return known;
      plans.splice(at, 1);
      return undefined;
    }
    return undefined;
  }

  async #make(
    client: Client,
    name: string,
    record: SinkRecord,
    row: unknown,
    rowSchema: Schema | null,
    names: string,
    purpose: Purpose,
  ): Promise<Plan | undefined> {
    const remember = (plan: Plan | undefined | DataError, untilMs: number): void => {
      if (++this.#count > mostPlans) this.forget();
      const plans = this.#plans.get(name) ?? [];
      plans.push({ keySchema: record.keySchema, rowSchema, names, purpose, plan, untilMs });
      this.#plans.set(name, plans);
    };
    const keyOnly = purpose === 'delete' || purpose === 'truncate';
    // Faults of the one record, such as a missing key, are not those of others like it.
    const fields = purpose === 'truncate' ? [] : fieldsOf(this.#settings, record, row, rowSchema, keyOnly);
    try {
      const table = await this.#tables.ensure(client, name, fields, keyOnly);
      const plan = table === undefined ? undefined : compilePlan(table, fields, this.#settings, purpose === 'upsert');
      remember(plan, plan === undefined ? Date.now() + refusalMs : Number.POSITIVE_INFINITY);
      return plan;
    } catch (error) {
      if (error instanceof DataError && faultOf(error) === 'row') {
        this.#tables.forget();
        remember(error, Date.now() + refusalMs);
      }
      throw error;
    }
  }
}

const rowChange = (kind: WriteKind, record: SinkRecord, plan: Plan, rows: Rows, { row, key, sparse }: WrittenRow): RowChange => ({
  kind,
  record,
  plan,
  rows,
  row,
  sparse,
  key,
  deleteFirst: false,
  parts: undefined,
  order: 0,
});

/** What tells records apart that no schema does. */
function namesOf(record: SinkRecord, row: unknown, rowSchema: Schema | null, { keyMode }: Settings): string {
  let names = '';
  if (rowSchema === null && typeof row === 'object' && row !== null) names = Object.keys(row).join('\u0000');
  if (keyMode === 'record_key') {
    const { key, keySchema } = record;
    if (key === null || key === undefined) names += '\u0002';
    else if (keySchema === null) names += typeof key === 'object' ? `\u0001${Object.keys(key).join('\u0000')}` : `\u0001${typeof key}`;
  } else if (keyMode === 'record_header') {
    names += `\u0003${record.headers.map(({ key, schema }) => `${key} ${schema?.type ?? ''} ${schema?.name ?? ''}`).join('\u0000')}`;
  }
  return names;
}
