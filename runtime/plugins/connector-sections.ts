/** The config tables that a whole connector config is held against: Connect's, the connector's, and those of its parts. */
import { ConfigError } from '../api/index.ts';
import type {
  ConfigDef,
  ConfigProblem,
  ConverterPlugin,
  HeaderConverterPlugin,
  RawConfig,
  SinkPlugin,
  SourcePlugin,
} from '../api/index.ts';
import { commonConfig } from './connector-config.ts';
import { deadLetterConfig, sinkConfig, sourceConfig, topicCreationConfig } from './connector-kind-config.ts';
import { keysUnder, listOf, loadNamed, prefixed, transformKeys, typeKey, versionKey } from './connector-parts.ts';
import { parseConfig } from './config-validation.ts';
import { loadPlugin } from './load-plugin.ts';
import type { PluginIndex } from './plugin-index.ts';

/** A table that a part of the config is checked by, and what is wrong beyond the table. */
export interface Section {
  readonly def: ConfigDef;
  readonly problems: readonly ConfigProblem[];
}

export interface ConnectorSections {
  readonly plugin: SourcePlugin | SinkPlugin;
  /** In the order of REST's answer; the connector's own keys come last. */
  readonly sections: readonly Section[];
}

/** Imports the plugins. Throws a ConfigError when `connector.class` is missing or unknown. */
export async function connectorSections(raw: RawConfig, index: PluginIndex): Promise<ConnectorSections> {
  const className = raw['connector.class'];
  if (className === undefined) throw new ConfigError(`Connector config {name=${raw['name'] ?? ''}} contains no connector type`);
  const plugin = await loadPlugin(index.connector(className));
  const kindConfig: ConfigDef = plugin.kind === 'sink' ? sinkConfig : sourceConfig;
  const sections = [
    { def: { ...commonConfig, ...kindConfig }, problems: [] },
    ...deadLetterSections(raw, plugin.kind),
    ...topicCreationSections(raw, plugin.kind),
    ...(await partSections(raw, index)),
    { def: plugin.config, problems: [] },
  ];
  return { plugin, sections };
}

/** Connect's sources do not have them: shown where they are used. */
function deadLetterSections(raw: RawConfig, kind: 'source' | 'sink'): Section[] {
  if (kind === 'sink' || !Object.keys(deadLetterConfig).some((key) => raw[key] !== undefined)) return [];
  return [{ def: deadLetterConfig, problems: [] }];
}

export function topicCreationGroups(raw: RawConfig): string[] {
  return [...new Set([...listOf(raw, 'topic.creation.groups'), 'default'])];
}

function topicCreationSections(raw: RawConfig, kind: 'source' | 'sink'): Section[] {
  if (kind === 'sink' || !Object.keys(raw).some((key) => key.startsWith('topic.creation.'))) return [];
  return topicCreationGroups(raw).map((group) => ({ def: topicCreationConfig(group, group === 'default'), problems: [] }));
}

async function partSections(raw: RawConfig, index: PluginIndex): Promise<Section[]> {
  const sections: Section[] = [];
  const predicates = listOf(raw, 'predicates');
  for (const alias of listOf(raw, 'transforms')) {
    const group = `Transforms: ${alias}`;
    const keys = { ...typeKey('transformation', alias, group), ...transformKeys(group, predicates) };
    sections.push(await namedSection('transform', `transforms.${alias}`, keys, raw, index));
  }
  for (const alias of predicates) {
    const group = `Predicates: ${alias}`;
    const keys = { ...typeKey('predicate', alias, group), ...versionKey(group) };
    sections.push(await namedSection('predicate', `predicates.${alias}`, keys, raw, index));
  }
  for (const [kind, key] of [
    ['converter', 'key.converter'],
    ['converter', 'value.converter'],
    ['header_converter', 'header.converter'],
  ] as const) {
    if (raw[key] !== undefined) sections.push(await converterSection(kind, key, raw, index));
  }
  return sections;
}

/** `keys` are those that every transform or predicate has; the plugin is made once, to see whether it takes its values. */
async function namedSection(
  kind: 'transform' | 'predicate',
  name: string,
  keys: ConfigDef,
  raw: RawConfig,
  index: PluginIndex,
): Promise<Section> {
  const group = keys['type']?.group;
  const own = keysUnder(raw, `${name}.`);
  if (own['type'] === undefined) return { def: prefixed(keys, `${name}.`, group), problems: [] };
  try {
    const { plugin } = await loadNamed(kind, `${name}.type`, own['type'], index);
    const def = prefixed({ ...keys, ...plugin.config }, `${name}.`, group);
    const { values, problems } = parseConfig(plugin.config, own);
    return { def, problems: problems.length > 0 ? [] : whyNot(`${name}.type`, name, () => plugin.create(values as never)) };
  } catch (error) {
    return { def: prefixed(keys, `${name}.`, group), problems: [{ key: `${name}.type`, message: messageOf(error) }] };
  }
}

async function converterSection(kind: 'converter' | 'header_converter', key: string, raw: RawConfig, index: PluginIndex): Promise<Section> {
  try {
    const { plugin } = await loadNamed(kind, key, raw[key], index);
    const { values, problems } = parseConfig(plugin.config, keysUnder(raw, `${key}.`));
    const make = (): unknown =>
      kind === 'converter'
        ? (plugin as ConverterPlugin).create(values, key === 'key.converter' ? 'key' : 'value')
        : (plugin as HeaderConverterPlugin).createHeaderConverter(values);
    return { def: prefixed(plugin.config, `${key}.`), problems: problems.length > 0 ? [] : whyNot(key, key, make) };
  } catch (error) {
    return { def: {}, problems: [{ key, message: messageOf(error) }] };
  }
}

/** What `make` throws, told as a problem of `key`, with the name of the part that it is about. */
function whyNot(key: string, name: string, make: () => unknown): ConfigProblem[] {
  try {
    make();
    return [];
  } catch (error) {
    return [{ key, message: `${name}: ${messageOf(error)}` }];
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
