/** The control plane's memory. On a log, each store is a compacted topic that reads as Connect's own. */
import type { OffsetMap, RawConfig, TaskReport } from '../api/index.ts';
import type { TaskId } from './tasks.ts';

export type TargetState = 'STARTED' | 'PAUSED' | 'STOPPED';
export type RunState = 'UNASSIGNED' | 'RUNNING' | 'PAUSED' | 'FAILED' | 'RESTARTING' | 'STOPPED';

/** What is wanted. `properties` keep their `${…}` placeholders. */
export interface ConnectorEntry {
  readonly name: string;
  readonly properties: RawConfig;
  readonly target: TargetState;
  /** By task number; empty while a set of task configs is only half written. */
  readonly tasks: readonly RawConfig[];
}

/** The key that calls between workers are signed with (KIP-507). */
export interface SessionKey {
  readonly key: Buffer;
  /** Java's name of the MAC, such as HmacSHA256. */
  readonly algorithm: string;
  readonly createdMs: number;
}

/** `POST /connectors/{n}/restart` with flags, told to all workers (KIP-745). */
export interface RestartRequest {
  readonly connector: string;
  readonly includeTasks: boolean;
  readonly onlyFailed: boolean;
}

/** Told of what changed, once the store has read what there was when it started; in the order of the records. */
export interface ConfigListener {
  /** Config, target state or task configs; also by this store's own writes, before they resolve. */
  connector(name: string): void;
  restart?(request: RestartRequest): void;
  /** Told at the start too, for each level that is there. */
  logger?(name: string, level: string): void;
}

/** Source: org.apache.kafka.connect.storage.ConfigBackingStore. */
export interface ConfigStore extends AsyncDisposable {
  /** Reads what is there, then follows. */
  start(listener: ConfigListener): Promise<void>;
  connectors(): readonly string[];
  get(name: string): ConnectorEntry | undefined;
  /** Creates or replaces. `target` is written before the config when given. */
  putConnector(name: string, properties: RawConfig, target?: TargetState): Promise<void>;
  removeConnector(name: string): Promise<void>;
  putTaskConfigs(name: string, configs: readonly RawConfig[]): Promise<void>;
  putTargetState(name: string, target: TargetState): Promise<void>;
  /** After the last record read; -1 when there was none yet. What workers of a group compare. */
  offset(): number;
  /** Resolves once all that was written before the call is read. Rejects with a RetriableError when that takes longer. */
  readToEnd(timeoutMs: number): Promise<void>;
  sessionKey(): SessionKey | undefined;
  putSessionKey(key: SessionKey): Promise<void>;
  putRestart(request: RestartRequest): Promise<void>;
  putLogger(name: string, level: string): Promise<void>;
  /** Tasks that a fencing round made room for last; undefined before the first. */
  fencedTasks(name: string): number | undefined;
  /** Task configs were committed after the last fencing round (KIP-618). */
  needsFencing(name: string): boolean;
  putFencedTasks(name: string, count: number): Promise<void>;
  /** The connector's `properties` as they were when its task configs were committed: tasks run with these until newer ones are. */
  appliedConfig?(name: string): RawConfig | undefined;
  /** Rises with each set of task configs committed; a task started under an older one must not run. */
  taskGeneration(name: string): number;
  /**
   * Before this worker writes as the leader. Where the store writes in transactions (exactly-once sources), a former
   * leader that is still awake can write no more after it. Where not, it does nothing.
   */
  claimWriting(): Promise<void>;
}

export interface RunStatus {
  readonly state: RunState;
  readonly trace: string | null;
  readonly workerId: string;
  readonly generation: number;
  readonly version: string | null;
  /** Of ours alone, in a field that Connect's workers pass over: how far the task's work is. */
  readonly report?: TaskReport;
}

/** Source: org.apache.kafka.connect.storage.StatusBackingStore. */
export interface StatusStore extends AsyncDisposable {
  start(): Promise<void>;
  /** Resolves once all that was written before the call is read. Rejects with a RetriableError when that takes longer. */
  readToEnd(timeoutMs: number): Promise<void>;
  /** Every connector that something is known of, be it of a task or a topic. */
  connectors(): readonly string[];
  connector(name: string): RunStatus | undefined;
  task(id: TaskId): RunStatus | undefined;
  /** Task numbers that have a status. */
  tasks(connector: string): readonly number[];
  putConnector(name: string, status: RunStatus): Promise<void>;
  putTask(id: TaskId, status: RunStatus): Promise<void>;
  /** Tombstones for the connector and all its tasks. */
  removeConnector(name: string): Promise<void>;
  removeTask(id: TaskId): Promise<void>;
  topics(connector: string): readonly string[];
  addTopic(connector: string, task: number, topic: string): Promise<void>;
  resetTopics(connector: string): Promise<void>;
}

export interface StoredOffset {
  readonly partition: OffsetMap;
  readonly offset: OffsetMap;
}

export interface OffsetChange {
  readonly partition: OffsetMap;
  /** Null forgets. */
  readonly offset: OffsetMap | null;
}

export interface OffsetWriteOptions {
  /**
   * Exactly-once: written in one transaction of this id, whose earlier producers can write no more from then on. For
   * offsets that are altered by hand, the id of the connector's task 0 (KIP-618, KIP-875). Only where there is a `topic`.
   */
  readonly transactionalId?: string;
  /** The connector's `producer.override.*`, prefix taken off, for that transaction's producer. */
  readonly overrides?: RawConfig;
}

export interface OffsetsTopic {
  readonly name: string;
  readonly partitions: number;
}

/** Source offsets. Source: org.apache.kafka.connect.storage.OffsetBackingStore. */
export interface OffsetStore extends AsyncDisposable {
  start(): Promise<void>;
  /** Of these source partitions, all that was written before the call included. */
  read(connector: string, partitions: readonly OffsetMap[]): Promise<readonly (OffsetMap | undefined)[]>;
  all(connector: string): Promise<readonly StoredOffset[]>;
  /** Durable when it resolves. */
  write(connector: string, offsets: readonly OffsetChange[], options?: OffsetWriteOptions): Promise<void>;
  /**
   * Where a task may write offsets itself, in one transaction with its records; undefined when it must ask the
   * store. Only a log that appends atomically has this.
   */
  readonly atomicTopic?: OffsetsTopic | undefined;
  /** Known once the store was started; undefined for a store that is in no topic. */
  readonly topic?: OffsetsTopic | undefined;
  /**
   * The store of a connector's offsets where it has an `offsets.storage.topic` of its own: that topic is created
   * where it is missing, read first, and written first; the worker's own has what that one lacks, and gets a copy.
   * It is read by `consumer`. Without such a topic, or in standalone on Kafka (where it has no effect), this store itself. Dispose it when done;
   * this store goes on. Source: org.apache.kafka.connect.storage.ConnectorOffsetBackingStore.
   */
  forConnector(connector: string, options: OwnOffsets): Promise<ConnectorOffsetStore>;
}

/** What a connector's config says of where its offsets are. */
export interface OwnOffsets {
  /** Its `offsets.storage.topic`. */
  readonly topic?: string | undefined;
  /** Its `consumer.override.*`, prefix taken off: they are for its own topic alone. */
  readonly consumer?: RawConfig;
  /** Its tasks write offsets in transactions: only what is committed is read, whatever it overrides. */
  readonly exactlyOnce?: boolean;
}

export interface ConnectorOffsetStore extends Omit<OffsetStore, 'start' | 'forConnector'> {
  /**
   * For a task that writes to `topic` itself: the bytes of the key that each source partition stands under, as far as
   * it was read, undefined for a new one. Whoever writes it under others makes a second key of it.
   */
  keys(connector: string, partitions: readonly OffsetMap[]): Promise<readonly (Uint8Array | undefined)[]>;
  /**
   * After a task committed offsets to the connector's own topic: to the worker's. Left out where there is but one. A
   * failure is no more than a warning, since the connector's own topic counts.
   */
  copy?(connector: string, offsets: readonly StoredOffset[]): Promise<void>;
}
