/** The control plane of one worker, put together. Source: org.apache.kafka.connect.runtime.Herder. */
import { RequestError } from '../ports/herder.ts';
import type { ConnectorInfo, ConnectorStateInfo, Herder } from '../ports/herder.ts';
import type { Assignment } from '../ports/membership.ts';
import type { ConnectorEntry } from '../ports/stores.ts';
import type { TaskId } from '../ports/tasks.ts';
import { createConnectorOffsets } from './connector-offsets.ts';
import { createConnectorRequests } from './connector-requests.ts';
import { connectorInfo, createConnectorStates } from './connector-states.ts';
import { statusPublisher, taskName } from './herder-context.ts';
import type { HerderOptions } from './herder-context.ts';
import { createKeyedQueue } from './keyed-queue.ts';
import { createLoggerRequests } from './logger-levels.ts';
import { createPluginRequests } from './plugin-requests.ts';
import { createReconciler } from './reconciler.ts';
import { createTaskRuns } from './task-runs.ts';

const lastWordsMs = 5_000;

/** Closing it stops all tasks and says so in their statuses; the ports it was given stay open. */
export function createHerder(options: HerderOptions): Herder {
  const { configStore, statusStore, offsetStore, membership, taskHost, pluginHost, log, logger, settings } = options;
  let assignment: Assignment = { generation: 0, leader: false, connectors: [], tasks: [] };
  let phase: 'starting' | 'ready' | 'failed' = 'starting';

  const statuses = statusPublisher(options, () => assignment);
  const taskRuns = createTaskRuns(taskHost, options.configProviders, statuses, logger, options.startups);
  const reconciler = createReconciler(options, taskRuns, statuses, () => assignment);
  const requests = createKeyedQueue();
  const infoOf = (entry: ConnectorEntry): ConnectorInfo => connectorInfo(entry, pluginHost);
  const states = createConnectorStates(options, infoOf);

  function shareOut(): void {
    const names = configStore.connectors();
    const tasks = names.flatMap((name) => (configStore.get(name)?.tasks ?? []).map((_, task): TaskId => ({ connector: name, task })));
    membership.configChanged(names, tasks);
  }

  function onChange(name: string): void {
    void reconciler.changed(name);
    shareOut();
  }

  async function start(): Promise<void> {
    try {
      await Promise.all([statusStore.start(), offsetStore.start(), configStore.start(onChange)]);
      await membership.start(async (now) => {
        const before = assignment;
        assignment = now;
        await reconciler.assigned(before, now);
      });
      shareOut();
      phase = 'ready';
    } catch (error) {
      phase = 'failed';
      throw error;
    }
  }

  return {
    start,
    health: () => healthOf[phase],
    serverInfo: async () => ({ version: settings.version, commit: settings.commit, kafka_cluster_id: await log.clusterId() }),
    ...states,
    ...createConnectorRequests(options, requests, infoOf),
    ...createConnectorOffsets(options, requests, (name) => reconciler.settled(name)),
    ...createPluginRequests(options),
    ...createLoggerRequests(options.logLevels),

    async restartTask(id) {
      const entry = configStore.get(id.connector);
      if (entry === undefined) throw new RequestError(404, `Unknown connector: ${id.connector}`);
      if (entry.tasks[id.task] === undefined) throw new RequestError(404, `Unknown task: ${taskName(id)}`);
      const error = await reconciler.restartTask(id);
      if (error !== undefined) throw new RequestError(500, `Failed to start task: ${taskName(id)}`, { cause: error });
    },

    async restartConnector(name, { includeTasks, onlyFailed }) {
      if (configStore.get(name) === undefined) throw new RequestError(404, `Unknown connector: ${name}`);
      if (statusStore.connector(name) === undefined) throw new RequestError(404, `Status for connector ${name} not found`);
      const now = await states.status(name);
      const chosen = ({ state }: { readonly state: string }): boolean => !onlyFailed || state === 'FAILED';
      const connector = chosen(now.connector);
      const tasks = includeTasks ? now.tasks.filter(chosen).map(({ id }) => id) : [];
      const restarted = reconciler.restart(name, { connector, tasks });
      if (includeTasks || onlyFailed) {
        // The answer is the plan (KIP-745); what becomes of it stands in the statuses.
        restarted.catch((error: unknown) => logger.error(`connector ${name}: the restart failed: ${(error as Error).message}`));
      } else if ((await restarted) !== undefined) throw new RequestError(500, `Failed to start connector: ${name}`);
      return planOf(now, connector, tasks);
    },

    async [Symbol.asyncDispose]() {
      await reconciler.stop();
      await statuses.flushed(lastWordsMs);
    },
  };
}

function planOf(now: ConnectorStateInfo, connector: boolean, tasks: readonly number[]): ConnectorStateInfo {
  const restarting = <T extends object>(item: T): T => ({ ...item, state: 'RESTARTING' });
  return {
    ...now,
    connector: connector ? restarting(now.connector) : now.connector,
    tasks: now.tasks.map((task) => (tasks.includes(task.id) ? restarting(task) : task)),
  };
}

/** Source: org.apache.kafka.connect.runtime.rest.entities.WorkerStatus (KIP-1017). */
const healthOf = {
  starting: { status: 'starting', message: 'Worker is still starting up.' },
  ready: { status: 'healthy', message: 'Worker has completed startup and is ready to handle requests.' },
  failed: {
    status: 'unhealthy',
    message: 'Worker was unable to handle this request and may be unable to handle other requests.',
  },
} as const;
