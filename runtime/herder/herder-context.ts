import type { Logger } from '../api/index.ts';
import type { Log } from '../ports/log.ts';
import type { Membership } from '../ports/membership.ts';
import type { Peers } from '../ports/peers.ts';
import type { ConfigStore, OffsetStore, StatusStore } from '../ports/stores.ts';
import type { PluginHost, TaskHost, TaskId } from '../ports/tasks.ts';
import type { ConfigProviders } from '../ports/config-providers.ts';
import type { OverrideRules } from './client-overrides.ts';
import type { LogLevels } from './logger-levels.ts';
import type { StartupCounts } from './startup-counts.ts';

export interface HerderSettings extends OverrideRules {
  /** What `GET /` answers. */
  readonly version: string;
  readonly commit: string;
  readonly topicTracking: { readonly enabled: boolean; readonly resettable: boolean };
  /** `group.id` of a distributed worker: no sink may consume under it, and transactional ids begin with it. */
  readonly workerGroupId?: string;
}

/** How workers know that a call comes from one of them (KIP-507); `inter.worker.*` and `connect.protocol`. */
export interface InterWorker {
  /** A key older than this is replaced; never where it is not above 0. */
  readonly keyTtlMs: number;
  /** Java's name of a key generator, such as HmacSHA256. */
  readonly keyGenerationAlgorithm: string;
  /** In bits; left out: the generator's own. */
  readonly keySize?: number;
  readonly signatureAlgorithm: string;
  readonly verificationAlgorithms: readonly string[];
  /** `connect.protocol`: signatures are demanded in sessioned alone. What the group elected goes before it. */
  readonly protocol: 'eager' | 'compatible' | 'sessioned';
  /** Demands signatures whatever the protocol: with REST authentication on, nothing else protects the internal endpoints. */
  readonly verifyAlways?: boolean;
}

/** Bounds of time; each with a default. */
export interface HerderTimes {
  /** A request that another worker may have to answer waits so long for a rebalance to end, before its 409. */
  readonly settleMs: number;
  /** `worker.sync.timeout.ms`: to read a store to its end. */
  readonly syncMs: number;
  /** Stores that were out of reach for so long make the worker unhealthy. */
  readonly unhealthyAfterMs: number;
  /** How often an idle worker asks whether its stores can be read. */
  readonly probeEveryMs: number;
}

export const defaultTimes: HerderTimes = { settleMs: 10_000, syncMs: 3_000, unhealthyAfterMs: 60_000, probeEveryMs: 30_000 };

/** The ports that the herder works with; whoever makes it closes them after it. */
export interface HerderOptions {
  readonly configStore: ConfigStore;
  readonly statusStore: StatusStore;
  readonly offsetStore: OffsetStore;
  readonly membership: Membership;
  readonly taskHost: TaskHost;
  readonly pluginHost: PluginHost;
  readonly configProviders: ConfigProviders;
  readonly log: Log;
  readonly logger: Logger;
  readonly logLevels: LogLevels;
  /** Where starts are counted, for `/metrics`. */
  readonly startups?: StartupCounts;
  readonly settings: HerderSettings;
  /** The other workers of the cluster; left out by a worker that is alone. */
  readonly peers?: Peers;
  /** Left out by a worker that is alone: it then refuses what only workers may ask. */
  readonly interWorker?: InterWorker;
  /** `exactly.once.source.support`; disabled when left out. */
  readonly exactlyOnce?: 'disabled' | 'preparing' | 'enabled';
  readonly times?: Partial<HerderTimes>;
  /** Called when the stores are read and nothing is asked of the group yet; a rejection is a start that failed. */
  readonly beforeJoining?: () => Promise<void>;
}

export function taskName({ connector, task }: TaskId): string {
  return `${connector}-${task}`;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
