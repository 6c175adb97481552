/** The control plane's memory. On a log, each store is a compacted topic that reads as Connect's own. */
import type { OffsetMap, RawConfig } from '../api/index.ts';
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

/** Source: org.apache.kafka.connect.storage.ConfigBackingStore. */
export interface ConfigStore extends AsyncDisposable {
  /** Reads what is there; afterwards `onChange` is called for each connector that changed (also by this store's own writes, before they resolve). */
  start(onChange: (connector: string) => void): Promise<void>;
  connectors(): readonly string[];
  get(name: string): ConnectorEntry | undefined;
  /** Creates or replaces. `target` is written before the config when given. */
  putConnector(name: string, properties: RawConfig, target?: TargetState): Promise<void>;
  removeConnector(name: string): Promise<void>;
  putTaskConfigs(name: string, configs: readonly RawConfig[]): Promise<void>;
  putTargetState(name: string, target: TargetState): Promise<void>;
}

export interface RunStatus {
  readonly state: RunState;
  readonly trace: string | null;
  readonly workerId: string;
  readonly generation: number;
  readonly version: string | null;
}

/** Source: org.apache.kafka.connect.storage.StatusBackingStore. */
export interface StatusStore extends AsyncDisposable {
  start(): Promise<void>;
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

/** Source offsets. Source: org.apache.kafka.connect.storage.OffsetBackingStore. */
export interface OffsetStore extends AsyncDisposable {
  start(): Promise<void>;
  /** Of these source partitions, all that was written before the call included. */
  read(connector: string, partitions: readonly OffsetMap[]): Promise<readonly (OffsetMap | undefined)[]>;
  all(connector: string): Promise<readonly StoredOffset[]>;
  /** Durable when it resolves; null forgets. */
  write(connector: string, offsets: readonly { partition: OffsetMap; offset: OffsetMap | null }[]): Promise<void>;
  /**
   * Where a task may write offsets itself, in one transaction with its records; undefined when it must ask the
   * store. Only a log that appends atomically has this.
   */
  readonly atomicTopic?: { readonly name: string; readonly partitions: number };
}
