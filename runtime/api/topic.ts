/** A record of the worker's log, as bytes. */
export interface TopicRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

export interface TopicFollowing {
  readonly topic: string;
  /** Under which the log remembers how far the topic was dealt with; whoever follows it under this name goes on there. */
  readonly group: string;
  /** Where to begin when the log remembers nothing. */
  readonly from: 'earliest' | 'latest';
  /** Ends it. */
  readonly signal: AbortSignal;
  /**
   * The next records; of one partition in order. One call at a time; when it is over they count as dealt with. After a
   * crash, or where it throws, they come again.
   */
  deal(records: readonly TopicRecord[]): Promise<void> | void;
}
