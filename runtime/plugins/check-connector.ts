import { badPattern, javaPattern } from '../api/index.ts';
import type { ConfigProblem, RawConfig, SinkPlugin, SourcePlugin } from '../api/index.ts';
import type { ConfigInfo, ConfigInfos } from '../ports/tasks.ts';
import { listOf } from './connector-parts.ts';
import { connectorSections } from './connector-sections.ts';
import type { Section } from './connector-sections.ts';
import { configInfos, parseConfig } from './config-validation.ts';
import type { PluginIndex } from './plugin-index.ts';
import { refusedSettings } from './refused-settings.ts';
import type { SourceDelivery } from './source-delivery.ts';

export interface ConnectorCheck {
  readonly connectorKind: 'source' | 'sink';
  readonly problems: readonly ConfigProblem[];
  readonly infos: ConfigInfos;
}

/**
 * Checks a whole connector config: Connect's keys, the connector's own, those of each transform, predicate and
 * converter, and then what the connector itself says (only once its own keys are right). Imports the plugins.
 * Throws a ConfigError when `connector.class` is missing or unknown. Without `delivery`, as the embedded log has it.
 */
export async function checkConnector(raw: RawConfig, index: PluginIndex, delivery: SourceDelivery = 'atomic'): Promise<ConnectorCheck> {
  const { plugin, sections } = await connectorSections(raw, index);
  const parsed = sections.map((section) => ({ ...section, parsed: parseConfig(section.def, raw) }));
  const own = await ownProblems(plugin, raw);
  const warnings = [...new Set(own.filter(({ warning }) => warning).map(({ message }) => message))];
  const problems = unique([
    ...parsed.flatMap((section) => [...section.parsed.problems, ...section.problems]),
    ...topicProblems(raw, plugin.kind),
    ...refusedSettings(raw, plugin, delivery),
    ...own.filter(({ warning }) => !warning),
  ]);
  const configs = merged(parsed.flatMap(({ def, parsed: { values } }) => configInfos(def, raw, { values, problems })));
  const known = new Set(configs.map(({ value }) => value.name));
  for (const key of new Set(problems.map((problem) => problem.key))) {
    if (!known.has(key)) configs.push(undeclared(key, raw, problems));
  }
  return {
    connectorKind: plugin.kind,
    problems,
    infos: {
      name: raw['connector.class'] ?? '',
      error_count: configs.reduce((sum, { value }) => sum + value.errors.length, 0),
      groups: groupsOf(sections),
      configs,
      ...(warnings.length === 0 ? {} : { warnings }),
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

function topicProblems(raw: RawConfig, kind: 'source' | 'sink'): ConfigProblem[] {
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
  if (deadLetters !== '' && pattern !== '' && badPattern(pattern) === undefined && javaPattern(pattern).matches(deadLetters)) {
    const message = `The DLQ topic '${deadLetters}' may not be matched by the regex for the topics ('topics.regex=${pattern}') consumed by the connector`;
    return [{ key: 'topics.regex', message }];
  }
  return [];
}

async function ownProblems(plugin: SourcePlugin | SinkPlugin, raw: RawConfig): Promise<readonly ConfigProblem[]> {
  const { values, problems } = parseConfig(plugin.config, raw);
  if (problems.length > 0 || plugin.validate === undefined) return [];
  return plugin.validate(values as never, raw);
}
