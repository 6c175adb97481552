/** Restarts on request: of a task, of a connector, and of what flags choose (KIP-745). Source: org.apache.kafka.connect.runtime.RestartRequest. */
import { ForwardError, RequestError } from '../ports/herder.ts';
import type { ConnectorStateInfo, Herder } from '../ports/herder.ts';
import type { ConnectorEntry, RestartRequest, RunState } from '../ports/stores.ts';
import { messageOf, taskName } from './herder-context.ts';
import type { HerderOptions } from './herder-context.ts';
import type { Leadership } from './leadership.ts';
import type { Reconciler, Restarted } from './reconciler.ts';

export interface Restarts extends Pick<Herder, 'restartTask' | 'restartConnector'> {
  /** The leader told all workers to; each restarts its share. */
  requested(request: RestartRequest): void;
}

export function createRestarts(
  { configStore, statusStore, membership, logger }: HerderOptions,
  leadership: Leadership,
  reconciler: Reconciler,
  statusOf: (name: string) => Promise<ConnectorStateInfo>,
  entryOf: (name: string) => Promise<ConnectorEntry | undefined>,
): Restarts {
  /** Of requests for one connector that wait, the one with most impact. */
  const waiting = new Map<string, RestartRequest>();

  function forward(item: Parameters<typeof membership.ownerUrl>[0]): ForwardError {
    const { leader, leaderUrl } = leadership.assignment();
    return new ForwardError(leader ? membership.ownerUrl(item) : leaderUrl);
  }

  function choose(request: RestartRequest): Restarted | undefined {
    const { connector, includeTasks } = request;
    const status = statusStore.connector(connector);
    if (status === undefined) return undefined;
    const tasks = includeTasks ? statusStore.tasks(connector) : [];
    const chosen = (state: RunState | undefined): boolean => state !== undefined && (!request.onlyFailed || state === 'FAILED');
    return {
      connector: chosen(status.state),
      tasks: tasks.filter((task) => chosen(statusStore.task({ connector, task })?.state)),
    };
  }

  async function known(name: string): Promise<ConnectorEntry> {
    const entry = await entryOf(name);
    if (entry === undefined) throw new RequestError(404, `Unknown connector: ${name}`);
    return entry;
  }

  return {
    async restartTask(id) {
      const entry = await known(id.connector);
      if (entry.tasks[id.task] === undefined) throw new RequestError(404, `Unknown task: ${taskName(id)}`);
      await leadership.settled();
      if (!leadership.runsHere(id)) throw forward(id);
      const error = await reconciler.restartTask(id);
      if (error !== undefined) throw new RequestError(500, `Failed to start task: ${taskName(id)}`, { cause: error });
    },

    async restartConnector(name, { includeTasks, onlyFailed }) {
      await known(name);
      const unseen = (): RequestError => new RequestError(404, `Status for connector ${name} not found`);
      if (!includeTasks && !onlyFailed) {
        await leadership.settled();
        if (!leadership.assignment().connectors.includes(name)) throw forward(name);
        if (statusStore.connector(name) === undefined) throw unseen();
        const now = await statusOf(name);
        const trace = await reconciler.restart(name, () => ({ connector: true, tasks: [] }));
        if (trace !== undefined) throw new RequestError(500, `Failed to start connector: ${name}`);
        return planned(now, { connector: true, tasks: [] });
      }
      await leadership.required();
      const request = { connector: name, includeTasks, onlyFailed };
      const plan = choose(request);
      if (plan === undefined) throw unseen();
      const now = await statusOf(name);
      await leadership.write(() => configStore.putRestart(request));
      // The answer is the plan; what becomes of it stands in the statuses.
      return planned(now, plan);
    },

    requested(request) {
      const { connector } = request;
      const before = waiting.get(connector);
      if (before === undefined || impactOf(request) > impactOf(before)) waiting.set(connector, request);
      if (before !== undefined) return;
      const restarted = reconciler.restart(connector, () => {
        const now = waiting.get(connector) ?? request;
        waiting.delete(connector);
        return choose(now);
      });
      restarted
        .catch((error: unknown) => logger.error(`connector ${connector}: the restart failed: ${messageOf(error)}`))
        .finally(() => waiting.delete(connector));
    },
  };
}

function impactOf({ includeTasks, onlyFailed }: RestartRequest): number {
  if (onlyFailed) return includeTasks ? 1 : 0;
  return includeTasks ? 3 : 2;
}

function planned(now: ConnectorStateInfo, { connector, tasks }: Restarted): ConnectorStateInfo {
  const restarting = <T extends object>(item: T): T => ({ ...item, state: 'RESTARTING' });
  return {
    ...now,
    connector: connector ? restarting(now.connector) : now.connector,
    tasks: now.tasks.map((task) => (tasks.includes(task.id) ? restarting(task) : task)),
  };
}
