import { ConfigError } from '../api/index.ts';
import type { ConfigDef, ConfigKey, ConfigProblem, RawConfig } from '../api/index.ts';
import type { ConfigDefinition, ConfigInfo } from '../ports/tasks.ts';
import { configText, defaultValue, parseConfigValue } from './config-parse.ts';
import { checkValues } from './config-schema.ts';

/** Parsed values by key, and what is wrong. A key with a problem has no value. */
export interface ParsedConfig {
  readonly values: Readonly<Record<string, unknown>>;
  readonly problems: readonly ConfigProblem[];
}

/** Parses texts by a config table and checks them; keys outside the table are left alone. */
export function parseConfig(def: ConfigDef, raw: RawConfig): ParsedConfig {
  const values: Record<string, unknown> = {};
  const problems: ConfigProblem[] = [];
  for (const [name, key] of Object.entries(def)) {
    const text = raw[name];
    if (text === undefined || text === null) {
      const fallback = defaultValue(key);
      if (fallback !== undefined) values[name] = fallback;
      continue;
    }
    const parsed = parseConfigValue(key.type, text);
    if ('value' in parsed) values[name] = parsed.value;
    else problems.push({ key: name, message: `Invalid value ${text} for configuration ${name}: ${parsed.error}` });
  }
  const unparsed = new Set(problems.map((problem) => problem.key));
  for (const [key, message] of checkValues(def, values)) {
    if (unparsed.has(key)) continue;
    problems.push({ key, message });
    delete values[key];
  }
  const order = Object.keys(def);
  return { values, problems: problems.toSorted((a, b) => order.indexOf(a.key) - order.indexOf(b.key)) };
}

/** The values of a config that must be right. Throws a ConfigError that names every problem. */
export function mustParse(def: ConfigDef, raw: RawConfig, what: string): Readonly<Record<string, unknown>> {
  const { values, problems } = parseConfig(def, raw);
  if (problems.length > 0) throw new ConfigError(`${what}: ${problems.map(({ message }) => message).join('; ')}`);
  return values;
}

/** A table's keys as REST describes them (ConfigKeyInfo), in its order; internal keys are left out. */
export function definitionsOf(def: ConfigDef): ConfigDefinition[] {
  const counts = new Map<string, number>();
  const definitions: ConfigDefinition[] = [];
  for (const [name, key] of Object.entries(def)) {
    const order = key.group === undefined ? -1 : (counts.get(key.group) ?? 0) + 1;
    if (key.group !== undefined) counts.set(key.group, order);
    if (key.internal !== true) definitions.push(definitionOf(name, key, order));
  }
  return definitions;
}

function definitionOf(name: string, key: ConfigKey, order: number): ConfigDefinition {
  return {
    name,
    type: key.type.toUpperCase(),
    required: key.default === undefined,
    default_value: configText(defaultValue(key)),
    importance: key.importance.toUpperCase(),
    documentation: key.doc,
    group: key.group ?? null,
    width: (key.width ?? 'none').toUpperCase(),
    display_name: key.displayName ?? name,
    dependents: key.dependents ?? [],
    order,
  };
}

/** `/validate`'s entries for a table: each definition with its value and what is wrong with it. */
export function configInfos(def: ConfigDef, raw: RawConfig, parsed: ParsedConfig): ConfigInfo[] {
  return definitionsOf(def).map((definition) => {
    const { name } = definition;
    const { rule, type } = def[name] ?? {};
    const recommended = rule?.kind === 'one-of' ? [...rule.values] : type === 'boolean' ? ['true', 'false'] : [];
    const value = name in parsed.values ? parsed.values[name] : type === 'password' ? null : raw[name];
    return {
      definition,
      value: {
        name,
        value: configText(value),
        recommended_values: recommended,
        errors: parsed.problems.filter(({ key }) => key === name).map(({ message }) => message),
        visible: true,
      },
    };
  });
}
