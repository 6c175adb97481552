/** The keys of ReselectColumnsPostProcessor. */
import { ConfigError } from '@millrace/runtime/api';
import type { RawConfig } from '@millrace/runtime/api';

import { patterns } from './filters.ts';
import type { NameFilter } from './filters.ts';

export interface ReselectSettings {
  /** The key that names the post-processor. */
  readonly name: string;
  /** By `schema.table:column`. */
  readonly columns: NameFilter;
  readonly unavailable: boolean;
  readonly nulls: boolean;
  /** Whether rows are looked for by the key of their records, rather than by the primary key. */
  readonly byEventKey: boolean;
  readonly onError: 'warn' | 'fail';
}

const known =
  /^[^.]+\.(type|reselect\.(columns\.(include|exclude)\.list|unavailable\.values|null\.values|use\.event\.key|error\.handling\.mode))$/;

/** Whether a key may be one of a post-processor's. */
export const isPostProcessorKey = (key: string): boolean => known.test(key);

/** Throws a ConfigError for a post-processor of another class, and for values that there are not. */
export function reselectSettings(names: string | null, raw: RawConfig): readonly ReselectSettings[] {
  const listed = (names ?? '').split(',').map((name) => name.trim());
  return listed.filter((name) => name !== '').map((name) => readOne(name, raw));
}

function readOne(name: string, raw: RawConfig): ReselectSettings {
  const type = raw[`${name}.type`]?.trim();
  if (type !== 'io.debezium.processors.reselect.ReselectColumnsPostProcessor') {
    throw new ConfigError(
      `post.processors: ${name}.type is ${type === undefined ? 'not set' : `"${type}"`}; only io.debezium.processors.reselect.ReselectColumnsPostProcessor is supported.`,
    );
  }
  const key = (suffix: string): string => `${name}.reselect.${suffix}`;
  const flag = (suffix: string, standard: boolean): boolean => {
    const text = raw[key(suffix)]?.trim().toLowerCase() ?? String(standard);
    if (text !== 'true' && text !== 'false') throw new ConfigError(`${key(suffix)}: "${text}" is neither true nor false.`);
    return text === 'true';
  };
  const list = (suffix: string) => patterns(key(suffix), raw[key(suffix)]?.split(',') ?? null);
  const [include, exclude] = [list('columns.include.list'), list('columns.exclude.list')];
  const onError = raw[key('error.handling.mode')]?.trim().toLowerCase() ?? 'warn';
  if (onError !== 'warn' && onError !== 'fail')
    throw new ConfigError(`${key('error.handling.mode')}: "${onError}" is neither warn nor fail.`);
  return {
    name,
    columns: (column) => (include.length > 0 ? include.some((regex) => regex.test(column)) : !exclude.some((regex) => regex.test(column))),
    unavailable: flag('unavailable.values', true),
    nulls: flag('null.values', true),
    byEventKey: flag('use.event.key', false),
    onError,
  };
}
