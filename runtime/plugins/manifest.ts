import { ConfigError } from '../api/index.ts';

export type PluginKind = 'source' | 'sink' | 'transform' | 'predicate' | 'converter' | 'header_converter';

const kinds: readonly string[] = ['source', 'sink', 'transform', 'predicate', 'converter', 'header_converter'];

/** A plugin as its package.json declares it; plain data, so that it crosses threads, and nothing of it is imported. */
export interface PluginDescriptor {
  readonly kind: PluginKind;
  /** Our name for it, such as `source-postgres`. */
  readonly name: string;
  /** The JVM class that it stands in for; REST shows it. */
  readonly class: string;
  readonly aliases: readonly string[];
  /** Of a connector: the JVM class of its tasks, which task configs name so that a JVM worker can start them; its own name where there is none. */
  readonly taskClass?: string;
  /** Of a sink: it tells positions (`originalTopic`) from names and ids (`topic`, `resubmitted`), so that dead letters can go straight to it. */
  readonly resubmission?: true;
  /** Of the package. */
  readonly version: string;
  /** The module's file: URL, and what it exports the plugin as. */
  readonly moduleUrl: string;
  readonly exportName: string;
  /** The package's name, for messages. */
  readonly package: string;
}

/**
 * The plugins of a parsed package.json: `"millrace": {"plugins": [{"kind", "name", "class", "aliases", "taskClass",
 * "resubmission", "module", "export", "variants"}]}`. `variants: ["Key", "Value"]` stands for the classes `…$Key` and `…$Value`, exported as
 * `key` and `value`. Undefined when the package declares none; throws a ConfigError for a malformed declaration.
 */
export function pluginsOf(packageJson: unknown, packageUrl: URL): PluginDescriptor[] | undefined {
  if (!isObject(packageJson) || !isObject(packageJson['millrace'])) return undefined;
  const { plugins } = packageJson['millrace'];
  if (!Array.isArray(plugins)) throw new ConfigError(`${packageUrl.pathname}: "millrace.plugins" must be a list`);
  const packageName = typeof packageJson['name'] === 'string' ? packageJson['name'] : packageUrl.pathname;
  const version = typeof packageJson['version'] === 'string' ? packageJson['version'] : 'undefined';
  return plugins.flatMap((entry: unknown, index) => {
    const where = `${packageUrl.pathname}: "millrace.plugins[${index}]"`;
    if (!isObject(entry)) throw new ConfigError(`${where} must be an object`);
    const { kind } = entry;
    if (typeof kind !== 'string' || !kinds.includes(kind)) throw new ConfigError(`${where}.kind must be one of ${kinds.join(', ')}`);
    const name = text(entry, 'name', where);
    const base: PluginDescriptor = {
      kind: kind as PluginKind,
      name,
      class: text(entry, 'class', where, name),
      aliases: texts(entry['aliases'], `${where}.aliases`),
      ...(entry['taskClass'] !== undefined && { taskClass: text(entry, 'taskClass', where) }),
      ...(entry['resubmission'] === true && { resubmission: true }),
      version,
      moduleUrl: new URL(text(entry, 'module', where), packageUrl).href,
      exportName: text(entry, 'export', where, 'default'),
      package: packageName,
    };
    const variants = texts(entry['variants'], `${where}.variants`);
    return variants.length === 0 ? [base] : variants.map((variant) => variantOf(base, variant));
  });
}

function variantOf(base: PluginDescriptor, variant: string): PluginDescriptor {
  const suffixed = (name: string): string => `${name}$${variant}`;
  return {
    ...base,
    name: suffixed(base.name),
    class: suffixed(base.class),
    aliases: base.aliases.map(suffixed),
    exportName: variant.toLowerCase(),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(entry: Record<string, unknown>, key: string, where: string, fallback?: string): string {
  const value = entry[key] ?? fallback;
  if (typeof value !== 'string' || value === '') throw new ConfigError(`${where}.${key} must be a non-empty string`);
  return value;
}

function texts(value: unknown, where: string): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string'))
    throw new ConfigError(`${where} must be a list of strings`);
  return value;
}
