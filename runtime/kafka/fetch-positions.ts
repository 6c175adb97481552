import type { PartitionOffset, TopicPartition } from '../api/index.ts';

/** Where one partition is read. */
export interface Position extends TopicPartition {
  /** Of the topic that the offsets are of, once it is known. */
  topicId: string | undefined;
  /** From which the caller gets the next records. */
  delivered: bigint;
  /** From which the next request asks: ahead of `delivered` by what was fetched and not yet given out. */
  asked: bigint;
  /** Rises when the caller moves the position: answers to older requests no longer count. */
  version: number;
  paused: boolean;
  inFlight: boolean;
  /** Not before then, after an error. */
  retryAt: number;
  failures: number;
}

export const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** The positions of a reader. Those that come first were not read for longest. */
export class FetchPositions {
  readonly #positions = new Map<string, Position>();

  /** `idOf`: the topics that the offsets are of, as far as that is known already. */
  assign(offsets: readonly PartitionOffset[], idOf: (topic: string) => string | undefined = () => undefined): void {
    for (const position of this.#positions.values()) position.version++;
    this.#positions.clear();
    for (const { topic, partition, offset } of offsets) {
      const position = {
        topic,
        partition,
        topicId: idOf(topic),
        delivered: offset,
        asked: offset,
        version: 0,
        paused: false,
        inFlight: false,
        retryAt: 0,
        failures: 0,
      };
      this.#positions.set(keyOf(position), position);
    }
  }

  /** Moves positions; partitions that are not assigned are passed over. */
  seek(offsets: readonly PartitionOffset[]): void {
    for (const offset of offsets) {
      const position = this.#positions.get(keyOf(offset));
      if (position === undefined) continue;
      position.delivered = offset.offset;
      rewind(position);
    }
  }

  setPaused(partitions: readonly TopicPartition[], paused: boolean): void {
    for (const partition of partitions) {
      const position = this.#positions.get(keyOf(partition));
      if (position === undefined || position.paused === paused) continue;
      position.paused = paused;
      if (paused) rewind(position);
    }
  }

  /** Puts it behind the others, so that each has its turn where not all fit. */
  moveToEnd(position: Position): void {
    const key = keyOf(position);
    if (this.#positions.get(key) !== position) return;
    this.#positions.delete(key);
    this.#positions.set(key, position);
  }

  *readable(now: number): Generator<Position> {
    for (const position of this.#positions.values()) if (!position.paused && !position.inFlight && position.retryAt <= now) yield position;
  }

  [Symbol.iterator](): Iterator<Position> {
    return this.#positions.values();
  }
}

/** Forgets what was fetched ahead. */
export function rewind(position: Position): void {
  position.asked = position.delivered;
  position.version++;
  // The request under way counts no more; the next may go out beside it.
  position.inFlight = false;
}
