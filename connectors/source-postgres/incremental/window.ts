/** One chunk, read and waiting for its place in the stream. */
import type { OffsetMap } from '@millrace/runtime/api';

import type { Lsn } from '../position/lsn.ts';
import type { RecordQueue } from '../records/queue.ts';
import { rowRecord } from '../records/records.ts';
import type { RecordContext } from '../records/records.ts';
import type { RowCheck } from '../records/row-check.ts';
import { processingScope, transactionScopeOf } from '../records/source-block.ts';
import type { ChangedRows } from './changed-rows.ts';
import type { Chunk } from './chunk-reader.ts';
import type { Key } from './java-values.ts';
import type { CollectionEntry } from './snapshot-state.ts';

/** Where the stream is, between two transactions. */
export interface Place {
  readonly offset: OffsetMap;
  readonly reached: Lsn;
  readonly lastCommit: Lsn | undefined;
  /** To be called when an offset of it is on its way. */
  settle(): void;
}

export interface EmitParts {
  readonly context: RecordContext;
  readonly queue: RecordQueue;
  /** Undefined within a transaction, and while no position is known. */
  readonly place: () => Place | undefined;
}

const pageBytes = 8192;
const longestPageHeaderBytes = 40;

export class ChunkWindow {
  readonly entry: CollectionEntry;
  readonly chunk: Chunk;
  readonly changed: ChangedRows;
  readonly #closes: string | undefined;
  readonly #finished = Promise.withResolvers<void>();
  #seen = false;
  #passAt: Lsn | undefined;

  /** `closes` is the id of the row in the signal table that ends it. */
  constructor(entry: CollectionEntry, chunk: Chunk, changed: ChangedRows, closes: string | undefined) {
    this.entry = entry;
    this.chunk = chunk;
    this.changed = changed;
    this.#closes = closes;
  }

  markSeen(id: string): void {
    if (id === this.#closes) this.#seen = true;
  }

  /** It is over when the stream is there, seen the mark or not: the table may not be published. */
  passAt(lsn: Lsn): void {
    // The insert position of an idle server may stand behind a page's header, where the stream comes only with more.
    const inPage = Number(BigInt(lsn) % BigInt(pageBytes));
    this.#passAt = inPage > longestPageHeaderBytes ? lsn : typeof lsn === 'bigint' ? lsn - BigInt(inPage) : lsn - inPage;
  }

  isDue(reached: Lsn): boolean {
    return this.#seen || (this.#passAt !== undefined && reached >= this.#passAt);
  }

  /**
   * Hands over the rows that the stream did not tell of, after `before` was told the key of each. Returns how many.
   * Throws a DataError where one must not pass.
   */
  emit({ context, queue }: EmitParts, check: RowCheck, place: Place, before: (key: Key) => void): number {
    const { offset, reached, lastCommit } = place;
    const { layout, rows } = this.chunk;
    place.settle();
    const { keySchema, newKey, valueSchema, shape } = layout;
    const us = Math.floor((performance.timeOrigin + performance.now()) * 1000);
    const scopes = [transactionScopeOf(us, null, lastCommit ?? reached, reached), processingScope()];
    const value = layout.read('incremental');
    let kept = 0;
    for (const { bytes, slots, base, size, key, identity } of rows) {
      if (this.changed.emptied || (identity !== undefined && this.changed.has(identity))) continue;
      const headers = check.headers('new', layout, bytes, slots, base, context.headers);
      if (headers === undefined) continue;
      before(key);
      const row = { bytes, slots, base, scopes, own: nothing };
      queue.push(rowRecord(context, shape.topic, keySchema, newKey, valueSchema, value, row, headers, offset), size);
      kept++;
    }
    const last = rows.at(-1)?.key;
    if (last !== undefined) before(last);
    return kept;
  }

  /** The driver may go on. */
  done(): void {
    this.#finished.resolve();
  }

  /** Resolves after `done`, or when the signal aborts. */
  async finished(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#finished.resolve();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    await this.#finished.promise;
    signal.removeEventListener('abort', stop);
  }
}

const nothing: readonly unknown[] = Object.freeze([]);
