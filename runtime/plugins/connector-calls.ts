/** What the control plane asks of connectors' code; runs wherever plugins may be imported. */
import type { OffsetMap, RawConfig, SinkPlugin, SourcePlugin, TopicPartition } from '../api/index.ts';
import type { ConfigDefinition, ConfigInfos } from '../ports/tasks.ts';
import { checkConnector } from './check-connector.ts';
import { commonConfig } from './connector-config.ts';
import { sinkConfig, sourceConfig } from './connector-kind-config.ts';
import { definitionsOf, mustParse } from './config-validation.ts';
import { loadPlugin } from './load-plugin.ts';
import type { PluginKind } from './manifest.ts';
import type { PluginIndex } from './plugin-index.ts';
import type { SourceDelivery } from './source-delivery.ts';

/** See {@link checkConnector}; the part that REST answers. */
export async function validateConnector(raw: RawConfig, index: PluginIndex, delivery?: SourceDelivery): Promise<ConfigInfos> {
  return (await checkConnector(raw, index, delivery)).infos;
}

const kinds: readonly PluginKind[] = ['source', 'sink', 'transform', 'predicate', 'converter', 'header_converter'];

/** The config keys of a plugin of any kind; undefined for an unknown one. */
export async function describePlugin(name: string, index: PluginIndex): Promise<ConfigDefinition[] | undefined> {
  for (const kind of kinds) {
    const descriptor = index.find(kind, name);
    if (descriptor === undefined) continue;
    const { config } = await loadPlugin(descriptor);
    if (kind === 'source') return definitionsOf({ ...commonConfig, ...sourceConfig, ...config });
    if (kind === 'sink') return definitionsOf({ ...commonConfig, ...sinkConfig, ...config });
    return definitionsOf(config);
  }
  return undefined;
}

/**
 * The config of each task: what the connector makes of its config, or else one task for a source and `maxTasks`
 * for a sink, each with the connector's config.
 */
export async function taskConfigsOf(raw: RawConfig, maxTasks: number, index: PluginIndex): Promise<readonly RawConfig[]> {
  const plugin = await connectorPlugin(raw, index);
  if (plugin.taskConfigs === undefined) return new Array<RawConfig>(plugin.kind === 'source' ? 1 : maxTasks).fill(raw);
  return plugin.taskConfigs(valuesOf(plugin, raw), raw, maxTasks);
}

/** Whether the source handled offsets that it keeps elsewhere. Throws its ConfigError for offsets it refuses. */
export async function alterSourceOffsets(
  raw: RawConfig,
  offsets: readonly { partition: OffsetMap; offset: OffsetMap | null }[],
  index: PluginIndex,
): Promise<boolean> {
  const plugin = await connectorPlugin(raw, index);
  return plugin.kind === 'source' && ((await plugin.alterOffsets?.(raw, offsets)) ?? false);
}

/** As {@link alterSourceOffsets}, of a sink. */
export async function alterSinkOffsets(
  raw: RawConfig,
  offsets: readonly (TopicPartition & { offset: bigint | null })[],
  index: PluginIndex,
): Promise<boolean> {
  const plugin = await connectorPlugin(raw, index);
  return plugin.kind === 'sink' && ((await plugin.alterOffsets?.(raw, offsets)) ?? false);
}

async function connectorPlugin(raw: RawConfig, index: PluginIndex): Promise<SourcePlugin | SinkPlugin> {
  return loadPlugin(index.connector(raw['connector.class'] ?? ''));
}

function valuesOf(plugin: SourcePlugin | SinkPlugin, raw: RawConfig): never {
  return mustParse(plugin.config, raw, `connector ${raw['name'] ?? ''}`) as never;
}
