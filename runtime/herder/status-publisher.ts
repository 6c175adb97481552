/** What one worker writes about its connectors and tasks. */
import type { TaskReport } from '../api/index.ts';
import type { RunState, RunStatus } from '../ports/stores.ts';
import type { TaskId } from '../ports/tasks.ts';
import { messageOf, taskName } from './herder-context.ts';
import type { HerderOptions } from './herder-context.ts';

/** Never waits for the log, and never rejects. */
export interface StatusPublisher {
  connector(name: string, state: RunState, trace?: string): void;
  task(id: TaskId, state: RunState, trace?: string, report?: TaskReport): void;
  /** In the words of another: a worker that is gone, say. */
  putTask(id: TaskId, status: RunStatus): void;
  putConnector(name: string, status: RunStatus): void;
  removeTask(id: TaskId): void;
  /** Everything that is known of the connector: its topics, its tasks, itself. */
  remove(connector: string): void;
  resetTopics(connector: string): void;
  topicUsed(id: TaskId, topic: string): void;
  /** Resolves when what was published is written, or after a while. */
  flushed(waitMs: number): Promise<void>;
  /** How long the oldest one that is not written yet has waited; 0 when there is none. */
  waitingMs(): number;
}

export function statusPublisher(options: HerderOptions, generation: () => number): StatusPublisher {
  const { statusStore, configStore, pluginHost, membership, logger, settings } = options;
  const writing = new Map<Promise<void>, number>();

  function publish(what: string, write: () => Promise<void>): void {
    const written = write()
      .catch((error: unknown) => logger.warn(`the status of ${what} could not be written: ${messageOf(error)}`))
      .finally(() => writing.delete(written));
    writing.set(written, Date.now());
  }

  function versionOf(connector: string): string | null {
    const connectorClass = configStore.get(connector)?.properties['connector.class'];
    try {
      return connectorClass === undefined ? null : (pluginHost.versionOf(connectorClass) ?? null);
    } catch {
      return null;
    }
  }

  const own = (connector: string, state: RunState, trace: string | undefined): RunStatus => ({
    state,
    trace: trace ?? null,
    workerId: membership.workerId,
    generation: generation(),
    version: versionOf(connector),
  });

  const putConnector = (name: string, status: RunStatus): void =>
    publish(`connector ${name}`, () => statusStore.putConnector(name, status));
  const putTask = (id: TaskId, status: RunStatus): void => publish(`task ${taskName(id)}`, () => statusStore.putTask(id, status));
  const resetTopics = (connector: string): void =>
    publish(`the topics of connector ${connector}`, () => statusStore.resetTopics(connector));

  return {
    connector: (name, state, trace) => putConnector(name, own(name, state, trace)),
    task: (id, state, trace, report) => putTask(id, { ...own(id.connector, state, trace), ...(report !== undefined && { report }) }),
    putConnector,
    putTask,
    removeTask: (id) => publish(`task ${taskName(id)}`, () => statusStore.removeTask(id)),
    remove(connector) {
      resetTopics(connector);
      publish(`connector ${connector}`, () => statusStore.removeConnector(connector));
    },
    resetTopics,
    topicUsed(id, topic) {
      if (!settings.topicTracking.enabled) return;
      publish(`the topics of connector ${id.connector}`, () => statusStore.addTopic(id.connector, id.task, topic));
    },
    async flushed(waitMs) {
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, waitMs);
      await Promise.race([Promise.allSettled([...writing.keys()]), late]);
      clearTimeout(timer);
    },
    waitingMs() {
      const [oldest] = writing.values();
      return oldest === undefined ? 0 : Date.now() - oldest;
    },
  };
}
