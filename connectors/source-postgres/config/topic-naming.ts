/**
 * Which topic a table's records go to. Source: io.debezium.schema.AbstractTopicNamingStrategy and those that
 * extend it, AbstractRegexTopicNamingStrategy among them.
 */
import { ConfigError, javaPattern, unicodeEscape } from '@millrace/runtime/api';
import type { JavaPattern } from '@millrace/runtime/api';

import { topicNamingClasses } from './config-columns.ts';
import type { Config } from './config.ts';

export interface TopicNaming {
  /** Also the beginning of the names of the table's schemas. */
  dataTopic(schema: string, table: string): string;
  /** A field that tells tables apart whose records share a topic, last in keys. */
  keyField(schema: string, table: string): { readonly name: string; readonly value: string } | undefined;
}

const maxTopicLength = 249;

/** Throws a ConfigError for a class that is none of Debezium's own, and for keys that it needs. */
export function topicNaming(config: Config): TopicNaming {
  const name = config['topic.naming.strategy'];
  if (!topicNamingClasses.includes(name)) {
    throw new ConfigError(`topic.naming.strategy: "${name}" is a Java class, which cannot be run here.`, {
      hint: `Choose one of ${topicNamingClasses.join(', ')}.`,
    });
  }
  const { 'topic.prefix': prefix, 'topic.delimiter': delimiter } = config;
  const withSchema = name.startsWith('io.debezium.schema.Schema');
  const parts = (schema: string, table: string): string =>
    (withSchema ? [prefix, schema, table] : [prefix, table]).filter((part) => part.trim() !== '').join(delimiter);
  const clean = name.includes('Unicode') ? sanitizer(/[^A-Za-z0-9.-]/g, unicodeEscape) : legalTopic;
  if (name.includes('Regex')) return regexNaming(config, parts, clean);
  return { dataTopic: (schema, table) => clean(parts(schema, table)), keyField: () => undefined };
}

function sanitizer(wrong: RegExp, replace: (char: string) => string): (name: string) => string {
  return (name) => {
    const clean = name.replace(wrong, replace).slice(0, maxTopicLength);
    return clean === '.' || clean === '..' ? clean.replaceAll('.', replace) : clean;
  };
}

/** Topic names hold letters, digits, dot, underscore and hyphen; anything else becomes an underscore. */
const legalTopic = sanitizer(/[^A-Za-z0-9._-]/g, () => '_');

type Parts = (schema: string, table: string) => string;

function regexNaming(config: Config, parts: Parts, clean: (name: string) => string): TopicNaming {
  const regex = required(config, 'topic.regex', 'topic.replacement');
  if (regex === undefined) throw new ConfigError('topic.regex is needed by that topic.naming.strategy, and topic.replacement with it.');
  const keyRegex = required(config, 'topic.key.field.regex', 'topic.key.field.replacement');
  const field = config['topic.key.field.name'];
  const unique = config['topic.key.enforce.uniqueness'];
  return {
    dataTopic(schema, table) {
      const topic = clean(parts(schema, table));
      return replaced(regex, topic) || topic;
    },
    keyField(schema, table) {
      if (!unique) return undefined;
      const topic = parts(schema, table);
      return { name: field, value: keyRegex === undefined ? topic : replaced(keyRegex, topic) };
    },
  };
}

interface Replacing {
  readonly pattern: JavaPattern;
  readonly replacement: string;
}

const replaced = ({ pattern, replacement }: Replacing, text: string): string =>
  pattern.matches(text) ? pattern.replaceFirst(text, replacement) : text;

function required(
  config: Config,
  regexKey: 'topic.regex' | 'topic.key.field.regex',
  replacementKey: 'topic.replacement' | 'topic.key.field.replacement',
): Replacing | undefined {
  const [text, replacement] = [config[regexKey]?.trim() ?? '', config[replacementKey]?.trim() ?? ''];
  if (text === '') return undefined;
  if (replacement === '') throw new ConfigError(`${replacementKey} must be non-empty if ${regexKey} is set.`);
  try {
    const pattern = javaPattern(text);
    pattern.replaceFirst(text, '');
    return { pattern, replacement };
  } catch (cause) {
    throw new ConfigError(`${regexKey}: ${(cause as Error).message}`, { cause });
  }
}
