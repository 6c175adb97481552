import { ByteSink } from '@millrace/runtime/api';

import type { Operation } from './operation.ts';

/** An operation and where its lines stand in the batch's bytes. */
export interface BulkEntry {
  readonly operation: Operation;
  readonly start: number;
  readonly end: number;
}

/** What one bulk request takes: `bytes[0, length)`, made of the entries' lines. */
export interface BulkBatch {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly length: number;
  readonly entries: readonly BulkEntry[];
}

export interface BatchLimits {
  readonly records: number;
  /** Infinity for none. */
  readonly bytes: number;
}

/** Gathers operations until a limit is met. */
export class BatchBuilder {
  readonly #out = new ByteSink(64 * 1024);
  readonly #limits: BatchLimits;
  #entries: BulkEntry[] = [];
  /** When the first one came, on the clock of performance.now. */
  sinceMs = 0;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.length;
  }

  get isFull(): boolean {
    return this.#entries.length >= this.#limits.records || this.#out.position >= this.#limits.bytes;
  }

  /**
   * Appends an operation's lines. What it throws leaves the batch as it was. Returns the batch that the operation did
   * not fit into any more, if so: it then stands alone in this one.
   */
  add(operation: Operation, write: (out: ByteSink, operation: Operation) => void): BulkBatch | undefined {
    const out = this.#out;
    const start = out.position;
    try {
      write(out, operation);
    } catch (error) {
      out.position = start;
      throw error;
    }
    const end = out.position;
    operation.bytes = end - start;
    if (this.#entries.length === 0) this.sinceMs = performance.now();
    if (end <= this.#limits.bytes || this.#entries.length === 0) {
      this.#entries.push({ operation, start, end });
      return undefined;
    }
    const lines = out.bytes.slice(start, end);
    out.position = start;
    const full = this.take();
    out.copy(lines);
    this.#entries.push({ operation, start: 0, end: lines.length });
    this.sinceMs = performance.now();
    return full;
  }

  /** What was gathered; the builder is empty then. */
  take(): BulkBatch {
    const bytes = this.#out.bytes.slice(0, this.#out.position);
    const batch = { bytes, length: bytes.length, entries: this.#entries };
    this.#out.clear();
    this.#entries = [];
    return batch;
  }
}

/** A batch of some of the entries of another, in their order. */
export function subBatch(batch: BulkBatch, entries: readonly BulkEntry[]): BulkBatch {
  const length = entries.reduce((sum, { start, end }) => sum + end - start, 0);
  const bytes = new Uint8Array(length);
  let at = 0;
  const moved = entries.map(({ operation, start, end }) => {
    bytes.set(batch.bytes.subarray(start, end), at);
    const entry = { operation, start: at, end: at + end - start };
    at = entry.end;
    return entry;
  });
  return { bytes, length, entries: moved };
}
