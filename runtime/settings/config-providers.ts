/**
 * Placeholders such as `${file:/secrets/db.properties:password}` in a connector's config, resolved by the
 * worker's `config.providers`. Sources: org.apache.kafka.common.config.ConfigTransformer and the providers
 * FileConfigProvider, DirectoryConfigProvider, EnvVarConfigProvider beside it.
 */
import { readFile } from 'node:fs/promises';
import { isAbsolute, join, normalize, sep } from 'node:path';
import { ConfigError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';
import { placeholder } from '../ports/config-providers.ts';
import type { ConfigProviders } from '../ports/config-providers.ts';
import { parseProperties } from './java-properties.ts';

/** Resolves one `${provider:path:key}`; undefined where there is no such key. */
type Provider = (path: string, key: string) => Promise<string | undefined>;

/** From the worker's own config: `config.providers`, `config.providers.NAME.class`, `config.providers.NAME.param.*`. */
export function createConfigProviders(worker: RawConfig, environment: NodeJS.ProcessEnv = process.env): ConfigProviders {
  const providers = new Map<string, Provider>();
  for (const name of listOf(worker['config.providers'])) {
    const prefix = `config.providers.${name}.`;
    const className = worker[`${prefix}class`];
    if (className === undefined)
      throw new ConfigError(`${prefix}class is missing.`, { hint: 'Set the class of each of config.providers.' });
    const make = kinds[className.slice(className.lastIndexOf('.') + 1)];
    if (make === undefined) {
      const hint = `There are ${Object.keys(kinds).join(', ')}.`;
      throw new ConfigError(`${prefix}class: there is no config provider ${className}.`, { hint });
    }
    providers.set(
      name,
      make((key) => worker[`${prefix}param.${key}`], environment),
    );
  }

  async function resolveOne(key: string, text: string, provider: Provider, path: string, name: string): Promise<string> {
    try {
      const value = await provider(path, name);
      if (value !== undefined) return value;
    } catch (cause) {
      throw new ConfigError(`${key}: ${text} cannot be resolved: ${(cause as Error).message}`, { cause });
    }
    throw new ConfigError(`${key}: ${text} cannot be resolved: there is no such entry.`);
  }

  return {
    async resolve(config) {
      const secrets = new Set<string>();
      const resolved: Record<string, string> = {};
      for (const [key, value] of Object.entries(config)) {
        let text = '';
        let end = 0;
        for (const match of value.matchAll(placeholder)) {
          const provider = providers.get(match[1] as string);
          if (provider === undefined) continue;
          const secret = await resolveOne(key, match[0], provider, match[2] ?? '', match[3] as string);
          if (secret !== '') secrets.add(secret);
          text += value.slice(end, match.index) + secret;
          end = match.index + match[0].length;
        }
        resolved[key] = text + value.slice(end);
      }
      return { config: resolved, secrets: [...secrets] };
    },
  };
}

type Make = (param: (key: string) => string | undefined, environment: NodeJS.ProcessEnv) => Provider;

const kinds: Readonly<Record<string, Make>> = {
  FileConfigProvider: (param) => {
    const allowed = allowedPaths(param('allowed.paths'));
    return async (path, key) => {
      const entries = parseProperties(await textOf(allowed(path)));
      return Object.hasOwn(entries, key) ? entries[key] : undefined;
    };
  },
  DirectoryConfigProvider: (param) => {
    const allowed = allowedPaths(param('allowed.paths'));
    return async (path, key) => {
      if (key.includes('/') || key === '..') throw new Error(`"${key}" is not the name of a file in ${path}`);
      return textOf(allowed(join(path, key)));
    };
  },
  EnvVarConfigProvider: (param, environment) => {
    const allowed = new RegExp(`^(?:${param('allowlist.pattern') ?? '.*'})$`, 's');
    return async (path, key) => {
      if (path !== '') throw new Error(`an environment variable has no path ("${path}")`);
      return allowed.test(key) ? environment[key] : undefined;
    };
  },
};

function allowedPaths(param: string | undefined): (path: string) => string {
  const allowed = listOf(param).map((path) => normalize(`${path}/`));
  return (path) => {
    const wanted = normalize(path);
    if (allowed.length > 0 && (!isAbsolute(wanted) || !allowed.some((folder) => `${wanted}${sep}`.startsWith(folder)))) {
      throw new Error(`${path} is not below allowed.paths of its config provider`);
    }
    return wanted;
  };
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new Error(`could not read ${path} (${(cause as NodeJS.ErrnoException).code ?? 'failed'})`, { cause });
  }
}

function listOf(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
