import { ConfigError } from '../api/index.ts';
import type { ConfigDef, ConfigProblem, RawConfig, SinkPlugin, SourcePlugin } from '../api/index.ts';
import { commonConfig } from './connector-config.ts';
import { sinkConfig, sourceConfig, topicCreationConfig } from './connector-kind-config.ts';
import { keysUnder, listOf, loadNamed, prefixed, transformKeys, typeKey } from './connector-parts.ts';
import { configInfos, parseConfig } from './config-validation.ts';
import type { ConfigInfo } from './config-validation.ts';
import { loadPlugin } from './load-plugin.ts';
import type { PluginIndex } from './plugin-index.ts';

/** `PUT /connector-plugins/{p}/config/validate`'s answer. */
export interface ConfigInfos {
  readonly name: string;
  readonly error_count: number;
  readonly groups: readonly string[];
  readonly configs: readonly ConfigInfo[];
}

export interface ConnectorCheck {
  readonly connectorKind: 'source' | 'sink';
  readonly problems: readonly ConfigProblem[];
  readonly infos: ConfigInfos;
}

/** A table that a part of the config is checked by, and what is wrong beyond the table. */
interface Section {
  readonly def: ConfigDef;
  readonly problems: readonly ConfigProblem[];
}

/**
 * Checks a whole connector config: Connect's keys, the connector's own, those of each transform, predicate and
 * converter, and then what the connector itself says (only once its own keys are right). Imports the plugins.
 * Throws a ConfigError when `connector.class` is missing or unknown.
 */
export async function checkConnector(raw: RawConfig, index: PluginIndex): Promise<ConnectorCheck> {
  const className = raw['connector.class'];
  if (className === undefined) throw new ConfigError(`Connector config {name=${raw['name'] ?? ''}} contains no connector type`);
  const descriptor = index.connector(className);
  const plugin = await loadPlugin(descriptor);
  const sections: Section[] = [
    {
      def: { ...commonConfig, ...(descriptor.kind === 'sink' ? sinkConfig : sourceConfig) },
      problems: commonProblems(raw, descriptor.kind),
    },
    ...topicCreationSections(raw, descriptor.kind),
    ...(await partSections(raw, index)),
    { def: plugin.config, problems: await ownProblems(plugin, raw) },
  ];
  const parsed = sections.map((section) => ({ ...section, parsed: parseConfig(section.def, raw) }));
  const problems = unique(parsed.flatMap((section) => [...section.parsed.problems, ...section.problems]));
  const configs = merged(parsed.flatMap(({ def, parsed: { values } }) => configInfos(def, raw, { values, problems })));
  const known = new Set(configs.map(({ value }) => value.name));
  for (const key of new Set(problems.map((problem) => problem.key))) {
    if (!known.has(key)) configs.push(undeclared(key, raw, problems));
  }
  return {
    connectorKind: descriptor.kind,
    problems,
    infos: {
      name: className,
      error_count: configs.reduce((sum, { value }) => sum + value.errors.length, 0),
      groups: groupsOf(sections),
      configs,
    },
  };
}

function unique(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return [...new Map(problems.map((problem) => [`${problem.key} ${problem.message}`, problem])).values()];
}

/** A key may be declared twice, by Connect and by the connector: the connector's definition wins. */
function merged(configs: readonly ConfigInfo[]): ConfigInfo[] {
  return [...new Map(configs.map((config) => [config.value.name, config])).values()];
}

function undeclared(key: string, raw: RawConfig, problems: readonly ConfigProblem[]): ConfigInfo {
  const errors = problems.filter((problem) => problem.key === key).map(({ message }) => message);
  return {
    definition: null,
    value: { name: key, value: raw[key] ?? null, recommended_values: [], errors, visible: true },
  };
}

function groupsOf(sections: readonly Section[]): string[] {
  const groups = sections.flatMap(({ def }) => Object.values(def).flatMap(({ group }) => (group === undefined ? [] : [group])));
  return [...new Set(groups)];
}

function commonProblems(raw: RawConfig, kind: 'source' | 'sink'): ConfigProblem[] {
  if (kind === 'source') return [];
  const topics = listOf(raw, 'topics');
  const pattern = raw['topics.regex']?.trim() ?? '';
  const onBoth = (message: string): ConfigProblem[] => ['topics', 'topics.regex'].map((key) => ({ key, message }));
  if (topics.length === 0 && pattern === '') return onBoth('Must configure one of topics or topics.regex');
  if (topics.length > 0 && pattern !== '') return onBoth('topics and topics.regex are mutually exclusive options, but both are set.');
  const deadLetters = raw['errors.deadletterqueue.topic.name']?.trim() ?? '';
  if (deadLetters !== '' && topics.includes(deadLetters)) {
    const message = `The DLQ topic '${deadLetters}' may not be included in the list of topics ('topics=${topics.join(',')}') consumed by the connector`;
    return [{ key: 'topics', message }];
  }
  return [];
}

function topicCreationSections(raw: RawConfig, kind: 'source' | 'sink'): Section[] {
  if (kind === 'sink' || !Object.keys(raw).some((key) => key.startsWith('topic.creation.'))) return [];
  return [...new Set([...listOf(raw, 'topic.creation.groups'), 'default'])].map((group) => ({
    def: topicCreationConfig(group, group === 'default'),
    problems: [],
  }));
}

async function partSections(raw: RawConfig, index: PluginIndex): Promise<Section[]> {
  const sections: Section[] = [];
  const predicates = listOf(raw, 'predicates');
  for (const alias of listOf(raw, 'transforms')) {
    sections.push(await namedSection('transform', `transforms.${alias}.`, `Transforms: ${alias}`, alias, raw, index, predicates));
  }
  for (const alias of predicates) {
    sections.push(await namedSection('predicate', `predicates.${alias}.`, `Predicates: ${alias}`, alias, raw, index, []));
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

async function namedSection(
  kind: 'transform' | 'predicate',
  prefix: string,
  group: string,
  alias: string,
  raw: RawConfig,
  index: PluginIndex,
  predicates: readonly string[],
): Promise<Section> {
  const keys = {
    ...typeKey(kind === 'transform' ? 'transformation' : 'predicate', alias, group),
    ...(kind === 'transform' ? transformKeys(group, predicates) : {}),
  };
  const own = keysUnder(raw, prefix);
  try {
    const { plugin } = await loadNamed(kind, `${prefix}type`, own['type'], index);
    const { values, problems } = parseConfig(plugin.config, own);
    if (problems.length === 0) plugin.create(values as never);
    return { def: prefixed({ ...keys, ...plugin.config }, prefix, group), problems: [] };
  } catch (error) {
    const missing = own['type'] === undefined;
    return {
      def: prefixed(keys, prefix, group),
      problems: missing ? [] : [{ key: `${prefix}type`, message: messageOf(error) }],
    };
  }
}

async function converterSection(kind: 'converter' | 'header_converter', key: string, raw: RawConfig, index: PluginIndex): Promise<Section> {
  try {
    const { plugin } = await loadNamed(kind, key, raw[key], index);
    return { def: prefixed(plugin.config, `${key}.`), problems: [] };
  } catch (error) {
    return { def: {}, problems: [{ key, message: messageOf(error) }] };
  }
}

async function ownProblems(plugin: SourcePlugin | SinkPlugin, raw: RawConfig): Promise<readonly ConfigProblem[]> {
  const { values, problems } = parseConfig(plugin.config, raw);
  if (problems.length > 0 || plugin.validate === undefined) return [];
  return plugin.validate(values as never, raw);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
