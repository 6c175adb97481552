/** What a connector's config names beside the connector: its transforms, predicates and converters. */
import { ConfigError } from '../api/index.ts';
import type { ConfigDef, RawConfig } from '../api/index.ts';
import { onlyVersion } from './connector-config.ts';
import { loadPlugin } from './load-plugin.ts';
import type { PluginTypes } from './load-plugin.ts';
import type { PluginDescriptor, PluginKind } from './manifest.ts';
import type { PluginIndex } from './plugin-index.ts';

/** The keys that begin with a prefix, without it. */
export function keysUnder(raw: RawConfig, prefix: string): RawConfig {
  const entries = Object.entries(raw).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(entries.map(([key, value]) => [key.slice(prefix.length), value]));
}

/** A config list as Connect splits it. */
export function listOf(raw: RawConfig, key: string): string[] {
  const text = raw[key]?.trim() ?? '';
  return text === '' ? [] : text.split(/\s*,\s*/);
}

/** A plugin that a config names under some key, found and imported. */
export interface NamedPlugin<K extends PluginKind> {
  readonly descriptor: PluginDescriptor;
  readonly plugin: PluginTypes[K];
}

/** Throws a ConfigError in Connect's words for a name that nothing answers to. */
export async function loadNamed<K extends PluginKind>(
  kind: K,
  key: string,
  name: string | undefined,
  index: PluginIndex,
): Promise<NamedPlugin<K>> {
  if (name === undefined || name.trim() === '')
    throw new ConfigError(`Missing required configuration "${key}" which has no default value.`);
  const descriptor = index.find(kind, name);
  if (descriptor === undefined) {
    const known = index.plugins.filter((plugin) => plugin.kind === kind).map((plugin) => plugin.name);
    throw new ConfigError(`Invalid value ${name} for configuration ${key}: Class ${name} could not be found.`, {
      hint: `There are: ${known.join(', ')}.`,
    });
  }
  return { descriptor, plugin: await loadPlugin({ ...descriptor, kind }) };
}

/** `plugin.version` of a transform or predicate. */
export function versionKey(group: string): ConfigDef {
  return {
    'plugin.version': {
      type: 'string',
      default: null,
      importance: 'medium',
      doc: 'Accepted for compatibility; there is one version of each plugin.',
      noEffect: onlyVersion,
      group,
    },
  };
}

/** The keys that every transform has (`transforms.<alias>.…`), after `type`. */
export function transformKeys(group: string, predicates: readonly string[]): ConfigDef {
  return {
    predicate: {
      type: 'string',
      default: null,
      importance: 'medium',
      doc: 'The alias of a predicate used to determine whether to apply this transformation.',
      group,
      rule: {
        kind: 'custom',
        check: (value) =>
          value === '' || predicates.includes(String(value)) ? undefined : `no such alias in predicates: ${predicates.join(', ')}`,
      },
    },
    negate: {
      type: 'boolean',
      default: false,
      importance: 'medium',
      doc: 'Whether the configured predicate should be negated.',
      group,
    },
    ...versionKey(group),
  };
}

export function typeKey(what: string, alias: string, group: string): ConfigDef {
  return { type: { type: 'class', importance: 'high', doc: `Class for the '${alias}' ${what}.`, group } };
}

/** A table under a prefix, all of it in one group. */
export function prefixed(def: ConfigDef, prefix: string, group?: string): ConfigDef {
  return Object.fromEntries(
    Object.entries(def).map(([key, value]) => [`${prefix}${key}`, group === undefined ? value : { ...value, group }]),
  );
}
