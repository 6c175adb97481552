/** A herder over the real stores and the embedded log; what runs tasks and connectors' code is scripted. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '../../api/index.ts';
import type { Logger, OffsetMap, RawConfig } from '../../api/index.ts';
import { openEmbeddedLog } from '../../embedded/embedded-log.ts';
import type { Herder } from '../../ports/herder.ts';
import type { Log } from '../../ports/log.ts';
import type { ConfigStore, OffsetStore, StatusStore } from '../../ports/stores.ts';
import type { PluginHost, TaskEvents, TaskHost, TaskId, TaskSpec } from '../../ports/tasks.ts';
import { memoryConfigStore } from '../../stores/config-store.ts';
import { memoryStatusStore } from '../../stores/status-store.ts';
import { topicConfigStore } from '../../stores/topic-config-store.ts';
import { topicOffsetStore } from '../../stores/topic-offset-store.ts';
import { topicStatusStore } from '../../stores/topic-status-store.ts';
import { createConfigProviders } from '../../settings/config-providers.ts';
import { createHerder } from '../create-herder.ts';
import type { HerderSettings } from '../herder-context.ts';
import { singleMembership } from '../single-membership.ts';

export interface ScriptedTasks extends TaskHost {
  readonly running: Map<string, { readonly spec: TaskSpec; readonly events: TaskEvents }>;
  /** `start X-0`, `stop X-0`, `pause X-0`, `resume X-0`, in order. */
  readonly calls: string[];
  /** What a task does when it is started; by default it says that it runs. */
  onStart: (spec: TaskSpec, events: TaskEvents) => void | Promise<void>;
  onStop: (id: TaskId) => void | Promise<void>;
}

export interface ScriptedPlugins extends PluginHost {
  taskConfigs: (config: RawConfig, maxTasks: number) => Promise<readonly RawConfig[]>;
  readonly altered: { readonly partition?: OffsetMap }[][];
  handlesOffsets: boolean;
}

export interface Fixture extends AsyncDisposable {
  readonly herder: Herder;
  readonly tasks: ScriptedTasks;
  readonly plugins: ScriptedPlugins;
  readonly log: Log;
  readonly configStore: ConfigStore;
  readonly statusStore: StatusStore;
  readonly offsetStore: OffsetStore;
  readonly logged: string[];
}

export const sourceConfig = (extra: RawConfig = {}): RawConfig => ({ 'connector.class': 'ScriptSource', topic: 't', ...extra });

export async function openHerder(
  options: {
    settings?: Partial<HerderSettings>;
    worker?: RawConfig;
    configStore?: ConfigStore;
    statusStore?: StatusStore;
    /** In place of memory: topics `configs` and `statuses` on the log. */
    onTopics?: boolean;
  } = {},
): Promise<Fixture> {
  const folder = await mkdtemp(join(tmpdir(), 'herder-'));
  const log = await openEmbeddedLog(folder);
  const logged: string[] = [];
  const write = (message: string): void => void logged.push(message);
  const logger: Logger = { debug: write, info: write, warn: write, error: write };
  const tasks = scriptedTasks();
  const plugins = scriptedPlugins();
  const topic = (name: string) => ({ log, topic: name, replicationFactor: 1, clientId: 'test', logger });
  const onTopics = options.onTopics ?? false;
  const configStore = options.configStore ?? (onTopics ? topicConfigStore(topic('configs')) : memoryConfigStore());
  const statusStore = options.statusStore ?? (onTopics ? topicStatusStore({ ...topic('statuses'), partitions: 1 }) : memoryStatusStore());
  const offsetStore = topicOffsetStore(topic('offsets'));
  const levels = new Map([
    ['root', 'INFO'],
    ['herder', 'INFO'],
    ['herder.tasks', 'INFO'],
  ]);
  const herder = createHerder({
    configStore,
    statusStore,
    offsetStore,
    membership: singleMembership('worker:8083'),
    taskHost: tasks,
    pluginHost: plugins,
    configProviders: createConfigProviders(options.worker ?? {}, { DB_PASSWORD: 'hunter22' }),
    log,
    logger,
    logLevels: { levels: () => Object.fromEntries(levels), set: (name, level) => void levels.set(name, level) },
    settings: {
      version: '0.1.0',
      commit: 'unknown',
      topicTracking: { enabled: true, resettable: true },
      overridePolicy: 'All',
      ...options.settings,
    },
  });
  return {
    herder,
    tasks,
    plugins,
    log,
    configStore,
    statusStore,
    offsetStore,
    logged,
    async [Symbol.asyncDispose]() {
      await herder[Symbol.asyncDispose]();
      for (const store of [configStore, statusStore, offsetStore]) await store[Symbol.asyncDispose]();
      await log[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function startHerder(options?: Parameters<typeof openHerder>[0]): Promise<Fixture> {
  const fixture = await openHerder(options);
  await fixture.herder.start();
  return fixture;
}

/** Waits until it holds; fails with what it last found. */
export async function eventually(check: () => void | Promise<void>): Promise<void> {
  for (const deadline = Date.now() + 10_000; ; await sleep(5)) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

/** The states of a connector and its tasks, such as `RUNNING RUNNING PAUSED`. */
export async function statesOf(herder: Herder, name: string): Promise<string> {
  const { connector, tasks } = await herder.status(name);
  return [connector, ...tasks].map(({ state }) => state).join(' ');
}

export async function reaches(herder: Herder, name: string, states: string): Promise<void> {
  await eventually(async () => assert.equal(await statesOf(herder, name).catch(String), states));
}

export function scriptedTasks(): ScriptedTasks {
  const running: ScriptedTasks['running'] = new Map();
  const calls: string[] = [];
  const keyOf = ({ connector, task }: TaskId): string => `${connector}-${task}`;
  const tasks: ScriptedTasks = {
    running,
    calls,
    onStart: ({ id }, events) => events.running(id),
    onStop: () => {},
    async start(spec, events) {
      calls.push(`start ${keyOf(spec.id)}`);
      assert.ok(!running.has(keyOf(spec.id)), `${keyOf(spec.id)} runs already`);
      await tasks.onStart(spec, events);
      running.set(keyOf(spec.id), { spec, events });
    },
    async stop(id) {
      calls.push(`stop ${keyOf(id)}`);
      await tasks.onStop(id);
      running.delete(keyOf(id));
      return { graceful: true };
    },
    setPaused(id, paused) {
      calls.push(`${paused ? 'pause' : 'resume'} ${keyOf(id)}`);
      const events = running.get(keyOf(id))?.events;
      if (paused) events?.paused(id);
      else events?.resumed(id);
    },
    metrics: () => [],
    async [Symbol.asyncDispose]() {},
  };
  return tasks;
}

/** Two classes, `ScriptSource` and `ScriptSink`; `topic` is required, and must not be `bad`. */
export function scriptedPlugins(): ScriptedPlugins {
  const kinds = { ScriptSource: 'source', ScriptSink: 'sink' } as const;
  const plugins: ScriptedPlugins = {
    altered: [],
    handlesOffsets: true,
    plugins: () => [
      { class: 'ScriptSource', type: 'source', version: '1.0' },
      { class: 'ScriptSink', type: 'sink', version: '1.0' },
      { class: 'Mask', type: 'transformation' },
    ],
    kindOf(connectorClass) {
      const kind = kinds[connectorClass as keyof typeof kinds];
      if (kind !== undefined) return kind;
      throw new ConfigError(`Failed to find any class that implements Connector and which name matches ${connectorClass}`);
    },
    versionOf: () => '1.0',
    pluginConfig: async (plugin) => (plugin in kinds ? [] : undefined),
    async validate(config) {
      const topic = config['topic'];
      const errors: string[] = [];
      if (topic === undefined) errors.push('Missing required configuration "topic" which has no default value.');
      else if (topic.includes('bad')) errors.push(`Invalid value ${topic} for configuration topic: it is bad`);
      return {
        name: config['connector.class'] ?? '',
        error_count: errors.length,
        groups: [],
        configs: [{ definition: null, value: { name: 'topic', value: topic ?? null, recommended_values: [], errors, visible: true } }],
      };
    },
    taskConfigs: async (config, maxTasks) => Array.from({ length: maxTasks }, (_, task) => ({ ...config, task: String(task) })),
    async alterSourceOffsets(_config, offsets) {
      if (offsets.some(({ partition }) => 'unknown' in partition)) throw new ConfigError('there is no such partition');
      plugins.altered.push([...offsets]);
      return plugins.handlesOffsets;
    },
    async alterSinkOffsets() {
      return plugins.handlesOffsets;
    },
    preview: async () => undefined,
    async [Symbol.asyncDispose]() {},
  };
  return plugins;
}
