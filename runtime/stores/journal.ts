/** What a store is kept in: keyed records, the last of each key counts. A compacted topic, or memory alone. */
export interface JournalRecord {
  readonly key: Buffer;
  /** Null deletes the key. */
  readonly value: Buffer | null;
  readonly timestampMs: number;
}

export interface NewRecord {
  readonly key: string | Uint8Array;
  readonly value: string | Uint8Array | null;
}

export interface Journal extends AsyncDisposable {
  /**
   * Hands over all records there are, then resolves; afterwards each record that comes, this journal's own too.
   * In order for each key.
   */
  start(apply: (records: readonly JournalRecord[]) => void): Promise<void>;
  /** Appends in order; resolves once the records are durable and were handed to `apply`. */
  write(records: readonly NewRecord[]): Promise<void>;
  /** Resolves once everything that was written before the call was handed to `apply`. */
  readToEnd(): Promise<void>;
}

/** Connect's standalone habit: config and status last as long as the process. */
export function memoryJournal(): Journal {
  let apply: ((records: readonly JournalRecord[]) => void) | undefined;
  return {
    async start(onRecords) {
      apply = onRecords;
    },
    async write(records) {
      const timestampMs = Date.now();
      apply?.(records.map(({ key, value }) => ({ key: Buffer.from(key), value: value === null ? null : Buffer.from(value), timestampMs })));
    },
    async readToEnd() {},
    async [Symbol.asyncDispose]() {
      apply = undefined;
    },
  };
}
