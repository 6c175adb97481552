/** What was taken and is not settled yet: how much room is left, and which offsets are safe. */
import type { SinkRecord, TopicPartition } from '@millrace/runtime/api';

import { readTopicOf } from './read-topic.ts';

export interface Room {
  readonly records: number;
  readonly bytes: number;
}

interface PartitionState {
  readonly records: Set<SinkRecord>;
  /** After the last one that was taken. */
  next: bigint;
}

export class Outstanding {
  readonly #most: Room;
  readonly #partitions = new Map<string, Map<number, PartitionState>>();
  readonly #waiting = new Set<() => void>();
  #bytes = 0;
  #count = 0;

  constructor(most: Room) {
    this.#most = most;
  }

  get count(): number {
    return this.#count;
  }

  /** One record is always let in, however large. */
  get hasRoom(): boolean {
    return this.#count === 0 || (this.#count < this.#most.records && this.#bytes < this.#most.bytes);
  }

  taken(record: SinkRecord): void {
    const topic = readTopicOf(record);
    let partitions = this.#partitions.get(topic);
    if (partitions === undefined) this.#partitions.set(topic, (partitions = new Map()));
    let state = partitions.get(record.partition);
    if (state === undefined) partitions.set(record.partition, (state = { records: new Set(), next: 0n }));
    state.records.add(record);
    state.next = record.offset + 1n;
    this.#count++;
  }

  grown(bytes: number): void {
    this.#bytes += bytes;
  }

  settled(record: SinkRecord, bytes: number): void {
    const state = this.#of({ topic: readTopicOf(record), partition: record.partition });
    if (state?.records.delete(record) !== true) return;
    this.#count--;
    this.#bytes -= bytes;
    this.wake();
  }

  /** Has those who wait look again. */
  wake(): void {
    for (const look of this.#waiting) look();
  }

  /** The offset up to which all is settled that was taken of that partition; `next` at most, by default what comes next. */
  safeOffset(partition: TopicPartition, next = this.#of(partition)?.next ?? 0n): bigint {
    let safe = next;
    for (const record of this.#of(partition)?.records ?? []) if (record.offset < safe) safe = record.offset;
    return safe;
  }

  /** Whether any of those partitions has something outstanding. */
  holds(partitions: readonly TopicPartition[]): boolean {
    return partitions.some((partition) => (this.#of(partition)?.records.size ?? 0) > 0);
  }

  #of({ topic, partition }: TopicPartition): PartitionState | undefined {
    return this.#partitions.get(topic)?.get(partition);
  }

  /** Resolves to whether it came true in time; false once aborted. */
  async until(isTrue: () => boolean, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    if (isTrue()) return true;
    if (signal?.aborted === true) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const look = (): void => {
      if (isTrue()) resolve(true);
    };
    const giveUp = (): void => resolve(false);
    const timer = setTimeout(giveUp, timeoutMs);
    this.#waiting.add(look);
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
      signal?.removeEventListener('abort', giveUp);
    }
  }
}
