/** What a config would write, for somebody to look at before it does. */

export interface PreviewOptions {
  /** At most so many are shown. */
  readonly records: number;
  /** What was found by then is the answer. */
  readonly timeoutMs: number;
}

/** Bytes as they would be written, or their beginning. */
export interface ShownBytes {
  readonly bytes: Uint8Array;
  /** How many there are, where not all of them are shown. */
  readonly cutFrom?: number;
}

/** A record as it would stand in the log. */
export interface PreviewRecord {
  readonly topic: string;
  /** Null: by the key. */
  readonly partition: number | null;
  /** Milliseconds since 1970; null: when it is written. */
  readonly timestamp: number | null;
  readonly key: ShownBytes | null;
  readonly value: ShownBytes | null;
  readonly headers: readonly { readonly key: string; readonly value: ShownBytes | null }[];
}

/** A record that would not get there. */
export interface PreviewFailure {
  /** As the connector named it, before transforms. */
  readonly topic: string;
  readonly error: {
    /** Connect's name, such as TRANSFORMATION. */
    readonly stage: string;
    /** The JVM class that what refused it stands in for. */
    readonly class: string;
    readonly message: string;
    /** What `errors.tolerance` and the dead-letter queue would make of it. */
    readonly outcome: 'task fails' | 'left out' | 'dead letter';
  };
}

export interface Preview {
  readonly records: readonly (PreviewRecord | PreviewFailure)[];
  /** How many more were looked at, which transforms drop. */
  readonly dropped: number;
  /** The time was over before there were enough. */
  readonly timedOut: boolean;
  /** Sentences for people. */
  readonly notes: readonly string[];
}
