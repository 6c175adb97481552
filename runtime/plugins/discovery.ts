import { readFile, readdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { pluginsOf } from './manifest.ts';
import type { PluginDescriptor } from './manifest.ts';

export interface DiscoveryOptions {
  /** Where package names and relative folders are looked up. */
  readonly cwd?: string;
  readonly warn?: (message: string) => void;
}

const runtimeFolder = fileURLToPath(new URL('..', import.meta.url));
/** Beside the runtime both in a checkout and in the published package. */
const connectorsFolder = fileURLToPath(new URL('../../connectors', import.meta.url));

/**
 * Reads what packages declare, without importing any of it: the runtime's own plugins, the connectors that come
 * with it, then the entries of `plugin.path` (package names, or folders of packages). A broken or missing entry of `plugin.path` is warned about, and left out.
 */
export async function readManifests(pluginPath: readonly string[], options: DiscoveryOptions = {}): Promise<PluginDescriptor[]> {
  const { cwd = process.cwd(), warn = () => {} } = options;
  const found = [...((await readPackage(runtimeFolder, warn)) ?? []), ...(await readFolder(connectorsFolder, warn))];
  for (const entry of pluginPath.map((part) => part.trim())) {
    if (entry !== '') found.push(...(await readEntry(entry, cwd, warn)));
  }
  return withoutRepeats(found, warn);
}

async function readEntry(entry: string, cwd: string, warn: (message: string) => void): Promise<PluginDescriptor[]> {
  const folder = await folderOf(entry, cwd);
  if (folder === undefined) {
    warn(`plugin.path: there is no folder or installed package "${entry}" (looked up from ${cwd})`);
    return [];
  }
  const plugins = (await readPackage(folder, warn)) ?? (await readFolder(folder, warn));
  if (plugins.length === 0) {
    warn(
      `plugin.path: "${entry}" holds no package with a "millrace" block in its package.json; JVM plugins cannot run here, most have a stand-in that is found by the same class name`,
    );
  }
  return plugins;
}

async function folderOf(entry: string, cwd: string): Promise<string | undefined> {
  const folder = resolve(cwd, entry);
  if (await isFolder(folder)) return folder;
  if (entry.startsWith('.') || entry.startsWith('/')) return undefined;
  for (const modules of createRequire(join(cwd, 'any.js')).resolve.paths(entry) ?? []) {
    const installed = join(modules, entry);
    if (await isFolder(installed)) return installed;
  }
  return undefined;
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** The packages in a folder, those in scopes (`@acme/x`) and in its `node_modules` included. */
async function readFolder(folder: string, warn: (message: string) => void): Promise<PluginDescriptor[]> {
  const names = await readdir(folder).catch(() => []);
  const found: PluginDescriptor[] = [];
  for (const name of names.toSorted()) {
    const path = join(folder, name);
    if (name === 'node_modules' || name.startsWith('@')) found.push(...(await readFolder(path, warn)));
    else if (!name.startsWith('.')) found.push(...((await readPackage(path, warn)) ?? []));
  }
  return found;
}

/** Undefined when the folder is no package, or one without plugins. */
async function readPackage(folder: string, warn: (message: string) => void): Promise<PluginDescriptor[] | undefined> {
  const path = join(folder, 'package.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
  try {
    return pluginsOf(JSON.parse(text), pathToFileURL(path));
  } catch (error) {
    warn(`its plugins are left out: ${path}: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

function withoutRepeats(found: readonly PluginDescriptor[], warn: (message: string) => void): PluginDescriptor[] {
  const seen = new Map<string, PluginDescriptor>();
  for (const plugin of found) {
    const key = `${plugin.kind} ${plugin.class}`;
    const first = seen.get(key);
    if (first === undefined) seen.set(key, plugin);
    else if (first.moduleUrl !== plugin.moduleUrl) {
      warn(`${plugin.kind} ${plugin.class} is declared by ${first.package} and by ${plugin.package}; the first is used`);
    }
  }
  return [...seen.values()];
}
