/** One worker, alone: puts the rooms together, starts them in order, and stops them the other way round. */
import type { RequestListener } from 'node:http';
import { flushCompileCache } from 'node:module';
import type { RawConfig } from './api/index.ts';
import packageJson from './package.json' with { type: 'json' };
import type { Herder } from './ports/herder.ts';
import type { ConfigStore, OffsetStore, StatusStore } from './ports/stores.ts';
import { createConfigProviders } from './settings/config-providers.ts';
import { actedOverrides } from './embedded/acted-overrides.ts';
import { createHerder } from './herder/create-herder.ts';
import { singleMembership } from './herder/single-membership.ts';
import { createStartupCounts } from './herder/startup-counts.ts';
import { checkOverrides } from './kafka/override-check.ts';
import { createLogging } from './logging/logging.ts';
import type { Logging } from './logging/logging.ts';
import { createRestApp } from './rest/app.ts';
import { createMetrics } from './rest/metrics.ts';
import { herderMetrics } from './rest/metrics-source.ts';
import { startRestServer } from './rest/server.ts';
import type { ConnectorFile } from './settings/connector-file.ts';
import type { WorkerSettings } from './settings/worker-settings.ts';
import { memoryConfigStore } from './stores/config-store.ts';
import { fileOffsetStore } from './stores/file-offset-store.ts';
import { memoryStatusStore } from './stores/status-store.ts';
import { topicConfigStore } from './stores/topic-config-store.ts';
import { topicOffsetStore } from './stores/topic-offset-store.ts';
import { topicStatusStore } from './stores/topic-status-store.ts';
import { startLogThread } from './worker/log-thread-host.ts';
import type { LogThreadHost } from './worker/log-thread-host.ts';
import { createPluginHost } from './worker/plugin-host.ts';
import { createTaskHost } from './worker/task-host.ts';
import type { TaskSettings } from './worker/task-messages.ts';

export interface Standalone extends AsyncDisposable {
  /** The REST API's first listener. */
  readonly url: string;
  readonly herder: Herder;
  /** Rejects when the worker cannot go on (the log thread died). */
  readonly died: Promise<never>;
  /** Threads that a system call keeps alive although they were ended: the process cannot exit by itself before they do. */
  blockedThreads(): number;
}

/**
 * Starts a worker and creates or updates the connectors given. Throws a ConfigError, with nothing left running,
 * when a setting cannot work; a connector that is refused is logged, and the others run (as Connect does).
 */
export async function startStandalone(
  settings: WorkerSettings,
  connectors: readonly ConnectorFile[],
  logging: Logging = createLogging(settings.logging),
): Promise<Standalone> {
  const log = logging.logger('millrace');
  for (const warning of settings.warnings) log.warn(warning);
  const stack = new AsyncDisposableStack();
  try {
    let apps: { readonly main: RequestListener; readonly admin: RequestListener } = { main: isStarting, admin: isStarting };
    // The listeners come first: a busy port is the commonest mistake, and tasks are named by their address.
    const rest = stack.use(await startRestServer((request, response) => apps.main(request, response), settings.rest.listeners));
    const { adminListeners } = settings.rest;
    if (adminListeners !== undefined && adminListeners.length > 0) {
      stack.use(await startRestServer((request, response) => apps.admin(request, response), adminListeners));
    }
    const logThread = stack.use(await startLogThread(settings.log, logging.logger('millrace.log')));
    const stores = storesOf(settings, logThread, logging);
    for (const store of Object.values(stores)) stack.use(store);
    const pluginHost = stack.use(
      await createPluginHost({ ...settings.task, pluginPath: settings.pluginPath, callTimeoutMs: settings.pluginCallTimeoutMs }, log),
    );
    const taskHost = stack.use(
      createTaskHost(logThread, stores.offsetStore, (name) => logging.logger(name), {
        ...settings.task,
        gracefulTimeoutMs: settings.gracefulTimeoutMs,
        task: taskSettings(settings),
      }),
    );
    const startups = createStartupCounts();
    const herder = stack.use(
      createHerder({
        ...stores,
        taskHost,
        pluginHost,
        membership: stack.use(singleMembership(workerId(settings, rest.addresses[0]))),
        configProviders: createConfigProviders(settings.raw),
        log: logThread.log,
        logger: logging.logger('millrace.herder'),
        logLevels: logging.levels,
        startups,
        settings: {
          version: packageJson.version,
          commit: 'unknown',
          topicTracking: settings.topicTracking,
          overridePolicy: settings.overridePolicy,
          overrideCheck: (client, overrides) =>
            checkOverrides(client, overrides, settings.log.kind === 'embedded' ? actedOverrides[client] : undefined),
        },
      }),
    );
    const source = herderMetrics(
      herder,
      () => taskHost.metrics(),
      () => startups.attributes(),
    );
    const restOptions = {
      herder,
      metrics: createMetrics(source),
      topicTracking: settings.topicTracking,
      origins: settings.rest.origins,
      responseHeaders: settings.rest.responseHeaders,
      log: logging.logger('millrace.rest'),
    };
    // Before the stores are read, every connector would be unknown.
    let ready = false;
    const onceReady = (app: RequestListener): RequestListener => {
      return (request, response) => (ready || request.url?.startsWith('/health') ? app : isStarting)(request, response);
    };
    apps = {
      main: onceReady(createRestApp({ ...restOptions, part: adminListeners === undefined ? 'all' : 'without-admin' })),
      admin: onceReady(createRestApp({ ...restOptions, part: 'admin' })),
    };
    await herder.start();
    ready = true;
    for (const connector of connectors) await createOrUpdate(herder, connector, logging);
    log.info(`worker ready: ${rest.url}`);
    flushCompileCache();
    const running = stack.move();
    return {
      url: rest.url,
      herder,
      died: logThread.died,
      blockedThreads: () => taskHost.blocked(),
      [Symbol.asyncDispose]: () => running.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

const isStarting: RequestListener = (_request, response) => {
  response.writeHead(503, { 'content-type': 'application/json' }).end('{"error_code":503,"message":"The worker is starting"}');
};

/** Nothing else: what the worker's file holds beside these is not for connectors to read. */
function taskSettings({ converters, pluginPath, offsetFlushIntervalMs, topicCreation, raw }: WorkerSettings): TaskSettings {
  const clients = {
    producer: pick(raw, 'producer.', ['compression.type', 'max.request.size']),
    consumer: pick(raw, 'consumer.', ['isolation.level', 'max.poll.records']),
  };
  return { converters, pluginPath, offsetFlushIntervalMs, topicCreation, clients };
}

function pick(raw: RawConfig, prefix: string, names: readonly string[]): RawConfig {
  return Object.fromEntries(names.flatMap((name) => (raw[prefix + name] === undefined ? [] : [[name, raw[prefix + name] as string]])));
}

async function createOrUpdate(herder: Herder, { name, config, initialState, file }: ConnectorFile, logging: Logging): Promise<void> {
  try {
    if ((await herder.connectors()).includes(name)) await herder.putConfig(name, config);
    else await herder.createConnector(name, config, initialState);
  } catch (error) {
    logging.logger('millrace').error(`connector ${name} (${file}) was not created: ${(error as Error).message}`);
  }
}

interface Stores {
  readonly configStore: ConfigStore;
  readonly statusStore: StatusStore;
  readonly offsetStore: OffsetStore;
}

/** On the embedded log, compacted topics; on Kafka, Connect's standalone habit: memory, and a file for offsets. */
function storesOf(settings: WorkerSettings, { log }: LogThreadHost, logging: Logging): Stores {
  const { stores, offsetFile = '' } = settings;
  if (stores === undefined) {
    return { configStore: memoryConfigStore(), statusStore: memoryStatusStore(), offsetStore: fileOffsetStore(offsetFile) };
  }
  const options = ({ topic, partitions, replicationFactor, config }: (typeof stores)['config']) => ({
    log,
    topic,
    partitions,
    replicationFactor,
    topicConfig: config,
    clientId: `millrace-${topic}`,
    logger: logging.logger('millrace.stores'),
  });
  return {
    configStore: topicConfigStore(options(stores.config)),
    statusStore: topicStatusStore(options(stores.status)),
    offsetStore: topicOffsetStore(options(stores.offset)),
  };
}

function workerId({ rest }: WorkerSettings, address: { host: string; port: number } | undefined): string {
  const host = rest.advertisedHost ?? (['', '0.0.0.0', '::'].includes(address?.host ?? '') ? '127.0.0.1' : address?.host);
  return `${host}:${rest.advertisedPort ?? address?.port ?? 8083}`;
}
