/** One transaction: rows, the positions that they come to, and the records that were refused on the way. */
import { ConnectError, DataError } from '@millrace/runtime/api';
import type { SinkRecord, SinkTaskContext } from '@millrace/runtime/api';
import pg from 'pg';
import type { Client, QueryResult } from 'pg';

import type { TableBatch } from './batch.ts';
import { collapse } from './batch.ts';
import { explain } from './errors.ts';
import { execute, executeCarefully } from './execute.ts';
import type { ExecuteOptions, Refusal } from './execute.ts';
import type { Place } from './places.ts';
import { beginAt, endSql, readRefused, standingOf } from './positions.ts';
import type { Advance, PositionTables, RefusedOffset, StoredRow } from './positions.ts';
import type { Operation } from './planner.ts';
import type { Settings } from './settings.ts';

/** A record on its way into the target. */
export interface Entry {
  readonly record: SinkRecord;
  readonly place: Place;
  /** The place's when it came; when that has changed since, the entry is void. */
  readonly generation: number;
  operation: Operation | undefined;
  /** Why it was refused, once that was reported: a second try of the transaction does not report it again. */
  reported: string | undefined;
}

/** The error path does not tolerate a refused record, or could not take it. */
export class ReportError extends Error {
  override readonly name = 'ReportError';
}

export interface TransactionOptions extends ExecuteOptions {
  readonly settings: Settings;
  readonly context: SinkTaskContext;
  readonly positions: PositionTables | undefined;
  /** Expects bad rows, and leaves them out; otherwise the first one ends the transaction. */
  readonly careful: boolean;
  /** Of tables that need others' rows first. */
  readonly rankOf: (table: string) => number;
  /** After a deadlock: no other task of ours writes the same tables meanwhile. */
  readonly alone: boolean;
}

export interface Outcome {
  readonly refused: number;
  /** Places where the target has less than was written: read again from there. */
  readonly rewinds: readonly { readonly place: Place; readonly next: bigint }[];
}

/** Writes the entries, whose operations are known; rejects with nothing written. */
export async function writeTransaction(client: Client, entries: readonly Entry[], options: TransactionOptions): Promise<Outcome> {
  try {
    return await inTransaction(client, entries, options);
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

interface PlaceState {
  readonly epoch: bigint;
  /** Everything below is in the target already. */
  readonly floor: bigint;
  /** The last offset that is written, if any is. */
  last: bigint | undefined;
  skipped: number;
}

async function inTransaction(client: Client, entries: readonly Entry[], options: TransactionOptions): Promise<Outcome> {
  const { settings, positions, context } = options;
  const places = placesOf(entries);
  const rows = await beginAt(client, positions, settings.connector, places);
  const states = new Map<Place, PlaceState>();
  const rewinds: { place: Place; next: bigint }[] = [];
  for (const place of places) {
    const standing = positions === undefined ? untracked : standingOf(place, rows.get(place));
    if (standing.kind === 'behind') rewinds.push({ place, next: standing.next });
    else {
      if (positions !== undefined && place.stored === undefined) await firstSight(client, positions, place, rows.get(place), options);
      const floor = standing.next ?? -1n;
      states.set(place, { epoch: standing.epoch, floor, last: undefined, skipped: 0 });
    }
  }
  const { live, refused, again } = sorted(entries, states);
  const batches = ranked(collapse(live.map(({ operation }) => operation as Operation)), options);
  await lockTables(client, batches, options.alone);
  const refusals = options.careful ? await executeCarefully(client, batches, options) : await executeAll(client, batches, options);
  const left = await report(entries, refused, refusals, again, options);
  const advances = [...states].map(([place, state]): Advance => ({ place, epoch: state.epoch, next: nextOf(state) }));
  await end(
    client,
    endSql(
      positions,
      settings.connector,
      advances.filter(({ next }) => next >= 0n),
      left,
    ),
  );
  for (const [place, state] of states) {
    const { epoch, floor, skipped } = state;
    if (skipped > 0) tellSkipped(place, floor, skipped, context, settings);
    const next = nextOf(state);
    place.stored = { epoch, next: next < 0n ? undefined : next };
  }
  return { refused: refusals.length, rewinds };
}

/** The floor where nothing was written; negative where nothing ever was. */
const nextOf = ({ floor, last }: PlaceState): bigint => (last === undefined ? floor : last + 1n);

function placesOf(entries: readonly Entry[]): Place[] {
  const places = new Set<Place>();
  let last: Place | undefined;
  for (const { place } of entries) if (place !== last) places.add((last = place));
  return [...places];
}

const untracked = { kind: 'go', epoch: 0n, next: undefined, topicIsNew: false } as const;

async function executeAll(client: Client, batches: readonly TableBatch[], options: ExecuteOptions): Promise<Refusal[]> {
  await execute(client, batches, options);
  return [];
}

/**
 * Rows are locked in one order within a statement, but new rows, and those of several statements, have none: two tasks may
 * still wait for each other. The one that loses then has the tables to itself, so it cannot lose again. Tables whose rows
 * have no keys need none of this.
 */
async function lockTables(client: Client, batches: readonly TableBatch[], alone: boolean): Promise<void> {
  const tables = batches
    .filter(({ phases }) => phases.some(({ keyed, truncate }) => truncate || keyed.size > 0))
    .map(({ table }) => table.sql);
  if (tables.length === 0) return;
  const name = alone ? 'pg_advisory_xact_lock' : 'pg_advisory_xact_lock_shared';
  const locks = tables.toSorted().map((table) => `SELECT ${name}(hashtextextended(${pg.escapeLiteral(`millrace rows ${table}`)}, 0))`);
  await client.query(locks.join('; '));
}

function ranked(batches: TableBatch[], { rankOf }: TransactionOptions): TableBatch[] {
  return batches.toSorted((a, b) => rankOf(a.table.sql) - rankOf(b.table.sql));
}

/** A partition that this task has not written yet: what its former life left. */
async function firstSight(
  client: Client,
  positions: PositionTables,
  place: Place,
  row: StoredRow | undefined,
  { settings, context }: TransactionOptions,
): Promise<void> {
  const standing = standingOf(place, row);
  if (standing.kind !== 'go' || (standing.next === undefined && !standing.topicIsNew)) return;
  if (standing.topicIsNew) {
    context.log.warn(
      `connector ${settings.connector}: topic ${place.topic} was deleted and made anew; partition ${place.partition} is written from offset ${place.opened} on, ` +
        `whatever was written of the old topic (up to offset ${row?.next ?? 'none'}) stays as it is`,
    );
  }
  place.refused = await readRefused(client, positions, settings.connector, place, standing.topicIsNew);
}

interface Sorted {
  /** To be written. */
  readonly live: readonly Entry[];
  /** Known to be bad before the database was asked, or from a former try. */
  readonly refused: readonly Entry[];
  /** Refused in a former life, and perhaps never told. */
  readonly again: readonly Entry[];
}

function sorted(entries: readonly Entry[], states: ReadonlyMap<Place, PlaceState>): Sorted {
  const [live, refused, again]: [Entry[], Entry[], Entry[]] = [[], [], []];
  let place: Place | undefined;
  let state: PlaceState | undefined;
  for (const entry of entries) {
    if (entry.place !== place) {
      ({ place } = entry);
      state = states.get(place);
    }
    if (state === undefined) continue;
    const { offset } = entry.record;
    if (offset < state.floor) {
      if (entry.place.refused.has(offset)) again.push(entry);
      else state.skipped++;
      continue;
    }
    state.last = offset;
    if (entry.reported !== undefined || entry.operation?.kind === 'refused') refused.push(entry);
    else live.push(entry);
  }
  return { live, refused, again };
}

/** Hands what was refused to the error path, in the order of the records, each once; returns what the target is to remember. */
async function report(
  entries: readonly Entry[],
  refused: readonly Entry[],
  refusals: readonly Refusal[],
  again: readonly Entry[],
  { context, settings }: TransactionOptions,
): Promise<RefusedOffset[]> {
  const errors = new Map<SinkRecord, Error>();
  for (const { record, operation } of refused) if (operation?.kind === 'refused') errors.set(record, operation.error);
  for (const { record, place } of again) errors.set(record, new DataError(place.refused.get(record.offset) ?? ''));
  for (const { record, table, error } of refusals)
    errors.set(record, explain(error, `write a record into table ${table}`, settings.quietValues));
  if (errors.size === 0 && refused.length === 0) return [];
  const left: RefusedOffset[] = [];
  for (const entry of entries) {
    const error = errors.get(entry.record);
    if (error !== undefined && entry.reported === undefined) {
      try {
        await context.report(entry.record, error);
      } catch (cause) {
        throw new ReportError('a refused record is not tolerated', { cause });
      }
      entry.reported = error.message;
    }
    if (entry.reported !== undefined) left.push({ place: entry.place, offset: entry.record.offset, reason: entry.reported });
  }
  return left;
}

async function end(client: Client, sql: string): Promise<void> {
  const results = (await client.query(sql)) as unknown as QueryResult | readonly QueryResult[];
  const last = Array.isArray(results) ? (results.at(-1) as QueryResult) : (results as QueryResult);
  if (last.command !== 'COMMIT') throw new ConnectError(`the transaction was not committed: the server answered ${last.command}.`);
}

function tellSkipped(place: Place, floor: bigint, skipped: number, { log }: SinkTaskContext, { connector, offsetsTable }: Settings): void {
  if (place.warned) return;
  place.warned = true;
  const what = `connector ${connector}: the target holds topic ${place.topic}, partition ${place.partition}, up to offset ${floor} already; what comes again before that is left out (${skipped} records in this batch)`;
  // A few records again are what a crash brings; from the very beginning, somebody may have meant it.
  if (place.opened > 0n) log.info(what);
  else {
    log.warn(
      `${what}. To have it written again, stop the connector and reset its offsets by REST (or delete its rows from ${offsetsTable}); resetting the consumer group alone does not.`,
    );
  }
}
