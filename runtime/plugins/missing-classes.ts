/** What connectors' configs name and this worker does not have: in a group, others may hand it such connectors and their tasks. */
import type { RawConfig } from '../api/index.ts';
import { placeholder } from '../ports/config-providers.ts';
import { listOf } from './connector-parts.ts';
import type { PluginKind } from './manifest.ts';
import type { PluginIndex } from './plugin-index.ts';

export interface ConfiguredConnector {
  readonly name: string;
  /** As it is stored, with its placeholders. */
  readonly written: RawConfig;
  /** With what they stand for, where that could be found out. */
  readonly resolved: RawConfig;
}

/** What one connector names in vain: `connector.class=com.acme.Sink`, `${vault:…} in database.password`. */
export interface MissingClasses {
  readonly connector: string;
  readonly missing: readonly string[];
}

/** Connectors that can run here, whole, are left out. */
export function missingClasses(
  connectors: readonly ConfiguredConnector[],
  index: PluginIndex,
  providers: ReadonlySet<string>,
): MissingClasses[] {
  return connectors
    .map(({ name, written, resolved }) => ({
      connector: name,
      missing: [...missingPlugins(resolved, index), ...missingProviders(written, providers)],
    }))
    .filter(({ missing }) => missing.length > 0);
}

/** The worker's own converters, which serve where a connector names none. */
export function missingConverters(worker: RawConfig, index: PluginIndex): string[] {
  return converters.flatMap(([key, kind]) => absent(worker, key, [kind], index));
}

/** For people, on one line. */
export function describeMissing(found: readonly MissingClasses[]): string {
  return found.map(({ connector, missing }) => `${connector}: ${missing.join(', ')}`).join('; ');
}

const converters = [
  ['key.converter', 'converter'],
  ['value.converter', 'converter'],
  ['header.converter', 'header_converter'],
] as const;

function missingPlugins(config: RawConfig, index: PluginIndex): string[] {
  return [
    ...absent(config, 'connector.class', ['source', 'sink'], index),
    ...missingConverters(config, index),
    ...listOf(config, 'transforms').flatMap((alias) => absent(config, `transforms.${alias}.type`, ['transform'], index)),
    ...listOf(config, 'predicates').flatMap((alias) => absent(config, `predicates.${alias}.type`, ['predicate'], index)),
  ];
}

function absent(config: RawConfig, key: string, kinds: readonly PluginKind[], index: PluginIndex): string[] {
  const name = config[key]?.trim() ?? '';
  return name === '' || kinds.some((kind) => index.find(kind, name) !== undefined) ? [] : [`${key}=${name}`];
}

/** Nothing of the placeholder but its provider: a path can tell more than is good. */
function missingProviders(config: RawConfig, providers: ReadonlySet<string>): string[] {
  return Object.entries(config).flatMap(([key, value]) => {
    const named = new Set([...value.matchAll(placeholder)].map((match) => match[1] as string));
    return [...named].filter((name) => isName(name) && !providers.has(name)).map((name) => `\${${name}:…} in ${key}`);
  });
}

/** Something else in `${…:…}`, such as a template of the connector's own, is no placeholder for a provider. */
const isName = (name: string): boolean => /^[\w.-]+$/.test(name);

/** The names of `config.providers`. */
export function providerNames(worker: RawConfig): ReadonlySet<string> {
  return new Set(listOf(worker, 'config.providers'));
}
