/** A folder of connector files, read as a whole: everything that is wrong with it is told at once. */
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';

import { ConfigError } from '../../api/index.ts';
import type { RawConfig } from '../../api/index.ts';
import { loadConnectorFile } from '../../settings/connector-file.ts';
import { jsonProblems, lineOfKey } from './json-text.ts';
import { ownerKey } from './owner.ts';

export interface FolderConnector {
  /** Relative to the folder. */
  readonly file: string;
  readonly name: string;
  /** As the person wrote it, placeholders and all; without `name` and our own marker. */
  readonly config: RawConfig;
  readonly initialState?: InitialState;
}

export type InitialState = 'RUNNING' | 'PAUSED' | 'STOPPED';

export interface FileProblem {
  /** Relative to the folder. */
  readonly file: string;
  readonly line?: number;
  /** Of the config, when the server found it. */
  readonly key?: string;
  readonly reason: string;
}

export interface ConnectorFolder {
  /** Sorted by file. */
  readonly connectors: readonly FolderConnector[];
  readonly problems: readonly FileProblem[];
}

/** Reads `*.json` and `*.properties`, subfolders too; what begins with a dot is left out. Throws a ConfigError when there is no such folder. */
export async function readConnectorFolder(folder: string): Promise<ConnectorFolder> {
  const connectors: FolderConnector[] = [];
  const problems: FileProblem[] = [];
  for (const file of await connectorFiles(folder)) {
    const read = await readConnector(folder, file);
    if ('problems' in read) problems.push(...read.problems);
    else connectors.push(read);
  }
  const firstFiles = new Map<string, string>();
  for (const { name, file } of connectors) {
    const first = firstFiles.get(name);
    if (first === undefined) firstFiles.set(name, file);
    else problems.push({ file, reason: `is a second file of the connector "${name}"; the first is ${first}` });
  }
  return { connectors, problems };
}

async function connectorFiles(folder: string): Promise<string[]> {
  const files: string[] = [];
  const seen = new Set<string>();
  async function look(into: string): Promise<void> {
    // A mounted ConfigMap is made of links; two that point at each other must not keep us for ever.
    const real = await realpath(into);
    if (seen.has(real)) return;
    seen.add(real);
    for (const name of (await readdir(into)).sort()) {
      if (name.startsWith('.') || name === 'node_modules') continue;
      const path = join(into, name);
      const isConnector = /\.(json|properties)$/i.test(name);
      const found = await stat(path).catch(() => undefined);
      if (found?.isDirectory()) await look(path);
      // One that cannot be looked at is reported when it is read.
      else if (isConnector) files.push(relative(folder, path));
    }
  }
  try {
    await look(folder);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why = code === 'ENOENT' ? 'there is no such folder' : code === 'ENOTDIR' ? 'it is not a folder' : `it cannot be read (${code})`;
    throw new ConfigError(`${folder}: ${why}.`, { cause: error });
  }
  return files;
}

async function readConnector(folder: string, file: string): Promise<FolderConnector | { readonly problems: readonly FileProblem[] }> {
  const path = join(folder, file);
  const isJson = /\.json$/i.test(file);
  const text = isJson ? await readFile(path, 'utf8').catch(() => undefined) : undefined;
  if (text !== undefined) {
    const problems = jsonProblems(text);
    if (problems.length > 0) return { problems: problems.map((problem) => ({ file, ...problem })) };
    if (!/^\uFEFF?\s*\{/.test(text)) return { problems: [{ file, line: 1, reason: 'must hold one JSON object' }] };
  }
  const problem = (reason: string, key?: string): { problems: readonly FileProblem[] } => {
    const line = text === undefined ? undefined : key === undefined ? lineIn(text, reason) : lineOf(text, key);
    return { problems: [{ file, ...(line !== undefined && { line }), reason }] };
  };
  try {
    const { name, config: whole, initialState } = await loadConnectorFile(path);
    const { name: _name, [ownerKey]: _owner, ...config } = whole;
    const unusable = nameProblem(name);
    if (unusable !== undefined) return problem(unusable, 'name');
    if ((config['connector.class'] ?? '').trim() === '') return problem('has no "connector.class"');
    const state = initialState === 'STARTED' ? 'RUNNING' : initialState;
    return { file, name, config, ...(state !== undefined && { initialState: state }) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return problem(error.message.replace(`${path}: `, ''));
  }
}

/** What cannot be said in a REST path: Connect's web server refuses it, or a client takes it for a step up. */
function nameProblem(name: string): string | undefined {
  if (name.includes('/') || name.includes('\\')) return `the name "${name}" has a slash: Kafka Connect cannot find such a connector again`;
  if (name === '.' || name === '..') return `"${name}" cannot be a connector's name`;
  return undefined;
}

const lineOf = (text: string, key: string): number | undefined => lineOfKey(text, [key]) ?? lineOfKey(text, ['config', key]);

/** Of the key that a message names: the name that the config gives a second time, or what stands there in quotes. */
function lineIn(text: string, reason: string): number | undefined {
  if (reason.includes("config's own name")) return lineOfKey(text, ['config', 'name']);
  const named = /"([^"]+)"/.exec(reason)?.[1];
  return named === undefined ? undefined : lineOf(text, named);
}
