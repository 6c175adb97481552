/**
 * What config says of columns beside which of them are read: masks, hashes, cuts, and where they came from.
 * Source: io.debezium.relational.mapping.ColumnMappers, MaskStrings, TruncateColumn.
 */
import { createHash } from 'node:crypto';

import { ConfigError } from '@millrace/runtime/api';
import type { RawConfig } from '@millrace/runtime/api';

import { patterns } from './filters.ts';
import type { Pattern } from './filters.ts';
import { hashName, serializedString } from './java-hash.ts';

/** What becomes of a column's values on their way into a record's value; keys stay as they are. */
export type Rewrite =
  /** The same text for every row, those with null included. */
  | { readonly kind: 'mask'; readonly text: string }
  /** A hash in hexadecimal, cut to the column's length; null stays null. */
  | { readonly kind: 'hash'; readonly hash: (text: string) => string }
  /** The first so many characters of text, or bytes. */
  | { readonly kind: 'truncate'; readonly length: number };

export interface ColumnRules {
  /** Undefined for a column that is published as it is. */
  rewriteOf(schema: string, table: string, column: string): Rewrite | undefined;
  /** Whether the field's schema tells the column's type in the database. */
  tellsType(schema: string, table: string, column: string, typeName: string): boolean;
  /** Whether any column is rewritten. */
  readonly rewrites: boolean;
}

interface Rule {
  readonly columns: readonly Pattern[];
  readonly rewrite: Rewrite;
}

const maskKey = /^column\.mask\.with\.(\d+)\.chars$/;
const hashKey = /^column\.mask\.hash\.(v2\.)?([^.]+)\.with\.salt\.(.+)$/s;
const truncateKey = /^column\.truncate\.to\.(\d+)\.chars$/;
/** Anything longer would be a typing error that fills memory. */
const maxLength = 1_000_000;

/** Whether the key is one of those whose names hold values. */
export const isColumnRule = (key: string): boolean => maskKey.test(key) || hashKey.test(key) || truncateKey.test(key);

/** Throws a ConfigError for an algorithm or a pattern that is none, and for keys that look like rules and are none. */
export function readColumnRules(raw: RawConfig, tellColumns: readonly string[] | null, tellTypes: readonly string[] | null): ColumnRules {
  const rules: Rule[] = [];
  // Where several rules meet on one column, the one that hides more wins.
  for (const kind of ['mask', 'hash', 'truncate'] as const) {
    for (const [key, value] of Object.entries(raw)) {
      const rewrite = rewriteNamed(key);
      if (rewrite?.kind === kind) rules.push({ columns: patterns(shown(key), value.split(/(?<!\\),/).map(unescaped)), rewrite });
    }
  }
  const wrong = Object.keys(raw).find((key) => /^column\.(mask|truncate)\./.test(key) && !isColumnRule(key));
  if (wrong !== undefined) {
    throw new ConfigError(`${wrong.split('.').slice(0, 3).join('.')}…: this is no mask, and values would be published whole.`, {
      hint: 'Write column.mask.with.N.chars, column.mask.hash.v2.ALGORITHM.with.salt.SALT or column.truncate.to.N.chars.',
    });
  }
  const byColumn = patterns('column.propagate.source.type', tellColumns);
  const byType = patterns('datatype.propagate.source.type', tellTypes);
  return {
    rewrites: rules.length > 0,
    rewriteOf(schema, table, column) {
      const name = `${schema}.${table}.${column}`;
      return rules.find(({ columns }) => columns.some((one) => one.test(name)))?.rewrite;
    },
    tellsType(schema, table, column, typeName) {
      const name = `${schema}.${table}.`;
      return byColumn.some((one) => one.test(name + column)) || byType.some((one) => one.test(name + typeName));
    },
  };
}

function rewriteNamed(key: string): Rewrite | undefined {
  const mask = maskKey.exec(key);
  if (mask !== null) return { kind: 'mask', text: '*'.repeat(length(key, mask[1])) };
  const truncate = truncateKey.exec(key);
  if (truncate !== null) return { kind: 'truncate', length: length(key, truncate[1]) };
  const hash = hashKey.exec(key);
  return hash === null ? undefined : { kind: 'hash', hash: hasher(hash[1] !== undefined, hash[2] ?? '', hash[3] ?? '') };
}

function length(key: string, digits = ''): number {
  if (Number(digits) > maxLength) throw new ConfigError(`${key}: at most ${maxLength} characters.`);
  return Number(digits);
}

/** The salt comes before the value; version 1 hashes what Java's serialisation makes of it. */
function hasher(plain: boolean, algorithm: string, salt: string): (text: string) => string {
  const name = hashName(algorithm);
  if (name === undefined) {
    throw new ConfigError(`column.mask.hash.${plain ? 'v2.' : ''}${algorithm}: there is no hash of that name here.`, {
      hint: 'Use SHA-256 or another of Java’s MessageDigest algorithms.',
    });
  }
  return (text) => {
    const hash = createHash(name).update(salt);
    return (plain ? hash.update(text) : hash.update(serializedString(text))).digest('hex');
  };
}

const unescaped = (text: string): string => text.replaceAll('\\,', ',');
/** A salt is half a secret: messages do not hold it. */
const shown = (key: string): string => key.replace(/\.with\.salt\..*$/s, '.with.salt.…');
