import { ConfigError } from '../api/index.ts';
import type { PluginInfo } from '../ports/tasks.ts';
import { readManifests } from './discovery.ts';
import type { DiscoveryOptions } from './discovery.ts';
import type { PluginDescriptor, PluginKind } from './manifest.ts';

/** A connector's descriptor. */
export type ConnectorDescriptor = PluginDescriptor & { readonly kind: 'source' | 'sink' };

/** Finds plugins by name; made from descriptors alone, in any thread. */
export interface PluginIndex {
  /** All plugins, in the order of their discovery. Pass them to a thread, and make the index there again. */
  readonly plugins: readonly PluginDescriptor[];
  /** By our name, the JVM class, its simple name, that without "Connector" or "Converter", or an alias. */
  find(kind: PluginKind, name: string): PluginDescriptor | undefined;
  /** A source or sink. Throws a ConfigError naming what there is. */
  connector(name: string): ConnectorDescriptor;
  /** Throws as {@link connector}. */
  kindOf(connectorClass: string): 'source' | 'sink';
  versionOf(connectorClass: string): string | undefined;
  /** The class of its tasks; undefined for an unknown connector. */
  taskClassOf(connectorClass: string): string | undefined;
  /** Whether dead letters can go straight to a sink of this class. */
  takesResubmitted(connectorClass: string): boolean;
  infos(): readonly PluginInfo[];
}

/** Looks up what there is (see {@link readManifests}) and makes the index. */
export async function discoverPlugins(pluginPath: readonly string[] = [], options: DiscoveryOptions = {}): Promise<PluginIndex> {
  return createPluginIndex(await readManifests(pluginPath, options));
}

/** What Connect leaves out of a class's simple name to make a short one. */
const suffixes: Partial<Record<PluginKind, string>> = {
  source: 'Connector',
  sink: 'Connector',
  converter: 'Converter',
  header_converter: 'Converter',
};

export function createPluginIndex(plugins: readonly PluginDescriptor[]): PluginIndex {
  const byName = new Map<string, PluginDescriptor>();
  // The exact names of all first, so that a short name never hides one.
  for (const names of [exactNames, shortNames]) {
    for (const plugin of plugins) {
      for (const name of names(plugin)) {
        const key = `${plugin.kind} ${name}`;
        if (!byName.has(key)) byName.set(key, plugin);
      }
    }
  }
  const find = (kind: PluginKind, name: string): PluginDescriptor | undefined => byName.get(`${kind} ${name.trim()}`);
  const findConnector = (name: string): ConnectorDescriptor | undefined =>
    (find('source', name) ?? find('sink', name)) as ConnectorDescriptor | undefined;
  const connector = (name: string): ConnectorDescriptor => {
    const found = findConnector(name);
    if (found !== undefined) return found;
    const available = plugins
      .filter(({ kind }) => kind === 'source' || kind === 'sink')
      .map((plugin) => `PluginDesc{class=${plugin.class}, name='${plugin.name}', version='${plugin.version}', type=${plugin.kind}}`);
    throw new ConfigError(
      `Failed to find any class that implements Connector and which name matches ${name}, available connectors are: ${available.join(', ')}`,
    );
  };
  return {
    plugins,
    find,
    connector,
    kindOf: (name) => connector(name).kind,
    versionOf: (name) => findConnector(name)?.version,
    taskClassOf(name) {
      const found = findConnector(name);
      return found?.taskClass ?? found?.name;
    },
    takesResubmitted: (name) => findConnector(name)?.resubmission === true,
    infos: () =>
      plugins.map((plugin) => ({
        class: plugin.class,
        type: plugin.kind === 'transform' ? 'transformation' : plugin.kind,
        version: plugin.version,
      })),
  };
}

function exactNames(plugin: PluginDescriptor): string[] {
  return [plugin.class, plugin.name];
}

function shortNames({ kind, class: className, aliases }: PluginDescriptor): string[] {
  const suffix = suffixes[kind];
  return [className, ...aliases].flatMap((name) => {
    const simple = name.slice(name.lastIndexOf('.') + 1);
    const pruned = suffix !== undefined && simple.endsWith(suffix) ? [simple.slice(0, -suffix.length)] : [];
    return [name, simple, ...pruned];
  });
}
