/** What the control plane knows of tasks: how they are started, and what they tell. */
import type { ConfigProblem, OffsetMap, RawConfig, TaskReport, TopicPartition } from '../api/index.ts';
import type { Preview, PreviewOptions } from './preview.ts';

export interface TaskId {
  readonly connector: string;
  readonly task: number;
}

export type ConnectorKind = 'source' | 'sink';

export interface TaskSpec {
  readonly id: TaskId;
  readonly kind: ConnectorKind;
  /** The connector's config, placeholders resolved: converters, transforms, errors.*, topics. */
  readonly connectorConfig: RawConfig;
  /** The task's own config, placeholders resolved. */
  readonly taskConfig: RawConfig;
  readonly paused: boolean;
  /** A source task of a worker with `exactly.once.source.support=enabled`; left out otherwise. */
  readonly exactlyOnce?: ExactlyOnce;
  /** What placeholders stood for: kept out of the task's log lines. */
  readonly secrets?: readonly string[];
}

/** How a source task writes its records and its offsets in one transaction (KIP-618). */
export interface ExactlyOnce {
  /** `<group.id>-<connector>-<task>` */
  readonly transactionalId: string;
}

/** What tasks tell. Every event names the run it belongs to, so that a late one of an earlier run is known. */
export interface TaskEvents {
  /** The task's code is ready and its loop runs (or stands still, when it was started paused). */
  running(id: TaskId): void;
  paused(id: TaskId): void;
  resumed(id: TaskId): void;
  /**
   * Exactly-once alone: the producer is ready, and every earlier one of this task fenced. Nothing is read from the
   * source before it resolves; a rejection ends the run as failed.
   */
  producerReady?(id: TaskId): Promise<void>;
  /**
   * The run is over; `trace` is the error's stack with its causes, secrets taken out. `passes`: its reason may pass by
   * itself ({@link mayPass} of `passing-errors`); not, when left out.
   */
  failed(id: TaskId, trace: string, passes?: boolean): void;
  /** The thread has not answered for a while (it spins or blocks); `answering` true when it does again. */
  responsive(id: TaskId, answering: boolean, forMs: number): void;
  /** The task has a word to say of its state, which stays what it is; undefined takes it back. */
  noted?(id: TaskId, text: string | undefined): void;
  /** How far its work is; every few seconds at most. Undefined takes it back. */
  reported?(id: TaskId, report: TaskReport | undefined): void;
  /** A source task wrote to this topic, or a sink task read from it, for the first time in this run. */
  topicUsed(id: TaskId, topic: string): void;
}

/** Figures of one task's run, for `/metrics`: plain attributes under Connect's names, and the thread's own. */
export interface TaskMetrics {
  readonly id: TaskId;
  readonly kind: ConnectorKind;
  /** By Connect's attribute name, such as `source-record-poll-total`. */
  readonly attributes: Readonly<Record<string, number>>;
  /** Figures that the connector itself reports, by name. */
  readonly own: Readonly<Record<string, number>>;
  /** Those that it reports under names and labels of their own. */
  readonly labelled?: readonly { readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
  readonly thread: { readonly heapBytes: number; readonly bufferBytes: number; readonly cpuSeconds: number };
}

/** Runs tasks, each in a thread of its own. */
export interface TaskHost extends AsyncDisposable {
  /** Resolves when the thread has begun; what follows comes as events. Rejects when that task runs already. */
  start(spec: TaskSpec, events: TaskEvents): Promise<void>;
  /**
   * Asks the task to stop (flush, commit, close) and waits; after `task.shutdown.graceful.timeout.ms` the thread
   * is terminated. Resolves once nothing of it runs. No events come after. Stopping what does not run is fine.
   */
  stop(id: TaskId): Promise<{ readonly graceful: boolean }>;
  /** Pauses or resumes; answered by an event. */
  setPaused(id: TaskId, paused: boolean): void;
  metrics(): readonly TaskMetrics[];
}

/** A config key as REST describes it. Source: org.apache.kafka.connect.runtime.rest.entities.ConfigKeyInfo. */
export interface ConfigDefinition {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly default_value: string | null;
  readonly importance: string;
  readonly documentation: string;
  readonly group: string | null;
  readonly width: string;
  readonly display_name: string | null;
  readonly dependents: readonly string[];
  readonly order: number;
}

export interface ConfigValueInfo {
  readonly name: string;
  readonly value: string | null;
  readonly recommended_values: readonly string[];
  readonly errors: readonly string[];
  readonly visible: boolean;
}

export interface ConfigInfo {
  readonly definition: ConfigDefinition | null;
  readonly value: ConfigValueInfo;
}

/** `PUT /connector-plugins/{p}/config/validate`'s answer. */
export interface ConfigInfos {
  readonly name: string;
  readonly error_count: number;
  readonly groups: readonly string[];
  readonly configs: readonly ConfigInfo[];
  /** Ours, beside Connect's: what is pointed out and refuses nothing. Left out where there is nothing. */
  readonly warnings?: readonly string[];
}

export interface PluginInfo {
  readonly class: string;
  readonly type: 'source' | 'sink' | 'transformation' | 'predicate' | 'converter' | 'header_converter';
  readonly version?: string;
}

/**
 * Everything that runs a connector's code outside its tasks. Runs in a short-lived thread, each call bounded in
 * time: a call that hangs is ended with its thread, and rejects with a ConnectError that says so.
 */
export interface PluginHost extends AsyncDisposable {
  plugins(): readonly PluginInfo[];
  /** The kind of connector that a class stands for. Throws a ConfigError for an unknown class, naming what there is. */
  kindOf(connectorClass: string): ConnectorKind;
  /** The version of a connector class, or undefined. */
  versionOf(connectorClass: string): string | undefined;
  /** What Connect writes into its task configs as `task.class`; undefined for an unknown connector class. */
  taskClassOf?(connectorClass: string): string | undefined;
  /** Whether dead letters can go straight to a sink of this class: it says so in its package. */
  takesResubmitted?(connectorClass: string): boolean;
  /** `GET /connector-plugins/{p}/config`; undefined for an unknown plugin. */
  pluginConfig(plugin: string): Promise<readonly ConfigDefinition[] | undefined>;
  /** Of a whole connector config, transforms and converters included. */
  validate(config: RawConfig): Promise<ConfigInfos>;
  taskConfigs(config: RawConfig, maxTasks: number): Promise<readonly RawConfig[]>;
  /** Asks the connector; false where it leaves offsets to the framework. Throws its ConfigError. */
  alterSourceOffsets(config: RawConfig, offsets: readonly { partition: OffsetMap; offset: OffsetMap | null }[]): Promise<boolean>;
  alterSinkOffsets(config: RawConfig, offsets: readonly (TopicPartition & { offset: bigint | null })[]): Promise<boolean>;
  /** Of a valid config, placeholders resolved; undefined where the connector has no preview. Its thread ends with it, and with the signal. */
  preview(config: RawConfig, options: PreviewOptions & { readonly signal?: AbortSignal | undefined }): Promise<Preview | undefined>;
}

export type { ConfigProblem };
