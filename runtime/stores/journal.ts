/** What a store is kept in: keyed records, the last of each key counts. A compacted topic, or memory alone. */
export interface JournalRecord {
  /** Empty where a record has none: no store has such a key, but the record counts in what was read. */
  readonly key: Buffer;
  /** Null deletes the key. */
  readonly value: Buffer | null;
  readonly timestampMs: number;
  /** Its place in its partition. */
  readonly offset: bigint;
}

export interface NewRecord {
  readonly key: string | Uint8Array;
  readonly value: string | Uint8Array | null;
}

/**
 * `replay`: the records stood in the journal when it was begun to be read, at the start or, where the topic was
 * made anew or cut off, once more.
 */
export type ApplyRecords = (records: readonly JournalRecord[], replay: boolean) => void;

/** Writes that one worker at a time may make: a later claim, by anybody, ends the earlier one. */
export interface ExclusiveWriting {
  claim(): Promise<void>;
  /**
   * As {@link Journal.write}, and all or nothing. Rejects with a RetriableError where nothing is claimed or the
   * claim was lost; after any rejection it needs a new claim.
   */
  write(records: readonly NewRecord[]): Promise<void>;
}

export interface Journal extends AsyncDisposable {
  /**
   * Hands over all records there are, then resolves; afterwards each record that comes, this journal's own too.
   * In order for each key.
   */
  start(apply: ApplyRecords): Promise<void>;
  /** Appends in order; resolves once the records are durable and were handed to `apply`. */
  write(records: readonly NewRecord[]): Promise<void>;
  /**
   * Resolves once everything that was written before the call was handed to `apply`. Rejects with a RetriableError
   * when that takes longer.
   */
  readToEnd(timeoutMs?: number): Promise<void>;
  /** Undefined where anybody may write at any time. */
  readonly exclusive?: ExclusiveWriting;
}

/** Connect's standalone habit: config and status last as long as the process. */
export function memoryJournal(): Journal {
  let apply: ApplyRecords | undefined;
  let end = 0n;
  return {
    async start(onRecords) {
      apply = onRecords;
    },
    async write(records) {
      const timestampMs = Date.now();
      const written = records.map(({ key, value }) => ({
        key: Buffer.from(key),
        value: value === null ? null : Buffer.from(value),
        timestampMs,
        offset: end++,
      }));
      apply?.(written, false);
    },
    async readToEnd() {},
    async [Symbol.asyncDispose]() {
      apply = undefined;
    },
  };
}
