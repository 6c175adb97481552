import { isIPv6 } from 'node:net';
import type { ConnectionOptions } from '@platformatic/kafka';
import { ConfigError } from '../api/index.ts';
import { settingVerdict } from './known-settings.ts';
import type { ClientKind } from './known-settings.ts';
import type { BackoffSettings } from './retry.ts';
import { saslOptions } from './sasl-settings.ts';
import { booleanOf, choiceOf, integerOf, listOf, textOf } from './setting-values.ts';
import type { Settings } from './setting-values.ts';
import { tlsOptions } from '../tls/tls-settings.ts';

/** What a worker says once for all of its clients: where the brokers are, and how they are reached. Everything else needs the client's prefix. */
const sharedKeys =
  /^(bootstrap\.servers|security\.protocol|ssl\..+|sasl\..+|client\.dns\.lookup|reconnect\.backoff\..+|retry\.backoff\..+|request\.timeout\.ms|default\.api\.timeout\.ms|metadata\.max\.age\.ms|connections\.max\.idle\.ms|socket\.connection\.setup\..+)$/;

/**
 * The settings of one client, as Connect layers them: the worker's (only those on how brokers are reached), over
 * them the worker's with the prefix `producer.`, `consumer.` or `admin.`, over them the connector's overrides.
 */
export function clientSettings(kind: ClientKind, worker: Settings, overrides: Settings = {}): Settings {
  const prefix = `${kind}.`;
  const settings: Record<string, string> = {};
  for (const [key, value] of Object.entries(worker)) if (sharedKeys.test(key)) settings[key] = value;
  for (const [key, value] of Object.entries(worker)) {
    if (key.startsWith(prefix) && !key.startsWith(`${prefix}override.`)) settings[key.slice(prefix.length)] = value;
  }
  return { ...settings, ...overrides };
}

/** How a client reaches the brokers. */
export interface NetworkSettings {
  readonly bootstrap: readonly { readonly host: string; readonly port: number }[];
  readonly connection: ConnectionOptions;
  readonly reconnect: BackoffSettings;
  readonly retry: BackoffSettings;
  readonly requestTimeoutMs: number;
  /** How long a call of the admin kind may take, retries included. */
  readonly apiTimeoutMs: number;
  readonly metadataMaxAgeMs: number;
  /** Clients with equal settings share what they know of the cluster. */
  readonly identity: string;
}

const securityProtocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const;

/** Throws a ConfigError for a setting that cannot be followed, and whose neglect would cost security or records. */
export function refuseSettings(kind: ClientKind, settings: Settings): void {
  for (const [key, value] of Object.entries(settings)) {
    const verdict = settingVerdict(kind, key);
    if (verdict.kind === 'refused' && value.trim() !== '')
      throw new ConfigError(`${key}: is not supported: ${verdict.why}.`, { hint: 'Take it out.' });
  }
}

/** Throws a ConfigError for what cannot be translated. */
export async function networkSettings(settings: Settings): Promise<NetworkSettings> {
  const protocol = choiceOf(settings, 'security.protocol', securityProtocols, 'PLAINTEXT');
  const tls = protocol.endsWith('SSL') ? await tlsOptions(settings) : undefined;
  const sasl = protocol.startsWith('SASL') ? saslOptions(settings) : undefined;
  const reconnectMs = integerOf(settings, 'reconnect.backoff.ms', 50, 1);
  const retryMs = integerOf(settings, 'retry.backoff.ms', 100, 1);
  const relevant = Object.entries(settings).filter(([key]) => sharedKeys.test(key));
  return {
    bootstrap: bootstrapServers(settings),
    connection: {
      connectTimeout: integerOf(settings, 'socket.connection.setup.timeout.ms', 10_000, 1),
      ...(tls === undefined ? {} : { tls }),
      ...(sasl === undefined ? {} : { sasl }),
    },
    reconnect: { initialMs: reconnectMs, maxMs: Math.max(reconnectMs, integerOf(settings, 'reconnect.backoff.max.ms', 1000)) },
    retry: { initialMs: retryMs, maxMs: Math.max(retryMs, integerOf(settings, 'retry.backoff.max.ms', 1000)) },
    requestTimeoutMs: integerOf(settings, 'request.timeout.ms', 30_000, 1),
    apiTimeoutMs: integerOf(settings, 'default.api.timeout.ms', 60_000, 1),
    metadataMaxAgeMs: integerOf(settings, 'metadata.max.age.ms', 300_000),
    identity: JSON.stringify(relevant.toSorted(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function bootstrapServers(settings: Settings): NetworkSettings['bootstrap'] {
  const servers = listOf(settings, 'bootstrap.servers');
  if (servers.length === 0) throw new ConfigError('bootstrap.servers: must name at least one broker, as host:port.');
  return servers.map((server) => {
    const match = /^(?:[A-Z_]+:\/\/)?(\[[^\]]+\]|[^:[\]]+):(\d+)$/i.exec(server);
    const host = match?.[1]?.replace(/^\[(.*)\]$/, '$1') ?? '';
    const port = Number(match?.[2]);
    if (match === null || port < 1 || port > 65535 || (server.includes('[') && !isIPv6(host))) {
      throw new ConfigError(`bootstrap.servers: "${server}" is not host:port.`, { hint: 'Write for example broker1:9092,broker2:9092.' });
    }
    return { host, port };
  });
}

export interface ProducerSettings {
  /** Infinity: retried for ever, as Connect's own sources do. */
  readonly deliveryTimeoutMs: number;
  /** How long to wait for a topic or partition that the cluster does not have. */
  readonly maxBlockMs: number;
  readonly maxInFlight: number;
  readonly maxRequestBytes: number;
  /** After so long without an end the coordinator aborts a transaction. */
  readonly transactionTimeoutMs: number;
}

const intMax = 2_147_483_647;

export function producerSettings(settings: Settings): ProducerSettings {
  const acks = settings['acks']?.trim();
  if (acks !== undefined && acks !== '' && acks !== 'all' && acks !== '-1') {
    throw new ConfigError(`acks: "${acks}" would lose records when a broker fails.`, {
      hint: 'Take it out; records are always acknowledged by all in-sync replicas.',
    });
  }
  const delivery = integerOf(settings, 'delivery.timeout.ms', intMax, 0);
  return {
    deliveryTimeoutMs: delivery >= intMax ? Infinity : delivery,
    maxBlockMs: integerOf(settings, 'max.block.ms', 60_000, 0),
    // The broker remembers five batches of a producer and partition: more could not be told apart from repeats.
    maxInFlight: Math.min(5, integerOf(settings, 'max.in.flight.requests.per.connection', 5, 1)),
    maxRequestBytes: integerOf(settings, 'max.request.size', 1_048_576, 1),
    transactionTimeoutMs: Math.min(intMax, integerOf(settings, 'transaction.timeout.ms', 60_000, 1)),
  };
}

export type OffsetReset = 'earliest' | 'latest' | 'none';

export interface ConsumerSettings {
  readonly isolation: 'read_committed' | 'read_uncommitted';
  readonly offsetReset: OffsetReset | undefined;
  readonly fetchMinBytes: number;
  readonly fetchMaxBytes: number;
  readonly fetchMaxWaitMs: number;
  readonly partitionMaxBytes: number;
  readonly checkCrcs: boolean;
  readonly autoCreateTopics: boolean;
  readonly rackId: string;
}

export function consumerSettings(settings: Settings): ConsumerSettings {
  const reset = textOf(settings, 'auto.offset.reset');
  return {
    isolation: choiceOf(settings, 'isolation.level', ['read_committed', 'read_uncommitted'], 'read_uncommitted'),
    offsetReset:
      reset === undefined ? undefined : choiceOf<OffsetReset>(settings, 'auto.offset.reset', ['earliest', 'latest', 'none'], 'earliest'),
    fetchMinBytes: integerOf(settings, 'fetch.min.bytes', 1, 0),
    fetchMaxBytes: integerOf(settings, 'fetch.max.bytes', 52_428_800, 0),
    fetchMaxWaitMs: integerOf(settings, 'fetch.max.wait.ms', 500, 0),
    partitionMaxBytes: integerOf(settings, 'max.partition.fetch.bytes', 1_048_576, 0),
    checkCrcs: booleanOf(settings, 'check.crcs', true),
    // The JVM's default is true: subscribing creates. A topic made so would have no settings of those who write to it.
    autoCreateTopics: booleanOf(settings, 'allow.auto.create.topics', false),
    rackId: settings['client.rack'] ?? '',
  };
}

export interface GroupSettings {
  readonly sessionTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly maxPollIntervalMs: number;
  readonly instanceId: string | null;
}

export function groupSettings(settings: Settings): GroupSettings {
  const strategies = listOf(settings, 'partition.assignment.strategy');
  if (strategies.length > 0 && !strategies.some((name) => /(^|\.)(RangeAssignor|range)$/.test(name))) {
    throw new ConfigError(`partition.assignment.strategy: ${strategies.join(', ')} is not supported.`, {
      hint: 'Take it out, or add org.apache.kafka.clients.consumer.RangeAssignor, the default of the JVM consumers too.',
    });
  }
  choiceOf(settings, 'group.protocol', ['classic'], 'classic');
  return {
    sessionTimeoutMs: integerOf(settings, 'session.timeout.ms', 45_000, 1),
    heartbeatMs: integerOf(settings, 'heartbeat.interval.ms', 3000, 1),
    maxPollIntervalMs: integerOf(settings, 'max.poll.interval.ms', 300_000, 1),
    instanceId: textOf(settings, 'group.instance.id') ?? null,
  };
}
