/** The herder as REST sees it. Source: org.apache.kafka.connect.runtime.Herder. */
import { ConnectError } from '../api/index.ts';
import type { OffsetMap, RawConfig, TaskReport } from '../api/index.ts';
import type { InternalSignature } from './peers.ts';
import type { Preview, PreviewOptions } from './preview.ts';
import type { RunState, TargetState } from './stores.ts';
import type { ConfigDefinition, ConfigInfos, ConnectorKind, PluginInfo, TaskId } from './tasks.ts';

/** A request that cannot be answered with success; `status` is the HTTP status that Connect gives it. */
export class RequestError extends ConnectError {
  override readonly name: string = 'RequestError';
  readonly status: number;

  constructor(status: number, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.status = status;
  }
}

/**
 * Another worker has to answer this: the leader, or the one that runs the task. Sources: NotLeaderException,
 * NotAssignedException. Its status and message are for whoever may not forward it any more.
 */
export class ForwardError extends RequestError {
  override readonly name: string = 'ForwardError';
  /** With a slash at the end; undefined while no such worker is known, probably because of a rebalance. */
  readonly url: string | undefined;

  constructor(url: string | undefined) {
    super(409, url === undefined ? noLeader : conflict);
    this.url = url;
  }
}

const conflict = 'Cannot complete request because of a conflicting operation (e.g. worker rebalance)';
const noLeader = 'Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway.';

export interface ConnectorInfo {
  readonly name: string;
  readonly config: RawConfig;
  readonly tasks: readonly TaskId[];
  readonly type: ConnectorKind | 'unknown';
}

export interface StateInfo {
  readonly state: RunState;
  readonly worker_id: string;
  readonly version?: string | null;
  readonly trace?: string;
}

export interface ConnectorStateInfo {
  readonly name: string;
  readonly connector: StateInfo;
  readonly tasks: readonly (StateInfo & { readonly id: number })[];
  readonly type: ConnectorKind | 'unknown';
}

export type TaskReports = Readonly<Record<number, TaskReport>>;

/** One entry of `/connectors/{n}/offsets`. */
export interface ConnectorOffset {
  readonly partition: OffsetMap;
  readonly offset: OffsetMap | null;
}

export interface LoggerLevel {
  readonly level: string | null;
  readonly last_modified: number | null;
}

/**
 * Every method rejects with a {@link RequestError} that carries Connect's status and message (404 for a
 * connector that is not there, 409 for one that is, 400 for an invalid config, …), or with a {@link ForwardError}.
 */
export interface Herder extends AsyncDisposable {
  /** Reads the stores and starts what is wanted. */
  start(): Promise<void>;
  health(): { readonly status: 'healthy' | 'starting' | 'unhealthy'; readonly message: string };
  serverInfo(): Promise<{ readonly version: string; readonly commit: string; readonly kafka_cluster_id: string }>;
  /** Resolves where this worker leads, and may write. Rejects with a {@link ForwardError} to who does, or to nobody. */
  leading(): Promise<void>;
  connectors(): Promise<readonly string[]>;
  connectorInfo(name: string): Promise<ConnectorInfo>;
  connectorConfig(name: string): Promise<RawConfig>;
  createConnector(name: string, config: RawConfig, initialState?: TargetState): Promise<ConnectorInfo>;
  putConfig(name: string, config: RawConfig): Promise<{ readonly created: boolean; readonly info: ConnectorInfo }>;
  patchConfig(name: string, patch: Readonly<Record<string, string | null>>): Promise<ConnectorInfo>;
  deleteConnector(name: string): Promise<void>;
  status(name: string): Promise<ConnectorStateInfo>;
  /** How far the work of its tasks is, by number: of those that say so. Not in the status, whose fields are Connect's. */
  reports?(name: string): Promise<TaskReports>;
  taskStatus(id: TaskId): Promise<StateInfo & { readonly id: number }>;
  taskConfigs(name: string): Promise<readonly { readonly id: TaskId; readonly config: RawConfig }[]>;
  setTargetState(name: string, target: TargetState): Promise<void>;
  restartTask(id: TaskId): Promise<void>;
  /** Restarts the connector and what the flags choose; resolves with the plan, each item RESTARTING. */
  restartConnector(name: string, options: { includeTasks: boolean; onlyFailed: boolean }): Promise<ConnectorStateInfo>;
  topics(name: string): Promise<readonly string[]>;
  resetTopics(name: string): Promise<void>;
  offsets(name: string): Promise<readonly ConnectorOffset[]>;
  /** Returns the message that REST answers. */
  alterOffsets(name: string, offsets: readonly ConnectorOffset[]): Promise<string>;
  resetOffsets(name: string): Promise<string>;
  plugins(connectorsOnly: boolean): readonly PluginInfo[];
  pluginConfig(plugin: string, version: string | undefined): Promise<readonly ConfigDefinition[]>;
  validate(plugin: string, config: RawConfig): Promise<ConfigInfos>;
  /** By this worker itself, wherever it stands in a cluster. 400 for an invalid config, 422 for a connector without a preview. */
  preview(plugin: string, config: RawConfig, options: PreviewOptions & { readonly signal?: AbortSignal }): Promise<Preview>;
  loggers(): Readonly<Record<string, LoggerLevel>>;
  logger(name: string): LoggerLevel;
  /** Returns the loggers whose level changed. `cluster` scope resolves with undefined. */
  setLogger(name: string, level: string, scope: 'worker' | 'cluster'): Promise<readonly string[] | undefined>;
  /** From the worker that runs the connector, to the leader. 400, 403 or 503 for a signature that is not right. */
  putTaskConfigs(name: string, configs: readonly RawConfig[], signature: InternalSignature): Promise<void>;
  /** From a worker that is to start a task with exactly-once, to the leader: no earlier task of the connector can write after it. */
  fenceZombies(name: string, signature: InternalSignature): Promise<void>;
}
