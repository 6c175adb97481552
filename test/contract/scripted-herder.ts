/**
 * A herder that keeps everything in memory and runs nothing: for tests of what stands before a herder. It knows
 * FileStreamSource and FileStreamSink, and answers as Connect's does.
 */
import type { OffsetMap, RawConfig } from '../../runtime/api/index.ts';
import { createLoggerRequests } from '../../runtime/herder/logger-levels.ts';
import type { LogLevels } from '../../runtime/herder/logger-levels.ts';
import { RequestError } from '../../runtime/ports/herder.ts';
import type { ConnectorInfo, ConnectorStateInfo, Herder } from '../../runtime/ports/herder.ts';
import type { RunState, TargetState } from '../../runtime/ports/stores.ts';
import type { ConfigInfo, ConfigInfos, ConnectorKind, PluginInfo } from '../../runtime/ports/tasks.ts';

interface Kept {
  config: RawConfig;
  target: TargetState;
  offsets: { partition: OffsetMap; offset: OffsetMap }[];
}

const plugins: readonly PluginInfo[] = [
  { class: 'org.apache.kafka.connect.file.FileStreamSinkConnector', type: 'sink', version: '4.1.1' },
  { class: 'org.apache.kafka.connect.file.FileStreamSourceConnector', type: 'source', version: '4.1.1' },
  { class: 'org.apache.kafka.connect.json.JsonConverter', type: 'converter', version: '4.1.1' },
  { class: 'org.apache.kafka.connect.transforms.RegexRouter', type: 'transformation', version: '4.1.1' },
];

const runStates = { STARTED: 'RUNNING', PAUSED: 'PAUSED', STOPPED: 'STOPPED' } as const;

export function scriptedHerder(logLevels: LogLevels): Herder {
  const connectors = new Map<string, Kept>();
  const must = (name: string, message = `Connector ${name} not found`): Kept => {
    const kept = connectors.get(name);
    if (kept === undefined) throw new RequestError(404, message);
    return kept;
  };
  const info = (name: string): ConnectorInfo => {
    const { config, target } = must(name);
    const tasks = target === 'STOPPED' ? [] : [{ connector: name, task: 0 }];
    return { name, config, tasks, type: kindOf(config) };
  };
  const status = (name: string, state?: RunState): ConnectorStateInfo => {
    const { config, target } = must(name, `No status found for connector ${name}`);
    const of = { state: state ?? runStates[target], worker_id: '127.0.0.1:8083', version: '4.1.1' };
    return { name, connector: of, tasks: target === 'STOPPED' ? [] : [{ id: 0, ...of }], type: kindOf(config) };
  };
  const stopped = (name: string): Kept => {
    const kept = must(name);
    if (kept.target === 'STOPPED') return kept;
    throw new RequestError(
      400,
      'Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified ' +
        `connector by issuing a 'PUT' request to the '/connectors/${name}/stop' endpoint`,
    );
  };
  return {
    start: async () => {},
    health: () => ({ status: 'healthy', message: 'Worker has completed startup and is ready to handle requests.' }),
    serverInfo: async () => ({ version: '4.1.1', commit: 'none', kafka_cluster_id: 'scripted' }),
    leading: async () => {},
    connectors: async () => [...connectors.keys()],
    connectorInfo: async (name) => info(name),
    connectorConfig: async (name) => must(name).config,
    async createConnector(name, config, initialState = 'STARTED') {
      refuseInvalid(config);
      if (connectors.has(name)) throw new RequestError(409, `Connector ${name} already exists`);
      connectors.set(name, { config, target: initialState, offsets: [] });
      return info(name);
    },
    async putConfig(name, config) {
      refuseInvalid(config);
      const { target = 'STARTED', offsets = [] } = connectors.get(name) ?? {};
      const created = !connectors.has(name);
      connectors.set(name, { config, target, offsets });
      return { created, info: info(name) };
    },
    async patchConfig(name, patch) {
      const kept = must(name);
      const merged = Object.entries({ ...kept.config, ...patch }).filter((entry): entry is [string, string] => entry[1] !== null);
      kept.config = Object.fromEntries(merged);
      return info(name);
    },
    async deleteConnector(name) {
      must(name);
      connectors.delete(name);
    },
    status: async (name) => status(name),
    async taskStatus({ connector, task }) {
      const found = connectors.has(connector) ? status(connector).tasks[task] : undefined;
      if (found === undefined) throw new RequestError(404, `No status found for task ${connector}-${task}`);
      return found;
    },
    taskConfigs: async (name) => info(name).tasks.map((id) => ({ id, config: must(name).config })),
    async setTargetState(name, target) {
      must(name, `Unknown connector ${name}`).target = target;
    },
    async restartTask({ connector, task }) {
      must(connector, `Unknown connector: ${connector}`);
      if (task !== 0) throw new RequestError(404, `Unknown task: ${connector}-${task}`);
    },
    async restartConnector(name) {
      must(name, `Unknown connector: ${name}`);
      return status(name, 'RESTARTING');
    },
    topics: async (name) => [connectors.get(name)?.config['topic'] ?? []].flat(),
    resetTopics: async () => {},
    offsets: async (name) => must(name).offsets,
    async alterOffsets(name, offsets) {
      stopped(name).offsets = offsets.flatMap(({ partition, offset }) => (offset === null ? [] : [{ partition, offset }]));
      return 'The offsets for this connector have been altered successfully';
    },
    async resetOffsets(name) {
      stopped(name).offsets = [];
      return 'The offsets for this connector have been reset successfully';
    },
    plugins: (connectorsOnly) => plugins.filter((each) => !connectorsOnly || each.type === 'source' || each.type === 'sink'),
    async pluginConfig(plugin) {
      if (!plugins.some((each) => each.class.includes(plugin))) throw new RequestError(404, `Unknown plugin ${plugin}.`);
      return [topicDefinition];
    },
    validate: async (_plugin, config) => validate(config),
    preview: async () => ({ records: [], dropped: 0, timedOut: false, notes: [] }),
    putTaskConfigs: async (name) => void must(name),
    fenceZombies: async (name) => void must(name),
    ...createLoggerRequests(logLevels),
    [Symbol.asyncDispose]: async () => {},
  };
}

const kindOf = (config: RawConfig): ConnectorKind => (config['connector.class']?.includes('Sink') ? 'sink' : 'source');

const topicDefinition: NonNullable<ConfigInfo['definition']> = {
  name: 'topic',
  type: 'STRING',
  required: true,
  default_value: null,
  importance: 'HIGH',
  documentation: 'The topic to publish data to',
  group: null,
  width: 'NONE',
  display_name: 'topic',
  dependents: [],
  order: -1,
};

function validate(config: RawConfig): ConfigInfos {
  const named = config['connector.class'];
  if (named === undefined) throw new RequestError(400, 'Connector config contains no connector type');
  if (!plugins.some((each) => each.class.includes(named))) {
    throw new RequestError(
      400,
      `Failed to find any class that implements Connector and which name matches ${named}, available connectors are: …`,
    );
  }
  const missing = 'Missing required configuration "topic" which has no default value.';
  const value = (name: string, errors: readonly string[]): ConfigInfo => ({
    definition: name === 'topic' ? topicDefinition : null,
    value: { name, value: config[name] ?? null, recommended_values: [], errors, visible: true },
  });
  const configs = [
    value('name', config['name'] === '' ? ['Invalid value  for configuration name: String may not be empty'] : []),
    value('tasks.max', config['tasks.max'] === '0' ? ['Invalid value 0 for configuration tasks.max: Value must be at least 1'] : []),
    value('topic', config['topic'] === undefined && kindOf(config) === 'source' ? [missing] : []),
  ];
  return { name: named, error_count: configs.flatMap((each) => each.value.errors).length, groups: ['Common'], configs };
}

function refuseInvalid(config: RawConfig): void {
  const errors = validate(config).configs.flatMap((each) => each.value.errors);
  if (errors.length === 0) return;
  throw new RequestError(
    400,
    `Connector configuration is invalid and contains the following ${errors.length} error(s):\n${errors.join('\n')}\n` +
      'You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`',
  );
}
