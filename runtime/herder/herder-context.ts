import type { Logger } from '../api/index.ts';
import type { Log } from '../ports/log.ts';
import type { Assignment, Membership } from '../ports/membership.ts';
import type { ConfigStore, OffsetStore, RunState, StatusStore } from '../ports/stores.ts';
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
  /** `group.id` of a distributed worker: no sink may consume under it. */
  readonly workerGroupId?: string;
}

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
}

/** What one worker writes about its connectors and tasks. Never waits for the log, and never rejects. */
export interface StatusPublisher {
  connector(name: string, state: RunState, trace?: string): void;
  task(id: TaskId, state: RunState, trace?: string): void;
  removeTask(id: TaskId): void;
  /** Everything that is known of the connector: its topics, its tasks, itself. */
  remove(connector: string): void;
  topicUsed(id: TaskId, topic: string): void;
  /** Resolves when what was published is written, or after a while. */
  flushed(waitMs: number): Promise<void>;
}

export function statusPublisher(options: HerderOptions, assignment: () => Assignment): StatusPublisher {
  const { statusStore, configStore, pluginHost, membership, logger, settings } = options;
  const writing = new Set<Promise<void>>();

  function publish(what: string, write: () => Promise<void>): void {
    const written = write()
      .catch((error: unknown) => logger.warn(`the status of ${what} could not be written: ${(error as Error).message}`))
      .finally(() => writing.delete(written));
    writing.add(written);
  }

  function versionOf(connector: string): string | null {
    const connectorClass = configStore.get(connector)?.properties['connector.class'];
    try {
      return connectorClass === undefined ? null : (pluginHost.versionOf(connectorClass) ?? null);
    } catch {
      return null;
    }
  }

  const status = (connector: string, state: RunState, trace: string | undefined) => ({
    state,
    trace: trace ?? null,
    workerId: membership.workerId,
    generation: assignment().generation,
    version: versionOf(connector),
  });

  return {
    connector: (name, state, trace) => publish(`connector ${name}`, () => statusStore.putConnector(name, status(name, state, trace))),
    task: (id, state, trace) => publish(`task ${taskName(id)}`, () => statusStore.putTask(id, status(id.connector, state, trace))),
    removeTask: (id) => publish(`task ${taskName(id)}`, () => statusStore.removeTask(id)),
    remove(connector) {
      publish(`the topics of connector ${connector}`, () => statusStore.resetTopics(connector));
      publish(`connector ${connector}`, () => statusStore.removeConnector(connector));
    },
    topicUsed(id, topic) {
      if (!settings.topicTracking.enabled) return;
      publish(`the topics of connector ${id.connector}`, () => statusStore.addTopic(id.connector, id.task, topic));
    },
    async flushed(waitMs) {
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, waitMs);
      await Promise.race([Promise.allSettled([...writing]), late]);
      clearTimeout(timer);
    },
  };
}

export function taskName({ connector, task }: TaskId): string {
  return `${connector}-${task}`;
}
