/** The entry of the short-lived thread that runs connectors' code outside tasks: validation, task configs, offset checks. */
import { parentPort, workerData } from 'node:worker_threads';
import type { OffsetMap, RawConfig, TopicPartition } from '../api/index.ts';
import { alterSinkOffsets, alterSourceOffsets, describePlugin, taskConfigsOf, validateConnector } from '../plugins/connector-calls.ts';
import { discoverPlugins } from '../plugins/plugin-index.ts';
import type { PreviewOptions } from '../ports/preview.ts';
import type { PluginThreadData } from './plugin-threads.ts';
import { serveCalls } from './rpc.ts';

if (parentPort === null) throw new Error('plugin-thread.ts runs as a worker thread');
const data = workerData as PluginThreadData;
const { pluginPath, delivery } = data;
const index = discoverPlugins(pluginPath);
index.catch(() => undefined);

serveCalls(parentPort, {
  pluginConfig: async (_signal, plugin: string) => describePlugin(plugin, await index),
  validate: async (_signal, config: RawConfig) => validateConnector(config, await index, delivery),
  taskConfigs: async (_signal, config: RawConfig, maxTasks: number) => taskConfigsOf(config, maxTasks, await index),
  alterSourceOffsets: async (_signal, config: RawConfig, offsets: readonly { partition: OffsetMap; offset: OffsetMap | null }[]) =>
    alterSourceOffsets(config, offsets, await index),
  alterSinkOffsets: async (_signal, config: RawConfig, offsets: readonly (TopicPartition & { offset: bigint | null })[]) =>
    alterSinkOffsets(config, offsets, await index),
  // What it needs of the pipeline, other calls do not load.
  preview: async (signal, config: RawConfig, options: PreviewOptions) =>
    (await import('./preview-run.ts')).runPreview(config, options, await index, data, signal),
});
