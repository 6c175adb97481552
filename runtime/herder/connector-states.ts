/** What REST shows of connectors and their tasks. */
import { RequestError } from '../ports/herder.ts';
import type { ConnectorInfo, ConnectorStateInfo, Herder, StateInfo, TaskReports } from '../ports/herder.ts';
import type { ConnectorEntry, RunStatus } from '../ports/stores.ts';
import type { ConnectorKind } from '../ports/tasks.ts';
import { notFound } from './connector-requests.ts';
import type { HerderOptions } from './herder-context.ts';

export type ConnectorStates = Pick<
  Herder,
  'connectors' | 'connectorInfo' | 'connectorConfig' | 'status' | 'reports' | 'taskStatus' | 'taskConfigs' | 'topics' | 'resetTopics'
>;

/** From the stores, whatever the group is doing. */
export function createConnectorStates(
  options: HerderOptions,
  find: (name: string) => Promise<ConnectorEntry | undefined>,
  infoOf: (entry: ConnectorEntry) => ConnectorInfo,
): ConnectorStates {
  const { configStore, statusStore, pluginHost, settings } = options;

  async function entryOf(name: string): Promise<ConnectorEntry> {
    const entry = await find(name);
    if (entry === undefined) throw notFound(name);
    return entry;
  }

  return {
    connectors: async () => configStore.connectors(),
    connectorInfo: async (name) => infoOf(await entryOf(name)),
    connectorConfig: async (name) => (await entryOf(name)).properties,
    taskConfigs: async (name) => (await entryOf(name)).tasks.map((config, task) => ({ id: { connector: name, task }, config })),
    async status(name) {
      const status = statusStore.connector(name);
      if (status === undefined) throw new RequestError(404, `No status found for connector ${name}`);
      const tasks = statusStore.tasks(name).flatMap((id): ConnectorStateInfo['tasks'][number][] => {
        const task = statusStore.task({ connector: name, task: id });
        return task === undefined ? [] : [{ id, ...stateInfo(task) }];
      });
      return { name, connector: stateInfo(status), tasks, type: kindOf(configStore.get(name), pluginHost) };
    },
    async reports(name) {
      const reports = statusStore.tasks(name).map((task) => [task, statusStore.task({ connector: name, task })?.report] as const);
      return Object.fromEntries(reports.filter(([, report]) => report !== undefined)) as TaskReports;
    },
    async taskStatus({ connector, task }) {
      const status = statusStore.task({ connector, task });
      if (status === undefined) throw new RequestError(404, `No status found for task ${connector}-${task}`);
      return { id: task, ...stateInfo(status) };
    },
    // A connector that is not there has no topics; Connect answers the same.
    async topics(name) {
      if (!settings.topicTracking.enabled) throw new RequestError(403, 'Topic tracking is disabled.');
      return statusStore.topics(name);
    },
    async resetTopics(name) {
      const { enabled, resettable } = settings.topicTracking;
      if (!enabled) throw new RequestError(403, 'Topic tracking is disabled.');
      if (!resettable) throw new RequestError(403, 'Topic tracking reset is disabled.');
      await statusStore.resetTopics(name);
    },
  };
}

export function connectorInfo(entry: ConnectorEntry, pluginHost: HerderOptions['pluginHost']): ConnectorInfo {
  const { name, properties, tasks } = entry;
  return {
    name,
    config: properties,
    tasks: tasks.map((_, task) => ({ connector: name, task })),
    type: kindOf(entry, pluginHost),
  };
}

/** `unknown` where the plugin is not installed here. */
export function kindOf(entry: ConnectorEntry | undefined, pluginHost: HerderOptions['pluginHost']): ConnectorKind | 'unknown' {
  const connectorClass = entry?.properties['connector.class'];
  try {
    return connectorClass === undefined ? 'unknown' : pluginHost.kindOf(connectorClass);
  } catch {
    return 'unknown';
  }
}

function stateInfo({ state, workerId, version, trace }: RunStatus): StateInfo {
  return { state, worker_id: workerId, version, ...(trace !== null && { trace }) };
}
