/** The control plane of one worker, put together. Sources: org.apache.kafka.connect.runtime.Herder, …distributed.DistributedHerder. */
import type { ConnectorInfo, Herder } from '../ports/herder.ts';
import type { Assignment } from '../ports/membership.ts';
import type { ConnectorEntry } from '../ports/stores.ts';
import type { TaskId } from '../ports/tasks.ts';
import { createConnectorOffsets } from './connector-offsets.ts';
import { createConnectorRequests } from './connector-requests.ts';
import { createConnectorRuns } from './connector-runs.ts';
import { connectorInfo, createConnectorStates } from './connector-states.ts';
import { createExactlyOnceStarts } from './exactly-once-starts.ts';
import { createHealth } from './health.ts';
import { defaultTimes } from './herder-context.ts';
import type { HerderOptions } from './herder-context.ts';
import { createInternalRequests } from './internal-requests.ts';
import { createKeyedQueue } from './keyed-queue.ts';
import { createLeadership } from './leadership.ts';
import { createLoggerRequests } from './logger-levels.ts';
import { createPluginRequests } from './plugin-requests.ts';
import { createReconciler } from './reconciler.ts';
import { createRestarts } from './restarts.ts';
import { createSessionKeys } from './session-keys.ts';
import { createStatusDuties } from './status-duties.ts';
import { statusPublisher } from './status-publisher.ts';
import { createTaskConfigPublisher } from './task-config-publisher.ts';
import { createTaskRuns } from './task-runs.ts';
import { createZombieFencing } from './zombie-fencing.ts';

const lastWordsMs = 5_000;

/** Closing it stops all tasks and says so in their statuses; the ports it was given stay open, and the group is left after it. */
export function createHerder(options: HerderOptions): Herder {
  const { configStore, statusStore, offsetStore, membership, taskHost, pluginHost, log, logger, settings, peers } = options;
  const times = { ...defaultTimes, ...options.times };

  const leadership = createLeadership(options, times);
  const { assignment, runsHere } = leadership;
  const keys = createSessionKeys(options, leadership);
  const fencing = createZombieFencing(options, leadership, times);
  const publisher = createTaskConfigPublisher(options, leadership, keys);
  const statuses = statusPublisher(options, () => assignment().generation);
  const { configProviders: providers, startups } = options;
  const restartDue = (id: TaskId): void => void reconciler.restartFailed(id);
  const taskRuns = createTaskRuns({ taskHost, providers, statuses, logger, mayRun: runsHere, startups, restartDue });
  const connectorRuns = createConnectorRuns(options, statuses, publisher, (name) => void reconciler.restartFailedConnector(name));
  const exactlyOnce = options.exactlyOnce === 'enabled' ? createExactlyOnceStarts(options, leadership, fencing, keys) : undefined;
  const reconciler = createReconciler(options, { connectorRuns, taskRuns, statuses, leadership, exactlyOnce });
  const requests = createKeyedQueue();
  const infoOf = (entry: ConnectorEntry): ConnectorInfo => connectorInfo(entry, pluginHost);
  const states = createConnectorStates(options, find, infoOf);
  const restarts = createRestarts(options, leadership, reconciler, states.status, find);
  const { setByCluster, ...loggers } = createLoggerRequests(
    options.logLevels,
    peers && ((name, level) => configStore.putLogger(name, level)),
  );
  const duties = createStatusDuties(options, times, { statuses, assignment, confirm });
  const health = createHealth({ ...times, probe, waitingMs: () => statuses.waitingMs() });
  let sharing = false;
  let closed = false;

  /** Another worker may have made it a moment ago, and this one not have read that yet. */
  async function find(name: string): Promise<ConnectorEntry | undefined> {
    if (peers !== undefined && configStore.get(name) === undefined) await configStore.readToEnd(times.syncMs).catch(() => {});
    return configStore.get(name);
  }

  function confirm(): void {
    taskRuns.confirm((id) => statusStore.task(id));
    connectorRuns.confirm();
  }

  async function probe(): Promise<void> {
    await configStore.readToEnd(times.probeEveryMs);
    await duties.afterAssignment(assignment());
  }

  function shareOut(): void {
    sharing = false;
    const names = configStore.connectors();
    const tasks = names.flatMap((name) => (configStore.get(name)?.tasks ?? []).map((_, task): TaskId => ({ connector: name, task })));
    membership.configChanged(names, tasks);
  }

  function onChange(name: string): void {
    if (closed) return;
    void reconciler.changed(name);
    // Once for all changes that are read together.
    if (!sharing) queueMicrotask(shareOut);
    sharing = true;
  }

  async function onAssigned(now: Assignment): Promise<void> {
    const before = assignment();
    leadership.assigned(now);
    await health.watch('stopping what the group took away', async () => {
      await reconciler.assigned(before, now);
      // The next worker says RUNNING: what this one says of it must stand before.
      await statuses.flushed(lastWordsMs);
    });
    publisher.retry();
    keys.assigned();
    void duties.afterAssignment(assignment());
    health.started();
  }

  async function start(): Promise<void> {
    try {
      const listener = { connector: onChange, restart: restarts.requested, logger: setByCluster };
      await Promise.all([statusStore.start(), offsetStore.start(), configStore.start(listener)]);
      await options.beforeJoining?.();
      shareOut();
      await membership.start(onAssigned);
    } catch (error) {
      health.failed();
      throw error;
    }
  }

  return {
    start,
    health: () => health.now(),
    serverInfo: async () => ({ version: settings.version, commit: settings.commit, kafka_cluster_id: await log.clusterId() }),
    leading: () => leadership.required(),
    ...states,
    ...createConnectorRequests(options, requests, leadership, find, infoOf),
    ...createConnectorOffsets(options, {
      queue: requests,
      leadership,
      fencing,
      times,
      find,
      settled: (name) => reconciler.settled(name),
    }),
    ...createInternalRequests(options, requests, leadership, keys, fencing),
    ...createPluginRequests(options),
    ...loggers,
    restartTask: restarts.restartTask,
    restartConnector: restarts.restartConnector,

    async [Symbol.asyncDispose]() {
      closed = true;
      for (const part of [publisher, keys, health]) await part[Symbol.asyncDispose]();
      await reconciler.stop();
      await statuses.flushed(lastWordsMs);
      await leadership[Symbol.asyncDispose]();
    },
  };
}
