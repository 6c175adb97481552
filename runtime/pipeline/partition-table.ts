import type { TopicPartition } from '../api/index.ts';

/** A map keyed by topic and partition. */
export class PartitionTable<T> {
  readonly #topics = new Map<string, Map<number, T>>();

  get({ topic, partition }: TopicPartition): T | undefined {
    return this.#topics.get(topic)?.get(partition);
  }

  has({ topic, partition }: TopicPartition): boolean {
    return this.#topics.get(topic)?.has(partition) ?? false;
  }

  set({ topic, partition }: TopicPartition, value: T): void {
    const partitions = this.#topics.get(topic);
    if (partitions === undefined) this.#topics.set(topic, new Map([[partition, value]]));
    else partitions.set(partition, value);
  }

  delete({ topic, partition }: TopicPartition): void {
    this.#topics.get(topic)?.delete(partition);
  }

  get size(): number {
    let size = 0;
    for (const partitions of this.#topics.values()) size += partitions.size;
    return size;
  }

  keys(): TopicPartition[] {
    return [...this].map(([key]) => key);
  }

  /** The entries of these partitions. */
  *within(partitions: readonly TopicPartition[]): Generator<[TopicPartition, T]> {
    for (const { topic, partition } of partitions) {
      const value = this.get({ topic, partition });
      if (value !== undefined) yield [{ topic, partition }, value];
    }
  }

  *[Symbol.iterator](): Generator<[TopicPartition, T]> {
    for (const [topic, partitions] of this.#topics) {
      for (const [partition, value] of partitions) yield [{ topic, partition }, value];
    }
  }
}
