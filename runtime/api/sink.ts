import type { ConfigDef, ConfigProblem, ConfigValues, RawConfig } from './config-def.ts';
import type { SinkRecord } from './record.ts';
import type { SerializedForm } from './serialized-value.ts';
import type { TaskContext } from './source.ts';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** `offset` is the next offset to read. */
export interface PartitionOffset extends TopicPartition {
  readonly offset: bigint;
}

export interface SinkTaskContext extends TaskContext {
  assignment(): readonly TopicPartition[];
  /**
   * What tells this topic from one of the same name that was deleted: a sink that keeps positions in its target
   * keeps it with them, so that offsets which begin anew are not taken for a replay. Known for every topic of the
   * assignment before `open` is called, by the name that was read (transforms may have renamed a record's); empty
   * where the log has no ids (Kafka brokers before KIP-516). Throws a ConnectError for any other topic.
   */
  topicId(topic: string): string;
  /** Goes on reading at these offsets; takes effect before the next `put`. */
  seek(offsets: readonly PartitionOffset[]): void;
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  /** Asks for an offset commit soon, before the interval is over. */
  requestCommit(): void;
  /**
   * Hands a bad record to the error path, of the assignment and not yet released by `preCommit`. Resolves once it is
   * taken care of: its dead letter, where there are any, is stored in one with the offset behind it. Rejects with the
   * reason when it is not tolerated, which the task must let through.
   */
  report(record: SinkRecord, error: Error): Promise<void>;
  /**
   * Says that a dead letter which was resubmitted straight to this sink (`record.resubmitted`) was not written, since the
   * target has something later in its place. Resolves once the letter's ledger has it, so call it before the offset is
   * released; where it cannot be kept, that is logged. `reason`: what stands in its place. Nothing happens for other records.
   */
  overtaken(record: SinkRecord, reason: string): Promise<void>;
}

/**
 * Writes to a target. Calls never overlap. A record may come again after a crash or a rebalance, from the last
 * committed offset on; records of one partition come in order. Source: org.apache.kafka.connect.sink.SinkTask.
 */
export interface SinkTask extends AsyncDisposable {
  /** Partitions that this task has from now on. */
  open?(partitions: readonly PartitionOffset[]): Promise<void>;
  /** Partitions that it loses; their offsets were flushed and committed where there was time. */
  close?(partitions: readonly TopicPartition[]): Promise<void>;
  /**
   * Takes records; they need not be durable until `flush`. Never called with an empty array. A RetriableError
   * delivers the same records again after a backoff; any other error fails the task, with nothing committed.
   */
  put(records: readonly SinkRecord[]): Promise<void>;
  /** Makes all that was put durable. What it rejects with is treated as `put`'s. */
  flush?(): Promise<void>;
  /**
   * In place of `flush`: returns the offsets that may be committed, each at most the one given (the next to be
   * read). A partition left out is not committed. Source: SinkTask.preCommit.
   */
  preCommit?(offsets: readonly PartitionOffset[]): Promise<readonly PartitionOffset[]>;
}

export interface SinkPlugin<D extends ConfigDef = ConfigDef> {
  readonly kind: 'sink';
  readonly version: string;
  readonly config: D;
  /** Keys outside `config` that it reads or judges by itself, such as those with names in them; others are warned about as unknown. */
  alsoKnows?(key: string): boolean;
  /** Checks that need more than one key, or a look at the target; runs in a thread of its own, bounded in time. */
  validate?(values: ConfigValues<D>, raw: RawConfig): Promise<readonly ConfigProblem[]> | readonly ConfigProblem[];
  /**
   * The form in which its tasks write values. A record's value may then be a {@link SerializedValue}: its bytes are what
   * has to be written, and what looks into the value asks for `plainValue` of it. Only where no transform is configured.
   * Undefined, or left out: values are always plain.
   */
  takesSerialized?(values: ConfigValues<D>): SerializedForm | undefined;
  /** The config of each task, at most `maxTasks`. Left out: `maxTasks` tasks, each with the connector's config. */
  taskConfigs?(values: ConfigValues<D>, raw: RawConfig, maxTasks: number): Promise<readonly RawConfig[]> | readonly RawConfig[];
  start(values: ConfigValues<D>, context: SinkTaskContext): Promise<SinkTask>;
  /** As {@link SourcePlugin.alterOffsets}, for consumed offsets. */
  alterOffsets?(raw: RawConfig, offsets: readonly (TopicPartition & { offset: bigint | null })[]): Promise<boolean> | boolean;
}

export function defineSink<const D extends ConfigDef>(plugin: Omit<SinkPlugin<D>, 'kind'>): SinkPlugin<D> {
  return { kind: 'sink', ...plugin };
}
