/** Writes in the background: while one transaction is on its way, records gather for the next. */
import { ConnectError, RetriableError } from '@millrace/runtime/api';
import type { PartitionOffset, SinkTaskContext } from '@millrace/runtime/api';

import { codeOf, explain, faultOf } from './errors.ts';
import { Link } from './link.ts';
import type { Place } from './places.ts';
import { Planner } from './planner.ts';
import { Rows } from './rows.ts';
import type { Settings } from './settings.ts';
import { Tables } from './tables.ts';
import { ReportError, writeTransaction } from './transaction.ts';
import type { Entry, Outcome, TransactionOptions } from './transaction.ts';

/** What may wait while a transaction is on its way; it is what the next one takes. */
const mostRows = 10_000;
const mostBytes = 16 * 1024 * 1024;
/** Of a record that is not written among the rows yet: the first ones of their shape. */
const guessedBytes = 16 * 1024;
/** After so many transactions without a refused record, none is expected. */
const calmAfter = 20;
/** How long what was looked up is believed, where it decides whether a record is refused. */
const freshMs = 1_000;
/** Lost locks are tried again at once, so often. */
const quickTries = 3;

export class Writer implements AsyncDisposable {
  readonly #settings: Settings;
  readonly #context: SinkTaskContext;
  readonly #link: Link;
  readonly #planner: Planner;
  #waiting: Entry[] = [];
  #inFlight: Entry[] = [];
  /** The values of those that wait, and of those in flight. */
  #rows = new Rows();
  #rowsInFlight = new Rows();
  #guessed = 0;
  #running = false;
  #failed: Error | undefined;
  /** Why the last try failed, while there will be another one. */
  #retrying: Error | undefined;
  #tries = 0;
  #counted = 0;
  #staleTries = 0;
  #careful = 0;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #checkDeferred = false;
  #alone = false;
  readonly #ranks = new Map<string, number>();
  readonly #missed = new Set<string>();
  readonly #stop = new AbortController();
  #listeners: (() => void)[] = [];

  constructor(settings: Settings, context: SinkTaskContext) {
    this.#settings = settings;
    this.#context = context;
    this.#link = new Link(settings, context);
    this.#planner = new Planner(settings, new Tables(settings, context.log));
  }

  get isFull(): boolean {
    return this.#guessed + this.#rows.sizeBytes >= mostBytes || this.#waiting.length >= Math.max(mostRows, this.#settings.batchRows);
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#inFlight.length === 0;
  }

  /** Why nothing gets on for the moment. */
  get retrying(): Error | undefined {
    return this.#retrying;
  }

  throwIfFailed(): void {
    if (this.#failed !== undefined) throw this.#failed;
  }

  accept(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    for (const { first, last } of runsOf(entries)) {
      first.place.durable ??= first.record.offset;
      first.place.accepted = last.record.offset + 1n;
    }
    for (const entry of entries) {
      // Now, while the server works on what came before.
      entry.operation = this.#planner.known(entry.record, this.#rows);
      if (entry.operation === undefined) this.#guessed += guessedBytes;
      this.#waiting.push(entry);
    }
    if (this.#running) return;
    this.#running = true;
    void this.#run();
  }

  /** Resolves at the next change of the above. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#listeners.push(resolve));
  }

  /** Forgets what waits of places that are gone, or read again from elsewhere. */
  dropVoid(): void {
    this.#waiting = this.#waiting.filter(isLive);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#waiting = [];
    this.#stop.abort();
    await this.#link[Symbol.asyncDispose]();
  }

  #lookAgain(): void {
    this.#planner.forget();
    for (const entry of this.#inFlight) entry.operation = undefined;
    this.#lookedMs = performance.now();
  }

  #notify(): void {
    for (const listener of this.#listeners.splice(0)) listener();
  }

  async #run(): Promise<void> {
    while (this.#failed === undefined && !this.#stop.signal.aborted) {
      if (this.#inFlight.length === 0) {
        this.#inFlight = this.#waiting;
        this.#waiting = [];
        this.#rowsInFlight.clear();
        [this.#rows, this.#rowsInFlight] = [this.#rowsInFlight, this.#rows];
        this.#guessed = 0;
        if (this.#inFlight.length === 0) break;
        this.#notify();
      }
      try {
        await this.#write();
      } catch (error) {
        await this.#afterError(error);
      }
    }
    this.#running = false;
    this.#notify();
  }

  async #write(): Promise<void> {
    const entries = this.#inFlight.filter(isLive);
    if (entries.length > 0) {
      const { client, positions } = await this.#link.open();
      // Before a record is refused, tables are looked at again: they may have changed since.
      if (this.#careful > 0 && performance.now() - this.#lookedMs > freshMs) this.#lookAgain();
      const unplanned = entries.filter((entry) => entry.operation === undefined && entry.reported === undefined);
      const operations = await this.#planner.operations(
        client,
        unplanned.map(({ record }) => record),
        this.#rowsInFlight,
      );
      for (const [at, entry] of unplanned.entries()) entry.operation = operations[at];
      this.#done(entries, await writeTransaction(client, entries, this.#options(positions)));
    }
    this.#inFlight = [];
    this.#tries = this.#counted = this.#staleTries = 0;
    this.#retrying = undefined;
    this.#alone = false;
    this.#notify();
  }

  #options(positions: TransactionOptions['positions']): TransactionOptions {
    const { batchRows } = this.#settings;
    return {
      settings: this.#settings,
      context: this.#context,
      positions,
      batchRows,
      careful: this.#careful > 0,
      checkDeferred: this.#checkDeferred,
      alone: this.#alone,
      rankOf: (table) => this.#ranks.get(table) ?? 0,
      comesLater: (table) => void this.#ranks.set(table, Math.max(0, ...this.#ranks.values()) + 1),
      notFound: (table, rows) => this.#notFound(table, rows),
    };
  }

  #done(entries: readonly Entry[], { refused, rewinds }: Outcome): void {
    if (this.#careful > 0) this.#careful = refused > 0 ? calmAfter : this.#careful - 1;
    for (const { last } of runsOf(entries)) last.place.durable = last.record.offset + 1n;
    for (const { place, next } of rewinds) this.#rewind(place, next);
  }

  /** The target came back without its last transactions, as after a failover: what it lacks is read again. */
  #rewind(place: Place, next: bigint): void {
    const { topic, partition, stored } = place;
    this.#context.log.warn(
      `connector ${this.#settings.connector}: the target has topic ${topic}, partition ${partition}, up to offset ${next} only, though ${stored?.next} was written; it is read again from there`,
    );
    place.generation++;
    place.stored = stored === undefined ? undefined : { epoch: stored.epoch, next };
    place.durable = place.accepted = undefined;
    this.dropVoid();
    this.#context.seek([{ topic, partition, offset: next }]);
  }

  #notFound(table: string, rows: number): void {
    if (this.#missed.has(table)) return;
    this.#missed.add(table);
    this.#context.log.warn(
      `connector ${this.#settings.connector}: ${rows} rows that were to be updated are not in table ${table}, and were left out, as more may be. With insert.mode=upsert they would be added.`,
    );
  }

  async #afterError(error: unknown): Promise<void> {
    const { connector, maxRetries, limitOutages, quietValues } = this.#settings;
    if (error instanceof ReportError && !(error.cause instanceof RetriableError)) return this.#fail(error.cause);
    const fault = error instanceof ReportError ? 'passing' : faultOf(error);
    const told = error instanceof ReportError ? (error.cause as Error) : explain(error, 'write to the target', quietValues);
    if (fault === 'act') return this.#fail(told);
    if (fault === 'row') {
      if (this.#careful === 0) this.#careful = calmAfter;
      else if (this.#checkDeferred) this.#fail(told);
      // Only COMMIT found it: a constraint that waits for that.
      else this.#checkDeferred = true;
      return undefined;
    }
    if (fault === 'stale') {
      this.#lookAgain();
      if (++this.#staleTries > 3) this.#fail(told);
      return undefined;
    }
    if (fault === 'outage') await this.#link.close();
    if (codeOf(error) === '40P01') this.#alone = true;
    if ((fault === 'passing' || limitOutages) && ++this.#counted > maxRetries) {
      return this.#fail(new ConnectError(`connector ${connector}: gave up after ${maxRetries} retries: ${told.message}`, { cause: told }));
    }
    this.#retrying = told;
    const waitMs = this.#waitMs(fault);
    this.#context.log.warn(`connector ${connector}: trying again in ${Math.round(waitMs)} ms: ${told.message}`);
    this.#notify();
    await sleep(waitMs, this.#stop.signal);
  }

  #waitMs(fault: 'passing' | 'outage'): number {
    const { retryBackoffMs, connectBackoffMs } = this.#settings;
    const tries = this.#tries++;
    if (fault === 'passing') return tries < quickTries ? 10 + Math.random() * 90 : retryBackoffMs;
    return Math.min(retryBackoffMs * 2 ** Math.min(tries, 10), Math.max(retryBackoffMs, connectBackoffMs)) * (0.75 + Math.random() / 4);
  }

  #fail(error: unknown): void {
    this.#failed = error instanceof Error ? error : new ConnectError(String(error));
    this.#retrying = undefined;
    this.#waiting = [];
    this.#inFlight = [];
    this.#context.fail(this.#failed);
  }
}

/** Entries of one place that follow each other. */
function runsOf(entries: readonly Entry[]): { readonly first: Entry; last: Entry }[] {
  const runs: { readonly first: Entry; last: Entry }[] = [];
  let run: { readonly first: Entry; last: Entry } | undefined;
  for (const entry of entries) {
    if (run?.first.place === entry.place) run.last = entry;
    else runs.push((run = { first: entry, last: entry }));
  }
  return runs;
}

const isLive = ({ place, generation }: Entry): boolean => place.generation === generation;

/** Resolves early, and does not reject, when the signal is aborted. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(finish, ms);
    signal.addEventListener('abort', finish, { once: true });
    function finish(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    }
  });
}

/** Up to where all of a place's records are in the target. */
export function safeOffset(place: Place | undefined, given: PartitionOffset): PartitionOffset {
  const { durable, accepted } = place ?? {};
  if (durable === undefined || durable === accepted) return given;
  return durable < given.offset ? { ...given, offset: durable } : given;
}
