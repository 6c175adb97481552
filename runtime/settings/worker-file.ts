/** Reads a worker file, the same for Connect and for us: `.properties`, or the same keys as JSON. */
import { resolve } from 'node:path';

import { ConfigError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';
import { checkKeys } from './check-keys.ts';
import { readConfigText, stringValues } from './config-text.ts';
import { restSettings, restWarnings } from './rest-settings.ts';
import { typedValues } from './typed-values.ts';
import type { TypedValues } from './typed-values.ts';
import type { GroupSettings, StoreTopic, WorkerMode, WorkerSettings } from './worker-settings.ts';

export interface LoadOptions {
  /** `standalone` unless said otherwise. */
  readonly mode?: WorkerMode;
  /** Resolves `${provider:path:key}` in the file, by its own `config.providers`. */
  readonly resolve?: (config: RawConfig) => Promise<RawConfig>;
}

/** Throws a ConfigError that names the file. */
export async function loadWorkerSettings(file: string, options: LoadOptions = {}): Promise<WorkerSettings> {
  const text = await readConfigText(file);
  const written = text.kind === 'properties' ? text.config : stringValues(text.value, file);
  try {
    const config = (await options.resolve?.(written)) ?? written;
    return workerSettings(config, { file, mode: options.mode ?? 'standalone' });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`${file}: ${error.message}`, { cause: error });
  }
}

/** Only which log the file names, whatever else is in it. Throws a ConfigError that names the file. */
export async function loadLogSettings(file: string): Promise<WorkerSettings['log']> {
  const text = await readConfigText(file);
  const config = text.kind === 'properties' ? text.config : stringValues(text.value, file);
  return logOf(config, typedValues(config));
}

/** What connectors' code runs with. */
export type PluginSettings = Pick<WorkerSettings, 'converters' | 'pluginPath' | 'pluginCallTimeoutMs' | 'task' | 'topicCreation' | 'raw'>;

const pluginKeys = /^((key|value|header)\.converter|plugin\.path|config\.providers|millrace|topic\.creation|producer\.max)(\.|$)/;

/** Only that, whatever else is in the file (placeholders that cannot be resolved here included), of either mode. Throws a ConfigError that names the file. */
export async function loadPluginSettings(file: string, { resolve: resolved }: Pick<LoadOptions, 'resolve'> = {}): Promise<PluginSettings> {
  const text = await readConfigText(file);
  const all = text.kind === 'properties' ? text.config : stringValues(text.value, file);
  const written = Object.fromEntries(Object.entries(all).filter(([key]) => pluginKeys.test(key)));
  try {
    return pluginSettings((await resolved?.(written)) ?? written);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`${file}: ${error.message}`, { cause: error });
  }
}

/** Throws a ConfigError. */
export function pluginSettings(config: RawConfig, values = typedValues(config)): PluginSettings {
  const converters = Object.entries(config).filter(([key]) => /^(key|value|header)\.converter(\.|$)/.test(key));
  return {
    converters: {
      'key.converter': values.text('key.converter'),
      'value.converter': values.text('value.converter'),
      'header.converter': values.text('header.converter'),
      ...Object.fromEntries(converters),
    },
    pluginPath: values.optional('plugin.path') === undefined ? [] : values.list('plugin.path'),
    pluginCallTimeoutMs: values.number('millrace.plugin.call.timeout.ms'),
    topicCreation: values.boolean('topic.creation.enable'),
    task: {
      memoryMaxBytes: values.number('millrace.task.memory.max.bytes'),
      unresponsiveAfterMs: values.number('millrace.task.unresponsive.after.ms'),
    },
    raw: config,
  };
}

const embeddedScheme = 'embedded:';

/** Relative folders are taken from where the process runs, as Connect takes them. Throws a ConfigError. */
export function workerSettings(
  config: RawConfig,
  { file, mode, environment = process.env }: { readonly file: string; readonly mode: WorkerMode; readonly environment?: NodeJS.ProcessEnv },
): WorkerSettings {
  const values = typedValues(config);
  const log = logOf(config, values);
  const embedded = log.kind === 'embedded';
  if (embedded && mode === 'distributed') {
    throw new ConfigError('bootstrap.servers=embedded:… is a log for one worker; a distributed worker needs Kafka brokers there.');
  }
  const rest = restSettings(config, values, environment);
  const protocol = mode === 'distributed' ? values.choice('connect.protocol') : undefined;
  const warnings = [...checkKeys(config, mode, embedded), ...restWarnings(rest, config, protocol)];
  return {
    ...pluginSettings(config, values),
    file,
    mode,
    log,
    rest,
    offsetFlushIntervalMs: values.number('offset.flush.interval.ms'),
    gracefulTimeoutMs: values.number('task.shutdown.graceful.timeout.ms'),
    overridePolicy: values.choice('connector.client.config.override.policy') as WorkerSettings['overridePolicy'],
    topicTracking: { enabled: values.boolean('topic.tracking.enable'), resettable: values.boolean('topic.tracking.allow.reset') },
    offsetFile: mode === 'standalone' && !embedded ? values.text('offset.storage.file.filename') : undefined,
    stores: mode === 'distributed' || embedded ? storesOf(config, values, embedded) : undefined,
    group: mode === 'distributed' ? groupOf(values) : undefined,
    exactlyOnce: mode === 'distributed' ? (values.choice('exactly.once.source.support') as WorkerSettings['exactlyOnce']) : 'disabled',
    logging: {
      level: values.choice('millrace.log.level'),
      format: values.choice('millrace.log.format') === 'json' ? 'json' : 'text',
    },
    warnings,
  };
}

function logOf(config: RawConfig, values: TypedValues): WorkerSettings['log'] {
  const servers = values.list('bootstrap.servers');
  if (!servers.some((each) => each.startsWith(embeddedScheme))) {
    return { kind: 'kafka', settings: { ...config, 'bootstrap.servers': servers.join(',') } };
  }
  const directory = config['bootstrap.servers']?.trim().slice(embeddedScheme.length).trim() ?? '';
  if (servers.length > 1 || directory === '') {
    throw new ConfigError(`bootstrap.servers=${config['bootstrap.servers']}: write embedded:DIR with one folder, or only brokers.`);
  }
  const synchronous = values.choice('millrace.embedded.synchronous') === 'full' ? 'full' : 'normal';
  return { kind: 'embedded', directory: resolve(directory), synchronous };
}

function storesOf(config: RawConfig, values: TypedValues, embedded: boolean): NonNullable<WorkerSettings['stores']> {
  const store = (kind: 'config' | 'offset' | 'status', standard: string): StoreTopic => {
    const prefix = `${kind}.storage.`;
    const own = ['topic', 'partitions', 'replication.factor', 'file.filename'].map((name) => prefix + name);
    const extra = Object.entries(config).filter(([key]) => key.startsWith(prefix) && !own.includes(key));
    return {
      topic: embedded ? (values.optional(`${prefix}topic`) ?? standard) : values.text(`${prefix}topic`),
      partitions: kind === 'config' ? 1 : values.number(`${prefix}partitions`),
      replicationFactor: embedded ? 1 : values.number(`${prefix}replication.factor`),
      config: Object.fromEntries(extra.map(([key, value]) => [key.slice(prefix.length), value])),
    };
  };
  return {
    config: store('config', 'connect-configs'),
    offset: store('offset', 'connect-offsets'),
    status: store('status', 'connect-status'),
  };
}

function groupOf(values: TypedValues): GroupSettings {
  return {
    id: values.text('group.id'),
    protocol: values.choice('connect.protocol') as GroupSettings['protocol'],
    sessionTimeoutMs: values.number('session.timeout.ms'),
    heartbeatMs: values.number('heartbeat.interval.ms'),
    rebalanceTimeoutMs: values.number('rebalance.timeout.ms'),
    rebalanceMaxDelayMs: values.number('scheduled.rebalance.max.delay.ms'),
    syncTimeoutMs: values.number('worker.sync.timeout.ms'),
    unsyncBackoffMs: values.number('worker.unsync.backoff.ms'),
    keyTtlMs: values.number('inter.worker.key.ttl.ms'),
    keyGenerationAlgorithm: values.text('inter.worker.key.generation.algorithm'),
    ...(values.optional('inter.worker.key.size') === undefined ? {} : { keySize: values.number('inter.worker.key.size') }),
    signatureAlgorithm: values.text('inter.worker.signature.algorithm'),
    verificationAlgorithms: values.list('inter.worker.verification.algorithms'),
    joinDespiteMissingClasses: values.boolean('millrace.join.despite.missing.classes'),
  };
}
