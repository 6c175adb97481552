/** How far each partition of a task has come. */
import { ConnectError } from '@millrace/runtime/api';
import type { PartitionOffset, SinkRecord, SinkTaskContext, TopicPartition } from '@millrace/runtime/api';

/** A partition that the task has, from `open` to `close`. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
  /** Empty where it is not known. */
  readonly topicId: string;
  /** Where reading began: what the group has committed. */
  readonly opened: bigint;
  /** Counts what makes records that wait here void: a rewind, the loss of the partition. */
  generation: number;
  /** What the target last said; undefined before the first transaction. */
  stored: { readonly epoch: bigint; readonly next: bigint | undefined } | undefined;
  /** Refused before a crash, and perhaps not yet in the dead letters: offset to reason. */
  refused: ReadonlyMap<bigint, string>;
  /** Everything that was accepted, up to here, is in the target; undefined while nothing was accepted. */
  durable: bigint | undefined;
  accepted: bigint | undefined;
  warned: boolean;
}

/** The topic that a record was read from: positions are kept by that, whatever transforms made of it. */
export const originalTopic = (record: SinkRecord): string => record.originalTopic ?? record.topic;

export class Places {
  readonly #context: SinkTaskContext;
  readonly #byTopic = new Map<string, Map<number, Place>>();

  constructor(context: SinkTaskContext) {
    this.#context = context;
  }

  open({ topic, partition, offset }: PartitionOffset): Place {
    const place: Place = {
      topic,
      partition,
      topicId: this.#context.topicId(topic),
      opened: offset,
      generation: 0,
      stored: undefined,
      refused: new Map(),
      durable: undefined,
      accepted: undefined,
      warned: false,
    };
    const partitions = this.#byTopic.get(topic) ?? new Map<number, Place>();
    partitions.set(partition, place);
    this.#byTopic.set(topic, partitions);
    return place;
  }

  close({ topic, partition }: TopicPartition): Place | undefined {
    const place = this.get(topic, partition);
    if (place === undefined) return undefined;
    place.generation++;
    this.#byTopic.get(topic)?.delete(partition);
    return place;
  }

  get(topic: string, partition: number): Place | undefined {
    return this.#byTopic.get(topic)?.get(partition);
  }

  /** Throws a ConnectError for a record of a partition that the task does not have. */
  of(record: SinkRecord): Place {
    const topic = originalTopic(record);
    const place = this.get(topic, record.partition);
    if (place !== undefined) return place;
    // A runtime that does not tell where a renamed record came from: clear only where there is one topic.
    const only = this.#byTopic.size === 1 ? [...this.#byTopic.values()][0]?.get(record.partition) : undefined;
    if (only !== undefined) return only;
    throw new ConnectError(`a record of topic ${topic}, partition ${record.partition}, came to a task that was not given that partition.`, {
      hint: 'Where a transform renames topics, give each topic a connector of its own.',
    });
  }
}
