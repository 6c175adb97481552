import type { OffsetMap, SourcePosition } from '../api/index.ts';

/** What was cut and sent together: acknowledged together too. */
export interface Submission {
  /** The last position of each source partition in it. */
  readonly positions: readonly SourcePosition[];
  acknowledged: boolean;
}

/**
 * Which source positions are safe to commit: those of the submissions before the first that is not acknowledged.
 * Source: org.apache.kafka.connect.runtime.SubmittedRecords, by batches instead of records.
 */
export class SubmittedRecords {
  readonly #queue: Submission[] = [];
  readonly #safe = new PositionTable();

  submit(positions: readonly SourcePosition[]): Submission {
    const submission = { positions, acknowledged: false };
    this.#queue.push(submission);
    return submission;
  }

  acknowledge(submission: Submission): void {
    submission.acknowledged = true;
    while (this.#queue[0]?.acknowledged) {
      for (const position of this.#queue.shift()?.positions ?? []) this.#safe.set(position.partition, position.offset);
    }
  }

  get inFlight(): number {
    return this.#queue.length;
  }

  /** The positions that became safe since the last call. */
  takeSafe(): readonly SourcePosition[] {
    return this.#safe.take();
  }
}

/** The last offset of each source partition; a partition is known by identity first, by content second. */
export class PositionTable {
  readonly #byContent = new Map<string, { partition: OffsetMap; offset: OffsetMap }>();
  #lastPartition: OffsetMap | undefined;
  #lastEntry: { partition: OffsetMap; offset: OffsetMap } | undefined;

  set(partition: OffsetMap, offset: OffsetMap): void {
    if (partition === this.#lastPartition && this.#lastEntry !== undefined) {
      this.#lastEntry.offset = offset;
      return;
    }
    const key = contentOf(partition);
    let entry = this.#byContent.get(key);
    if (entry === undefined) this.#byContent.set(key, (entry = { partition, offset }));
    else entry.offset = offset;
    this.#lastPartition = partition;
    this.#lastEntry = entry;
  }

  get empty(): boolean {
    return this.#byContent.size === 0;
  }

  take(): readonly SourcePosition[] {
    const positions = [...this.#byContent.values()];
    this.#byContent.clear();
    this.#lastPartition = undefined;
    this.#lastEntry = undefined;
    return positions;
  }
}

function contentOf(partition: OffsetMap): string {
  return Object.keys(partition)
    .sort()
    .map((key) => `${key}=${typeof partition[key]}:${String(partition[key])}`)
    .join('\n');
}
