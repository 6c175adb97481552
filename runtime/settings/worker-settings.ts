/** What a worker file says, checked and typed. */
import type { RawConfig } from '../api/index.ts';

export type WorkerMode = 'standalone' | 'distributed';

export interface StoreTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** Topic settings for where it is created. */
  readonly config: RawConfig;
}

export interface GroupSettings {
  readonly id: string;
  readonly protocol: 'eager' | 'compatible' | 'sessioned';
  readonly sessionTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly rebalanceMaxDelayMs: number;
  readonly syncTimeoutMs: number;
  readonly unsyncBackoffMs: number;
  /** `inter.worker.*`: how workers sign what they ask of each other. */
  readonly keyTtlMs: number;
  readonly keyGenerationAlgorithm: string;
  /** In bits; left out: the algorithm's own. */
  readonly keySize?: number;
  readonly signatureAlgorithm: string;
  readonly verificationAlgorithms: readonly string[];
  /** Warns instead of refusing to join workers whose connectors cannot run here. */
  readonly joinDespiteMissingClasses: boolean;
}

/** Java's `ssl.*` keys for one kind of listener. */
export interface RestTls {
  /** What stood before the keys in the file; empty where they are those that the Kafka client uses too. */
  readonly prefix: string;
  /** Without the prefix. */
  readonly settings: RawConfig;
}

/** Where the names and passwords stand: in a file of users, or in one that a JAAS file names. */
export interface BasicAuthSettings {
  readonly kind: 'users' | 'jaas';
  readonly file: string;
}

export interface RestSettings {
  readonly listeners: readonly string[];
  /** Undefined: `/admin` is served with the rest; empty: nowhere. */
  readonly adminListeners: readonly string[] | undefined;
  readonly advertisedHost: string | undefined;
  readonly advertisedPort: number | undefined;
  readonly advertisedListener: 'http' | 'https' | undefined;
  /** Of `listeners`, and of calls to other workers. */
  readonly tls: RestTls;
  /** Of `admin.listeners`. */
  readonly adminTls: RestTls;
  /** Undefined: anybody may ask. */
  readonly basicAuth: BasicAuthSettings | undefined;
  /** Calls between workers need a valid signature whatever the group's protocol: no password is asked of them. */
  readonly alwaysSigned: boolean;
  readonly origins: { readonly allowed: readonly string[]; readonly methods: readonly string[] };
  readonly responseHeaders: string;
}

export interface WorkerSettings {
  readonly file: string;
  readonly mode: WorkerMode;
  /** As `openLog` takes it. */
  readonly log:
    | { readonly kind: 'embedded'; readonly directory: string; readonly synchronous: 'normal' | 'full' }
    | { readonly kind: 'kafka'; readonly settings: RawConfig };
  readonly rest: RestSettings;
  /** `key.converter`, `value.converter`, `header.converter` and what begins with them. */
  readonly converters: RawConfig;
  readonly pluginPath: readonly string[];
  readonly offsetFlushIntervalMs: number;
  readonly gracefulTimeoutMs: number;
  readonly topicCreation: boolean;
  readonly topicTracking: { readonly enabled: boolean; readonly resettable: boolean };
  readonly overridePolicy: 'All' | 'None' | 'Principal';
  /** Standalone on Kafka alone. */
  readonly offsetFile: string | undefined;
  /** Distributed on Kafka, or standalone on the embedded log. */
  readonly stores: { readonly config: StoreTopic; readonly offset: StoreTopic; readonly status: StoreTopic } | undefined;
  readonly group: GroupSettings | undefined;
  /** `exactly.once.source.support`; `disabled` on a standalone worker, whatever the file says. */
  readonly exactlyOnce: 'disabled' | 'preparing' | 'enabled';
  /** For each call of a connector's code outside its tasks. */
  readonly pluginCallTimeoutMs: number;
  readonly task: { readonly memoryMaxBytes: number; readonly unresponsiveAfterMs: number };
  readonly logging: { readonly level: string; readonly format: 'text' | 'json' };
  /** Everything as written, `config.providers.*` and client settings included. */
  readonly raw: RawConfig;
  /** What was accepted without effect, one sentence for each, naming the key. */
  readonly warnings: readonly string[];
}
