/** Values of the key table's types, with its defaults and Connect's messages. */
import { ConfigError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';
import type { WorkerKey } from './worker-key.ts';
import { topLevelKeys } from './key-table.ts';

export interface TypedValues {
  /** Throws a ConfigError where a required one is missing. */
  text(name: string): string;
  /** Undefined where it is absent, or blank. */
  optional(name: string): string | undefined;
  number(name: string): number;
  boolean(name: string): boolean;
  list(name: string): readonly string[];
  /** One of the key's values, as the table writes it. */
  choice(name: string): string;
}

/** Source of the messages: org.apache.kafka.common.config.ConfigDef.parseType. */
export function typedValues(config: RawConfig): TypedValues {
  const keyOf = (name: string): WorkerKey => {
    const key = topLevelKeys[name];
    if (key === undefined) throw new Error(`${name} is not in the table of worker keys`);
    return key;
  };
  const invalid = (name: string, value: string, why: string): ConfigError =>
    new ConfigError(`Invalid value ${value} for configuration ${name}: ${why}`);
  const text = (name: string): string => {
    const value = config[name]?.trim() ?? keyOf(name).default;
    if (value === undefined || value === null) throw missing(name);
    return value;
  };
  const number = (name: string): number => {
    const value = text(name);
    if (!/^[+-]?\d+$/.test(value) || !Number.isSafeInteger(Number(value)))
      throw invalid(name, value, `Not a number of type ${keyOf(name).type.toUpperCase()}`);
    const { min } = keyOf(name);
    if (min !== undefined && Number(value) < min) throw invalid(name, value, `Value must be at least ${min}`);
    return Number(value);
  };
  return {
    text,
    number,
    optional: (name) => config[name]?.trim() || undefined,
    boolean(name) {
      const value = text(name).toLowerCase();
      if (value !== 'true' && value !== 'false') throw invalid(name, value, 'Expected value to be either true or false');
      return value === 'true';
    },
    list: (name) => listOf(text(name)),
    choice(name) {
      const value = text(name);
      const { values = [] } = keyOf(name);
      // Connect also takes the class of a policy; its simple name says the same.
      const simple = value.replace(/^.*\./, '').replace(/ConnectorClientConfigOverridePolicy$/, '');
      const found = values.find((each) => each.toLowerCase() === simple.toLowerCase());
      if (found === undefined) throw invalid(name, value, `must be one of ${values.join(', ')}`);
      return found;
    },
  };
}

export function missing(name: string): ConfigError {
  return new ConfigError(`Missing required configuration "${name}" which has no default value.`);
}

export function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
