import type { ConfigDef, ConfigValues } from './config-def.ts';
import type { ConnectRecord } from './record.ts';
import type { Logger } from './source.ts';

/**
 * Maps a record to a new record, or to null to drop it. What it leaves alone it hands on by identity (schemas,
 * headers, values), since everything downstream is cached by that. Throws a DataError for a bad record.
 */
export type Transform = <R extends ConnectRecord>(record: R) => R | null;

export type Predicate = (record: ConnectRecord) => boolean;

/** A single message transform. Source: org.apache.kafka.connect.transforms.Transformation. */
export interface TransformPlugin<D extends ConfigDef = ConfigDef> {
  readonly kind: 'transform';
  readonly config: D;
  /** Throws a ConfigError when the values do not go together. `log` is the task's; there is none while a config is only checked. */
  create(values: ConfigValues<D>, log?: Logger): Transform;
}

export interface PredicatePlugin<D extends ConfigDef = ConfigDef> {
  readonly kind: 'predicate';
  readonly config: D;
  create(values: ConfigValues<D>): Predicate;
}

export function defineTransform<const D extends ConfigDef>(plugin: Omit<TransformPlugin<D>, 'kind'>): TransformPlugin<D> {
  return { kind: 'transform', ...plugin };
}

export function definePredicate<const D extends ConfigDef>(plugin: Omit<PredicatePlugin<D>, 'kind'>): PredicatePlugin<D> {
  return { kind: 'predicate', ...plugin };
}
