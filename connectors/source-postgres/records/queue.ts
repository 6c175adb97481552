import type { OffsetMap, SourceRecord } from '@millrace/runtime/api';

export interface QueueLimits {
  /** The most records that one batch has. */
  readonly maxBatchSize: number;
  /** From so many records on the queue is full… */
  readonly maxQueueSize: number;
  /** …and from so many bytes on; 0 is without limit. */
  readonly maxQueueBytes: number;
}

/**
 * What was read and not yet polled. It never refuses a record: whoever fills it looks at `isFull`, stops reading,
 * and goes on when it is told that there is room.
 */
export class RecordQueue {
  readonly #limits: QueueLimits;
  #batches: { readonly records: SourceRecord[]; readonly bytes: number }[] = [];
  #open: SourceRecord[] = [];
  #openBytes = 0;
  #waitingRecords = 0;
  #waitingBytes = 0;
  #wake: (() => void) | undefined;
  #onRoom: (() => void)[] = [];
  #error: Error | undefined;
  /** What the offset of every record has beside its place, while there is such: an incremental snapshot. */
  offsetFields: (() => OffsetMap | undefined) | undefined;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  push(record: SourceRecord, bytes: number): void {
    const more = this.offsetFields?.();
    this.#open.push(more === undefined ? record : { ...record, sourceOffset: { ...record.sourceOffset, ...more } });
    this.#openBytes += bytes;
    if (this.#open.length >= this.#limits.maxBatchSize) this.#closeBatch();
    if (this.#wake !== undefined) this.#wakeUp();
  }

  get isEmpty(): boolean {
    return this.#waitingRecords === 0 && this.#open.length === 0;
  }

  /** What was pushed and not taken. */
  get waiting(): { readonly records: number; readonly bytes: number } {
    return { records: this.#waitingRecords + this.#open.length, bytes: this.#waitingBytes + this.#openBytes };
  }

  get isFull(): boolean {
    const { maxQueueSize, maxQueueBytes } = this.#limits;
    if (this.#waitingRecords + this.#open.length >= maxQueueSize) return true;
    return maxQueueBytes > 0 && this.#waitingBytes + this.#openBytes >= maxQueueBytes;
  }

  /** Calls back, once, when the queue is half empty again; at once where it is. */
  whenRoom(callback: () => void): void {
    this.#onRoom.push(callback);
    this.#tellRoom();
  }

  /** Makes `take` throw this error, once everything before it was taken. */
  fail(error: Error): void {
    this.#error ??= error;
    this.#wakeUp();
  }

  /** The next records; waits for some, so long, or until `signal` aborts: empty then. Throws what it failed with. */
  async take(waitMs: number, signal: AbortSignal): Promise<readonly SourceRecord[]> {
    if (this.isEmpty) {
      this.#throwIfFailed();
      if (!signal.aborted) await this.#wait(waitMs, signal);
      if (this.isEmpty) this.#throwIfFailed();
    }
    const first = this.#batches.shift();
    if (first === undefined) {
      const records = this.#open;
      this.#open = [];
      this.#openBytes = 0;
      this.#tellRoom();
      return records;
    }
    this.#waitingRecords -= first.records.length;
    this.#waitingBytes -= first.bytes;
    this.#tellRoom();
    return first.records;
  }

  #throwIfFailed(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  #closeBatch(): void {
    this.#batches.push({ records: this.#open, bytes: this.#openBytes });
    this.#waitingRecords += this.#open.length;
    this.#waitingBytes += this.#openBytes;
    this.#open = [];
    this.#openBytes = 0;
  }

  #tellRoom(): void {
    if (this.#onRoom.length === 0) return;
    const { maxQueueSize, maxQueueBytes } = this.#limits;
    if (this.#waitingRecords + this.#open.length > maxQueueSize / 2) return;
    if (maxQueueBytes > 0 && this.#waitingBytes + this.#openBytes > maxQueueBytes / 2) return;
    const callbacks = this.#onRoom;
    this.#onRoom = [];
    for (const callback of callbacks) callback();
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #wait(waitMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, waitMs);
    const done = (): void => resolve();
    signal.addEventListener('abort', done, { once: true });
    this.#wake = resolve;
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      this.#wake = undefined;
    });
  }
}
