/** How far each partition has come in a file, and what an offset that the group stands at means for it. */
import type { PartitionOffset, TopicPartition } from '@millrace/runtime/api';

export interface Position {
  readonly topic: string;
  readonly partition: number;
  /** Empty where the log has none. */
  readonly topicId: string;
  /** Counts alterations by people, and topics that were made anew. */
  readonly epoch: number;
  /** The next offset to be written: those below it are in the file. Undefined while nothing was written. */
  readonly next: bigint | undefined;
  /**
   * Where the group may stand if nobody but this connector moved it: where it stood when the partition was opened, and
   * what was released for commits since; the last few of those, since which of them came through is never told.
   */
  readonly released: readonly bigint[];
}

const releasedKept = 4;

/** What a partition's position becomes when it is opened, and why. */
export interface Opened {
  readonly position: Position;
  readonly kind: 'new' | 'goes on' | 'replay' | 'altered' | 'other topic';
}

export function opened(found: Position | undefined, { topic, partition, offset }: PartitionOffset, topicId: string): Opened {
  const fresh = (epoch: number): Position => ({ topic, partition, topicId, epoch, next: undefined, released: [offset] });
  if (found === undefined) return { position: fresh(0), kind: 'new' };
  if (found.topicId !== '' && topicId !== '' && found.topicId !== topicId) return { position: fresh(found.epoch + 1), kind: 'other topic' };
  const { epoch, next } = found;
  if (next === undefined || offset >= next) return { position: fresh(epoch), kind: 'goes on' };
  // What only a person can have set: neither where it was opened, nor anything that was released since.
  if (!found.released.includes(offset)) return { position: fresh(epoch + 1), kind: 'altered' };
  return { position: { topic, partition, topicId, epoch, next, released: [offset] }, kind: 'replay' };
}

/** Positions by partition. */
export class Positions {
  readonly #byTopic = new Map<string, Map<number, Position>>();

  get({ topic, partition }: TopicPartition): Position | undefined {
    return this.#byTopic.get(topic)?.get(partition);
  }

  set(position: Position): void {
    const partitions = this.#byTopic.get(position.topic) ?? new Map<number, Position>();
    partitions.set(position.partition, position);
    this.#byTopic.set(position.topic, partitions);
  }

  advance(topic: string, partition: number, next: bigint): void {
    const found = this.get({ topic, partition });
    this.set({ topicId: '', epoch: 0, released: [], ...found, topic, partition, next });
  }

  /** This offset may be committed. */
  release(topic: string, partition: number, offset: bigint): void {
    const found = this.get({ topic, partition });
    if (found === undefined || found.released.at(-1) === offset) return;
    this.set({ ...found, released: [...found.released, offset].slice(-releasedKept) });
  }

  /** Whatever the group says from now on is meant. */
  forget({ topic, partition }: TopicPartition): void {
    const found = this.get({ topic, partition });
    if (found !== undefined) this.set({ ...found, topicId: '', epoch: found.epoch + 1, next: undefined, released: [] });
  }

  all(): Position[] {
    return [...this.#byTopic.values()].flatMap((partitions) => [...partitions.values()]);
  }
}
