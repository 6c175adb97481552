/** Runs connectors' code outside tasks, in threads that live for a few seconds, each call bounded in time. */
import type { Logger } from '../api/index.ts';
import type { PluginHost } from '../ports/tasks.ts';
import { discoverPlugins } from '../plugins/plugin-index.ts';
import { createPluginThreads } from './plugin-threads.ts';
import type { PluginThreadsSettings } from './plugin-threads.ts';

export interface PluginHostSettings extends PluginThreadsSettings {
  /** Beyond a preview's own time: for its thread to begin, and to close what it opened. */
  readonly previewGraceMs?: number;
}

export async function createPluginHost(settings: PluginHostSettings, log: Pick<Logger, 'warn'>): Promise<PluginHost> {
  const { previewGraceMs = 15_000 } = settings;
  const index = await discoverPlugins(settings.pluginPath, { warn: (message) => log.warn(message) });
  const threads = createPluginThreads(settings);
  const { call } = threads;
  const nameOf = (config: Readonly<Record<string, string>>): string => config['name'] ?? config['connector.class'] ?? 'the connector';
  return {
    plugins: () => index.infos(),
    kindOf: (connectorClass) => index.kindOf(connectorClass),
    versionOf: (connectorClass) => index.versionOf(connectorClass),
    taskClassOf: (connectorClass) => index.taskClassOf(connectorClass),
    takesResubmitted: (connectorClass) => index.takesResubmitted(connectorClass),
    pluginConfig: (plugin) => call(`describing ${plugin}`, 'pluginConfig', [plugin]),
    validate: (config) => call(`validating ${nameOf(config)}`, 'validate', [config]),
    taskConfigs: (config, maxTasks) => call(`making the task configs of ${nameOf(config)}`, 'taskConfigs', [config, maxTasks]),
    alterSourceOffsets: (config, offsets) => call(`checking the offsets of ${nameOf(config)}`, 'alterSourceOffsets', [config, offsets]),
    alterSinkOffsets: (config, offsets) => call(`checking the offsets of ${nameOf(config)}`, 'alterSinkOffsets', [config, offsets]),
    preview: (config, { records, timeoutMs, signal }) =>
      call(`previewing ${nameOf(config)}`, 'preview', [config, { records, timeoutMs }], {
        timeoutMs: timeoutMs + previewGraceMs,
        signal,
        last: true,
      }),
    [Symbol.asyncDispose]: () => threads[Symbol.asyncDispose](),
  };
}
