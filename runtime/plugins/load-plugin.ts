import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../api/index.ts';
import type { ConverterPlugin, HeaderConverterPlugin, PredicatePlugin, SinkPlugin, SourcePlugin, TransformPlugin } from '../api/index.ts';
import type { PluginDescriptor, PluginKind } from './manifest.ts';

export interface PluginTypes {
  source: SourcePlugin;
  sink: SinkPlugin;
  transform: TransformPlugin;
  predicate: PredicatePlugin;
  converter: ConverterPlugin;
  header_converter: HeaderConverterPlugin;
}

const required: Record<PluginKind, string> = {
  source: 'start',
  sink: 'start',
  transform: 'create',
  predicate: 'create',
  converter: 'create',
  header_converter: 'createHeaderConverter',
};

/** Imports a plugin's module. Throws a ConfigError saying which plugin, from where, and why not. */
export async function loadPlugin<K extends PluginKind>(descriptor: PluginDescriptor & { readonly kind: K }): Promise<PluginTypes[K]> {
  shareApi();
  const { kind, name, exportName } = descriptor;
  const url = moduleUrl(descriptor.moduleUrl);
  let module: Record<string, unknown>;
  try {
    module = (await import(url)) as Record<string, unknown>;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`cannot load the ${kind} ${name} of ${descriptor.package}: ${reason}`, {
      cause,
      ...hintFor(cause),
    });
  }
  const plugin = module[exportName];
  const found = typeof plugin === 'object' && plugin !== null ? (plugin as Record<string, unknown>) : {};
  if (typeof found[required[kind]] !== 'function' || typeof found['config'] !== 'object') {
    throw new ConfigError(
      `the ${kind} ${name}: export "${exportName}" of ${url} is no ${kind} plugin, it lacks "${required[kind]}" or "config"`,
    );
  }
  return plugin as PluginTypes[K];
}

/** What is published is compiled: manifests go on naming the `.ts` file, the `.js` stands in its place. */
function moduleUrl(url: string): string {
  if (!url.endsWith('.ts') || existsSync(fileURLToPath(url))) return url;
  return `${url.slice(0, -3)}.js`;
}

function hintFor(cause: unknown): { hint?: string } {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING') {
    return {
      hint: 'Node.js runs no TypeScript from node_modules: publish the plugin compiled, or name its own folder in plugin.path.',
    };
  }
  return {};
}

let shared = false;

/** What the API is called: in the package that is published, and in this repository. */
const apiNames = ['millrace/api', '@millrace/runtime/api'];

/**
 * Plugins import the API by its name; wherever they are installed, they get this runtime's, so that errors and
 * values are of the same classes on both sides.
 */
function shareApi(): void {
  if (shared) return;
  shared = true;
  const here = import.meta.url;
  const api = new URL(`../api/index.${here.endsWith('.ts') ? 'ts' : 'js'}`, here).href;
  registerHooks({
    resolve: (specifier, context, next) =>
      apiNames.includes(specifier) ? next(api, { ...context, parentURL: here }) : next(specifier, context),
  });
}
