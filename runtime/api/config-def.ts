/** Connect's config types (org.apache.kafka.common.config.ConfigDef.Type). */
export type ConfigType = 'boolean' | 'string' | 'int' | 'short' | 'long' | 'double' | 'list' | 'class' | 'password';

/** What a key's value may be, beyond its type; becomes a part of the JSON Schema that validates it. */
export type ConfigRule =
  | { readonly kind: 'range'; readonly min?: number; readonly max?: number }
  | { readonly kind: 'one-of'; readonly values: readonly string[]; readonly ignoreCase?: boolean }
  | { readonly kind: 'not-empty' }
  /** A check in code: returns what is wrong, or undefined. Says what to write instead. */
  | { readonly kind: 'custom'; readonly check: (value: unknown) => string | undefined };

export interface ConfigKey {
  readonly type: ConfigType;
  /** Absent means that the key is required; null means that it may be left out. */
  readonly default?: string | number | boolean | readonly string[] | null;
  readonly rule?: ConfigRule;
  readonly importance: 'high' | 'medium' | 'low';
  readonly doc: string;
  readonly group?: string;
  readonly width?: 'none' | 'short' | 'medium' | 'long';
  readonly displayName?: string;
  readonly dependents?: readonly string[];
  /** The key is taken so that configs written for Connect work, but nothing acts on it: why, for the warning that names it when it is set to anything but its default. */
  readonly noEffect?: string;
  /** Kept out of documentation and `GET /config`, as Connect's defineInternal. */
  readonly internal?: boolean;
}

/** One table for each plugin: validation, `/validate`'s answer and the documentation are made from it. */
export type ConfigDef = Readonly<Record<string, ConfigKey>>;

/** A password: it prints as `[hidden]`, and is read with `reveal()` where it is used. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[hidden]';
  }

  toJSON(): string {
    return '[hidden]';
  }
}

interface ValueTypes {
  boolean: boolean;
  string: string;
  int: number;
  short: number;
  long: number;
  double: number;
  list: readonly string[];
  class: string;
  password: Secret;
}

/** The parsed values of a config table, by key; a key whose default is null may be null. */
export type ConfigValues<D extends ConfigDef> = {
  readonly [K in keyof D]: D[K] extends { readonly default: null } ? ValueTypes[D[K]['type']] | null : ValueTypes[D[K]['type']];
};

/** Keeps the literal types of a table, so that {@link ConfigValues} knows them. */
export function defineConfig<const D extends ConfigDef>(def: D): D {
  return def;
}

/** A connector's or worker's config as people write it. */
export type RawConfig = Readonly<Record<string, string>>;

/** What a validation found about one key. */
export interface ConfigProblem {
  readonly key: string;
  readonly message: string;
  /** It is pointed out, and refuses nothing; the message has to say what it is about, since the key is not shown. */
  readonly warning?: boolean;
}
