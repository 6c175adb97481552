import { ConfigError } from '../api/index.ts';
import type { Converter, HeaderConverter, Logger, Predicate, RawConfig, SinkPlugin, SourcePlugin, Transform } from '../api/index.ts';
import { keysUnder, listOf, loadNamed } from './connector-parts.ts';
import { mustParse } from './config-validation.ts';
import { loadPlugin } from './load-plugin.ts';
import type { PluginIndex } from './plugin-index.ts';
import { refusedSettings } from './refused-settings.ts';
import type { SourceDelivery } from './source-delivery.ts';

/** One transform of the chain, and when it applies. */
export interface TransformPart {
  readonly alias: string;
  /** The JVM class that it stands in for. */
  readonly class: string;
  readonly transform: Transform;
  readonly predicate?: Predicate;
  readonly negate: boolean;
}

interface CommonParts {
  /** The connector's own keys, parsed. */
  readonly values: Readonly<Record<string, never>>;
  readonly keyConverter: Converter;
  readonly valueConverter: Converter;
  readonly headerConverter: HeaderConverter;
  /** The JVM classes that the converters stand in for, for what is told of a record that they refuse. */
  readonly converterClasses: { readonly key: string; readonly value: string; readonly header: string };
  readonly transforms: readonly TransformPart[];
}

export interface SourceParts extends CommonParts {
  readonly kind: 'source';
  readonly plugin: SourcePlugin;
}

export interface SinkParts extends CommonParts {
  readonly kind: 'sink';
  readonly plugin: SinkPlugin;
}

export type PipelineParts = SourceParts | SinkParts;

const simpleHeaders = 'org.apache.kafka.connect.storage.SimpleHeaderConverter';

/**
 * All that a task's pipeline is made of, from its config (the connector's and the task's keys together) and the
 * worker's converter settings. Transforms write to `log`. Throws a ConfigError for what validation would have refused.
 */
export async function buildPipelineParts(
  raw: RawConfig,
  workerDefaults: RawConfig,
  index: PluginIndex,
  log?: Logger,
  delivery: SourceDelivery = 'atomic',
): Promise<PipelineParts> {
  const descriptor = index.connector(raw['connector.class'] ?? '');
  const plugin = await loadPlugin(descriptor);
  // Stored configs may be older than this worker, or come from Connect.
  // What asks for a worker with transactions runs without them too, as in Connect; a warning says so.
  const [refused] = refusedSettings(raw, plugin, delivery === 'plain' ? 'standalone' : delivery);
  if (refused !== undefined) throw new ConfigError(`connector ${raw['name'] ?? ''}: ${refused.message}`);
  const key = await converterFor('key', raw, workerDefaults, index);
  const value = await converterFor('value', raw, workerDefaults, index);
  const header = await headerConverterFor(raw, workerDefaults, index);
  const common: CommonParts = {
    values: mustParse(plugin.config, raw, `connector ${raw['name'] ?? ''}`) as CommonParts['values'],
    keyConverter: key.converter,
    valueConverter: value.converter,
    headerConverter: header.converter,
    converterClasses: { key: key.class, value: value.class, header: header.class },
    transforms: await transformsOf(raw, index, log),
  };
  return plugin.kind === 'source' ? { kind: 'source', plugin, ...common } : { kind: 'sink', plugin: plugin as SinkPlugin, ...common };
}

interface Made<T> {
  readonly converter: T;
  readonly class: string;
}

async function converterFor(use: 'key' | 'value', raw: RawConfig, workerDefaults: RawConfig, index: PluginIndex): Promise<Made<Converter>> {
  const key = `${use}.converter`;
  // Either the connector's settings or the worker's, never a mixture.
  const chosen = raw[key] === undefined ? workerDefaults : raw;
  const { plugin, descriptor } = await loadNamed('converter', key, chosen[key], index);
  return { converter: plugin.create(mustParse(plugin.config, keysUnder(chosen, `${key}.`), key), use), class: descriptor.class };
}

async function headerConverterFor(raw: RawConfig, workerDefaults: RawConfig, index: PluginIndex): Promise<Made<HeaderConverter>> {
  const key = 'header.converter';
  const chosen = raw[key] === undefined ? workerDefaults : raw;
  const { plugin, descriptor } = await loadNamed('header_converter', key, chosen[key] ?? simpleHeaders, index);
  const converter = plugin.createHeaderConverter(mustParse(plugin.config, keysUnder(chosen, `${key}.`), key));
  return { converter, class: descriptor.class };
}

async function transformsOf(raw: RawConfig, index: PluginIndex, log: Logger | undefined): Promise<TransformPart[]> {
  const parts: TransformPart[] = [];
  for (const alias of listOf(raw, 'transforms')) {
    const prefix = `transforms.${alias}.`;
    const own = keysUnder(raw, prefix);
    const { plugin, descriptor } = await loadNamed('transform', `${prefix}type`, own['type'], index);
    const transform = plugin.create(mustParse(plugin.config, own, `transform ${alias}`) as never, log);
    const predicate = await predicateFor(own['predicate']?.trim() ?? '', prefix, raw, index);
    parts.push({
      alias,
      class: descriptor.class,
      transform,
      ...(predicate === undefined ? {} : { predicate }),
      negate: own['negate']?.trim().toLowerCase() === 'true',
    });
  }
  return parts;
}

async function predicateFor(name: string, transform: string, raw: RawConfig, index: PluginIndex): Promise<Predicate | undefined> {
  if (name === '') return undefined;
  if (!listOf(raw, 'predicates').includes(name)) {
    throw new ConfigError(`${transform}predicate: "${name}" is not among the aliases in predicates`);
  }
  const own = keysUnder(raw, `predicates.${name}.`);
  const { plugin } = await loadNamed('predicate', `predicates.${name}.type`, own['type'], index);
  return plugin.create(mustParse(plugin.config, own, `predicate ${name}`) as never);
}
