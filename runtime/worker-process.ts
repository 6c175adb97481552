/** One worker in this process: puts the rooms together, starts them in order, and stops them the other way round. */
import { flushCompileCache } from 'node:module';
import { createDeadLetters } from './dead-letters/create-dead-letters.ts';
import { actedOverrides } from './embedded/acted-overrides.ts';
import { createHerder } from './herder/create-herder.ts';
import type { HerderOptions } from './herder/herder-context.ts';
import { createStartupCounts } from './herder/startup-counts.ts';
import { checkOverrides } from './kafka/override-check.ts';
import type { Logging } from './logging/logging.ts';
import packageJson from './package.json' with { type: 'json' };
import { sourceDelivery } from './plugins/source-delivery.ts';
import type { Herder } from './ports/herder.ts';
import type { Membership } from './ports/membership.ts';
import type { PluginHost } from './ports/tasks.ts';
import { advertisedUrl } from './rest/advertised-url.ts';
import { createMetrics } from './rest/metrics.ts';
import { herderMetrics } from './rest/metrics-source.ts';
import { createConfigProviders } from './settings/config-providers.ts';
import type { WorkerSettings } from './settings/worker-settings.ts';
import { startRest } from './worker-rest.ts';
import type { WorkerStores } from './worker-stores.ts';
import { collectWhenIdle } from './worker/idle-collection.ts';
import { startLogThread } from './worker/log-thread-host.ts';
import type { LogThreadHost } from './worker/log-thread-host.ts';
import { createPluginHost } from './worker/plugin-host.ts';
import { createTaskHost } from './worker/task-host.ts';
import type { TaskSettings } from './worker/task-messages.ts';

export interface WorkerProcess extends AsyncDisposable {
  /** The REST API's first listener. */
  readonly url: string;
  readonly herder: Herder;
  /** Rejects when the worker cannot go on (the log thread died). */
  readonly died: Promise<never>;
  /** Threads that a system call keeps alive although they were ended: the process cannot exit by itself before they do. */
  blockedThreads(): number;
}

/** What is known when a worker decides whom it works with. */
export interface WorkerPlace {
  /** host:port, as statuses name it. */
  readonly workerId: string;
  /** Of its REST, as others reach it, with a slash at the end. */
  readonly url: string;
  readonly stores: WorkerStores;
  readonly pluginHost: PluginHost;
}

/** Alone, or one of several. */
export interface WorkerCompany {
  readonly membership: Membership;
  readonly herder?: Pick<HerderOptions, 'peers' | 'interWorker' | 'exactlyOnce' | 'times' | 'beforeJoining'>;
}

export interface WorkerMode {
  stores(logThread: LogThreadHost): WorkerStores;
  company(place: WorkerPlace): Promise<WorkerCompany>;
}

/** Throws a ConfigError, with nothing left running, when a setting cannot work. Resolves once REST answers everything. */
export async function startWorkerProcess(settings: WorkerSettings, logging: Logging, mode: WorkerMode): Promise<WorkerProcess> {
  const log = logging.logger('millrace');
  for (const warning of settings.warnings) log.warn(warning);
  const stack = new AsyncDisposableStack();
  try {
    // The listeners come first: a busy port is the commonest mistake, and tasks are named by their address.
    const rest = stack.use(await startRest(settings, logging));
    const logThread = stack.use(await startLogThread(settings.log, logging.logger('millrace.log')));
    const stores = mode.stores(logThread);
    for (const store of Object.values(stores)) stack.use(store);
    const delivery = sourceDelivery({ log: settings.log.kind, mode: settings.mode, exactlyOnce: settings.exactlyOnce });
    const { pluginPath, pluginCallTimeoutMs: callTimeoutMs, converters, topicCreation } = settings;
    const asTasks = { delivery, converters, topicCreation, maxRequestSize: settings.raw['producer.max.request.size'] };
    const pluginHost = stack.use(await createPluginHost({ ...settings.task, ...asTasks, pluginPath, callTimeoutMs }, log));
    const taskHost = stack.use(
      createTaskHost(logThread, stores.offsetStore, (name) => logging.logger(name), {
        ...settings.task,
        gracefulTimeoutMs: settings.gracefulTimeoutMs,
        task: { ...taskSettings(settings), delivery },
      }),
    );
    const { membership, herder: company } = await mode.company({ ...advertisedUrl(settings.rest, rest.addresses), stores, pluginHost });
    stack.use(membership);
    const startups = createStartupCounts();
    const configProviders = createConfigProviders(settings.raw);
    // Closed before the membership: tasks stop, and their statuses say so, before the others hear that this one leaves.
    const herder = stack.use(
      createHerder({
        ...stores,
        ...company,
        taskHost,
        pluginHost,
        membership,
        configProviders,
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
          ...(settings.group && { workerGroupId: settings.group.id }),
        },
      }),
    );
    const source = herderMetrics(
      herder,
      () => taskHost.metrics(),
      () => startups.attributes(),
      settings.group && membership,
    );
    const deadLetters = createDeadLetters({
      log: logThread.log,
      logger: logging.logger('millrace.dead-letters'),
      async connector(name) {
        const { config } = await configProviders.resolve(await herder.connectorConfig(name));
        const connectorClass = config['connector.class'] ?? '';
        const takesResubmitted = pluginHost.takesResubmitted?.(connectorClass) ?? false;
        return { config, kind: pluginHost.kindOf(connectorClass), takesResubmitted };
      },
      leading: () => herder.leading(),
      restartTasks: async (name) => void (await herder.restartConnector(name, { includeTasks: true, onlyFailed: false })),
    });
    rest.serve(herder, createMetrics({ ...source, restarts: () => startups.restarts() }), deadLetters);
    await herder.start();
    rest.open();
    flushCompileCache();
    collectWhenIdle();
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

/** Nothing else: what the worker's file holds beside these is not for connectors to read. */
function taskSettings({ converters, pluginPath, offsetFlushIntervalMs, topicCreation, raw }: WorkerSettings): TaskSettings {
  const pick = (prefix: string, names: readonly string[]): Record<string, string> =>
    Object.fromEntries(names.flatMap((name) => (raw[prefix + name] === undefined ? [] : [[name, raw[prefix + name] as string]])));
  const clients = {
    producer: pick('producer.', ['compression.type', 'max.request.size', 'max.block.ms', 'transaction.timeout.ms']),
    consumer: pick('consumer.', ['isolation.level', 'max.poll.records']),
  };
  return { converters, pluginPath, offsetFlushIntervalMs, topicCreation, clients };
}
