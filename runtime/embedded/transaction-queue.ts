import { RetriableError } from '../api/index.ts';
import type { Database } from './database.ts';
import { isPassing, isStorageError, storageError } from './storage-error.ts';

/** What a piece of work sees of the transaction that it is part of. */
export interface Transaction {
  /** Puts memory back as it was, when the transaction is rolled back; last first. */
  onRollback(undo: () => void): void;
  onCommit(done: () => void): void;
}

export interface WorkOptions {
  /** For messages: what is being done, such as `appending to`. */
  readonly doing: string;
  /** What it writes, roughly; bounds a transaction. */
  readonly bytes?: number;
  /** Tries again for so long when the disk is full or the file locked. */
  readonly retryForMs?: number;
}

interface Entry {
  readonly work: (transaction: Transaction) => unknown;
  readonly options: WorkOptions;
  readonly deadlineMs: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Keeps transactions short, so that reads come in between. */
const maxTransactionBytes = 8 << 20;
const retryMs = 200;

/**
 * The one writer, with group commit: work that arrives while a transaction is written, or in the same turn of
 * the event loop, shares the next one. Each piece is stored whole or not at all, in the order of the calls.
 */
export class TransactionQueue {
  readonly #database: Database;
  readonly #committed: () => void;
  readonly #warn: (message: string) => void;
  #entries: Entry[] = [];
  #scheduled = false;
  #closing = false;
  #warned = false;
  #drained: (() => void)[] = [];

  constructor(database: Database, options: { committed: () => void; warn: (message: string) => void }) {
    this.#database = database;
    this.#committed = options.committed;
    this.#warn = options.warn;
  }

  /** Resolves with what `work` returned once it is durable. `work` is synchronous, and may run again after a rollback. */
  submit<T>(options: WorkOptions, work: (transaction: Transaction) => T): Promise<T> {
    if (this.#closing) return Promise.reject(new RetriableError('embedded log: it is closed.'));
    return new Promise<T>((resolve, reject) => {
      const deadlineMs = performance.now() + (options.retryForMs ?? 0);
      this.#entries.push({ work, options, deadlineMs, resolve: resolve as (value: unknown) => void, reject });
      this.#schedule(0);
    });
  }

  /** Lets others go first: for long reads in steps. */
  turn(): Promise<void> {
    return new Promise((resolve) => void setImmediate(resolve));
  }

  /** Writes what is waiting, and takes no more. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#entries.length === 0) return;
    const drained = Promise.withResolvers<void>();
    this.#drained.push(drained.resolve);
    await drained.promise;
  }

  #schedule(delayMs: number): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const run = (): void => {
      this.#scheduled = false;
      this.#run();
      if (this.#entries.length > 0) this.#schedule(0);
      else for (const drained of this.#drained.splice(0)) drained();
    };
    if (delayMs > 0) setTimeout(run, delayMs);
    else setImmediate(run);
  }

  #take(): Entry[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#entries.length) {
      bytes += this.#entries[count]?.options.bytes ?? 0;
      if (count > 0 && bytes > maxTransactionBytes) break;
      count++;
    }
    return this.#entries.splice(0, count);
  }

  #run(): void {
    const entries = this.#take();
    const undos: (() => void)[] = [];
    const dones: (() => void)[] = [];
    const results: unknown[] = [];
    let running: Entry | undefined;
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      for (const entry of entries) {
        running = entry;
        results.push(entry.work({ onRollback: (undo) => undos.push(undo), onCommit: (done) => dones.push(done) }));
      }
      running = undefined;
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.inTransaction()) this.#database.exec('ROLLBACK');
      for (const undo of undos.toReversed()) undo();
      this.#failed(entries, running, error);
      return;
    }
    this.#warned = false;
    for (const done of dones) done();
    entries.forEach((entry, index) => entry.resolve(results[index]));
    this.#committed();
  }

  /** Nothing of these was stored. What is not to blame goes again; in a later turn, so that a broken producer's next calls know. */
  #failed(entries: readonly Entry[], running: Entry | undefined, error: unknown): void {
    const again: Entry[] = [];
    const passing = isPassing(error) && !this.#closing;
    const now = performance.now();
    for (const entry of entries) {
      const isToBlame = isStorageError(error) ? !(passing && entry.deadlineMs > now) : entry === running;
      if (isToBlame) entry.reject(storageError(error, entry.options.doing, this.#database.path));
      else again.push(entry);
    }
    this.#entries.unshift(...again);
    if (!passing || again.length === 0) return;
    if (!this.#warned) this.#warn(`${storageError(error, 'writing', this.#database.path).message} Trying again.`);
    this.#warned = true;
    this.#schedule(retryMs);
  }
}
