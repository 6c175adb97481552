/**
 * The log: topics of partitions of record batches. Apache Kafka is one, the embedded log on SQLite another;
 * both halves of the flow meet here and nowhere else. What crosses this port are bytes: record batches in
 * Kafka's format (magic 2), see `runtime/batch`. Errors are ConnectError and its kinds: a RetriableError where
 * the same call may work later.
 */
import { ConnectError } from '../api/index.ts';
import type { PartitionOffset, TopicPartition } from '../api/index.ts';

export interface TopicSpec {
  readonly name: string;
  /** -1 or left out: the log's default. */
  readonly partitions?: number;
  readonly replicationFactor?: number;
  /** Kafka's topic configs, such as `cleanup.policy`. */
  readonly config?: Readonly<Record<string, string>>;
}

export interface TopicDescription {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly internal: boolean;
  /** A topic made anew under the same name has another one. Left out where the log knows none (Kafka before KIP-516). */
  readonly topicId?: string;
}

/** `committed`: the end for who reads committed, which is before the first transaction that is still open. */
export type OffsetTime = 'earliest' | 'latest' | 'committed' | { readonly timestampMs: number };

/** A record batch on its way in; its buffer is handed over (transferred where threads are crossed). */
export interface OutboundBatch extends TopicPartition {
  /** Holds the batch in its first `length` bytes; the rest is room. Producer id, epoch, sequence, leader epoch and CRC are stamped by the log. */
  readonly buffer: ArrayBuffer;
  readonly length: number;
  readonly records: number;
}

export interface AppendedBatch extends TopicPartition {
  /** Offset of the batch's first record. */
  readonly baseOffset: bigint;
  /** The buffer, given back for reuse. */
  readonly buffer: ArrayBuffer;
}

export interface AppendRejected {
  /** The index, in the call, of the batch that the log refused for good (too large, say), and why. */
  readonly index: number;
  readonly error: Error;
}

export interface ProducerOptions {
  /** As Kafka's client.id; names the producer in errors. */
  readonly clientId: string;
  /** Kafka producer settings that a connector overrides, prefix taken off (`linger.ms`, `compression.type`, `max.request.size`, `transactional.id`, …). Unknown ones were warned about before. */
  readonly overrides?: Readonly<Record<string, string>>;
}

/** Appends in order: batches of one partition are in the log in the order of the calls, each once while the producer lives. */
export interface LogProducer extends AsyncDisposable {
  /**
   * Resolves when all batches are durable (acks=all, or committed to disk). Calls may overlap; on the embedded
   * log each call is one transaction. Retries by itself what may pass, for `delivery.timeout.ms`. Rejects with
   * a RetriableError after that, or with the cause (a DataError for a record the log will never take); the
   * producer is then broken for good, and later calls reject too: records after the lost one must not overtake it.
   */
  append(batches: readonly OutboundBatch[]): Promise<readonly AppendedBatch[]>;
}

/**
 * A producer whose batches, on any topics, are seen together or not at all by those who read committed (KIP-98).
 * The first append after a commit or an abort begins the next transaction. Another one opened with the same
 * transactional id, or `Log.fenceProducers`, fences it: every later call rejects with a {@link FencedError}.
 */
export interface TransactionalProducer extends LogProducer {
  /**
   * Resolves when it is settled that what was appended since the last one is seen, by readers moments later; waits
   * for appends under way. Fine with nothing appended. Appends that are called after it belong to the next one.
   * Rejects with the error of an append that failed: then abort. Rejects with a RetriableError when nobody answered
   * in time: it may stand or not, so the producer takes only this call again, until it resolves, or is closed.
   */
  commitTransaction(): Promise<void>;
  /** Resolves when what was appended since the last end will never be seen; waits for appends under way. After it the next transaction may begin. */
  abortTransaction(): Promise<void>;
}

export interface TransactionalOptions extends ProducerOptions {
  readonly transactionalId: string;
}

/** A later producer with the same transactional id has taken over: what this one was doing is another's work now. */
export class FencedError extends ConnectError {
  override readonly name: string = 'FencedError';
}

/** A run of whole record batches of one partition, as stored. */
export interface FetchedRun extends TopicPartition {
  /** Record batches back to back: no control batches, none of an aborted transaction, none cut short. May be empty. The first may start before the position asked for. */
  readonly buffer: ArrayBuffer;
  readonly length: number;
  /** The position that was read from: records below it are skipped when decoding. */
  readonly position: bigint;
  /** Where to read on; beyond what was filtered out. */
  readonly nextPosition: bigint;
  readonly highWatermark: bigint;
}

export interface FetchLimits {
  /** Wait this long while there is nothing. */
  readonly maxWaitMs: number;
  /** Soft: at least one batch comes, whatever its size. */
  readonly maxBytes: number;
}

export interface ReaderOptions {
  readonly clientId: string;
  readonly isolation?: 'read_committed' | 'read_uncommitted';
  readonly overrides?: Readonly<Record<string, string>>;
}

/** Reads partitions that it is told, from positions that it is told, outside any group. */
export interface LogReader extends AsyncDisposable {
  /** Replaces what is read, and from where. */
  assign(positions: readonly PartitionOffset[]): void;
  /**
   * The next runs, each partition in order; empty after `maxWaitMs`. One call at a time. A position that the
   * log has deleted rejects with an OffsetOutOfRange RetriableError naming the range.
   */
  fetch(limits: FetchLimits, signal?: AbortSignal): Promise<readonly FetchedRun[]>;
}

export interface GroupOptions extends ReaderOptions {
  readonly groupId: string;
  readonly topics: { readonly names: readonly string[] } | { readonly pattern: string };
  /** As whom {@link LogGroup.commit} appends what it is given beside offsets. Left out: it takes nothing. */
  readonly appends?: TransactionalOptions;
}

export type GroupEvent =
  | { readonly kind: 'records'; readonly runs: readonly FetchedRun[] }
  /** New partitions, and where the group stands in them. */
  | { readonly kind: 'assigned'; readonly partitions: readonly PartitionOffset[] }
  /** These go with the next call of `poll`: flush and commit before it, within the rebalance timeout. */
  | { readonly kind: 'revoked'; readonly partitions: readonly TopicPartition[] }
  /** These are gone already (session lost, fenced): do not commit. */
  | { readonly kind: 'lost'; readonly partitions: readonly TopicPartition[] }
  | { readonly kind: 'idle' };

/** A member of a consumer group (assignor `range`, as the JVM's default, so that both can share a group). Heartbeats go on by themselves. */
export interface LogGroup extends AsyncDisposable {
  /** One call at a time; each call says that the event before it was dealt with. After close it rejects. */
  poll(limits: FetchLimits, signal?: AbortSignal): Promise<GroupEvent>;
  /**
   * Stores where the group stands, and appends these batches (handed over, and not given back): both or neither, as seen
   * by those who read committed; on Kafka in a transaction (KIP-447), on the embedded log in one write. Rejects with a
   * RetriableError when the membership is no longer valid, or the same call may work later: then neither was done.
   */
  commit(offsets: readonly PartitionOffset[], batches?: readonly OutboundBatch[]): Promise<void>;
  /** Goes on reading there. */
  seek(offsets: readonly PartitionOffset[]): void;
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
}

export interface Log extends AsyncDisposable {
  readonly kind: 'kafka' | 'embedded';
  clusterId(): Promise<string>;
  /** Every topic, or those named; what does not exist is left out. */
  describeTopics(names?: readonly string[]): Promise<readonly TopicDescription[]>;
  topicConfig(name: string): Promise<Readonly<Record<string, string>>>;
  /** Returns the names that were created; existing ones are left alone and left out. */
  createTopics(specs: readonly TopicSpec[]): Promise<readonly string[]>;
  /** Deletes what exists. */
  deleteTopics(names: readonly string[]): Promise<void>;
  offsetsAt(partitions: readonly TopicPartition[], time: OffsetTime): Promise<readonly PartitionOffset[]>;
  groupOffsets(groupId: string): Promise<readonly PartitionOffset[]>;
  /** Of a group without members; null clears that partition. Rejects with a RetriableError while it has members. */
  alterGroupOffsets(groupId: string, offsets: readonly (TopicPartition & { readonly offset: bigint | null })[]): Promise<void>;
  /** Forgets the group's offsets; a group that does not exist is fine. */
  deleteGroup(groupId: string): Promise<void>;
  openProducer(options: ProducerOptions): Promise<LogProducer>;
  /**
   * Ends the transactions of earlier producers of that id, and fences them. On the embedded log each append is a
   * transaction anyway: there it rejects with a ConfigError.
   */
  openTransactionalProducer(options: TransactionalOptions): Promise<TransactionalProducer>;
  /** Makes every producer with one of these transactional ids unable to write. Source: Admin.fenceProducers (KIP-618). */
  fenceProducers(transactionalIds: readonly string[]): Promise<void>;
  openReader(options: ReaderOptions): Promise<LogReader>;
  openGroup(options: GroupOptions): Promise<LogGroup>;
}
