/** Messages recorded from Debezium 3.3.2, and how ours are compared with them. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

import { ByteSink } from '@millrace/runtime/api';
import type { SourceRecord } from '@millrace/runtime/api';

import jsonConverter from '../../../runtime/converters/json/json-converter.ts';

const folder = new URL('./fixtures/', import.meta.url);

/** A message with its JSON parsed; numbers stay the text that they were, so that none is rounded. */
export interface Message {
  readonly topic: string;
  readonly headers: readonly (readonly [string, unknown])[];
  readonly key: unknown;
  readonly value: unknown;
}

export const script = (name: string): string => readFileSync(new URL(`${name}.sql`, folder), 'utf8');

export const connectorConfig = (name: string): Record<string, string> =>
  JSON.parse(readFileSync(new URL(`${name}.config.json`, folder), 'utf8')) as Record<string, string>;

export function recorded(name: string): Message[] {
  const lines = gunzipSync(readFileSync(new URL(`${name}.jsonl.gz`, folder)))
    .toString('utf8')
    .trim()
    .split('\n');
  return lines.map((line) => {
    const { topic, headers, key, value } = JSON.parse(line) as {
      topic: string;
      headers: [string, string][];
      key: string | null;
      value: string | null;
    };
    return { topic, headers: headers.map(([name, text]) => [name, headerValue(text)]), key: parse(key), value: parse(value) };
  });
}

const headerValue = (text: string): unknown => (text.startsWith('{') ? parse(text) : text);

/** The converter that a recording's config names. */
export const converterOf = (config: Record<string, string>) =>
  jsonConverter.create(
    {
      'schemas.enable': true,
      'decimal.format': config['value.converter.decimal.format'] ?? 'BASE64',
      'replace.null.with.default': config['value.converter.replace.null.with.default'] !== 'false',
    },
    'value',
  );
type JsonConverter = ReturnType<typeof converterOf>;

const headerConverter = jsonConverter.create({ 'schemas.enable': false }, 'value');
const out = new ByteSink();

function json(topic: string, schema: SourceRecord['keySchema'], value: unknown, converter: JsonConverter): unknown {
  out.clear();
  return converter.write(topic, schema, value, out) ? parse(Buffer.from(out.written()).toString('utf8')) : null;
}

export function asMessage(record: SourceRecord, converter: JsonConverter): Message {
  const { topic } = record;
  return {
    topic,
    headers: record.headers.map(({ key, schema, value }) => [
      key,
      typeof value === 'string' ? value : json(topic, schema, value, headerConverter),
    ]),
    key: record.keySchema === null ? null : json(topic, record.keySchema, record.key, converter),
    value: record.valueSchema === null ? null : json(topic, record.valueSchema, record.value, converter),
  };
}

function parse(text: string | null): unknown {
  if (text === null) return null;
  const keepNumbers = (_: string, value: unknown, { source }: { source: string }): unknown =>
    typeof value === 'number' ? { number: source } : value;
  return (JSON.parse as (text: string, reviver: typeof keepNumbers) => unknown)(text, keepNumbers);
}

// Different in every run.
const volatile = /\.payload\.(ts_(ms|us|ns)|source\.(ts_(ms|us|ns)|version|db|lsn|txId|sequence))$/;

/** `path: expected, found` for each place where two messages differ. */
export function differences(expected: unknown, found: unknown, path: string): string[] {
  if (volatile.test(path)) return expected === null || found === null ? compare(expected, found, path) : [];
  if (areFields(expected) && areFields(found)) return differences(byField(expected), byField(found), path);
  if (isObject(expected) && isObject(found)) {
    const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])];
    const order =
      Object.keys(expected).join() === Object.keys(found).join()
        ? []
        : compare(Object.keys(expected).join(), Object.keys(found).join(), `${path}{}`);
    if ('number' in expected || Array.isArray(expected) !== Array.isArray(found)) return compare(expected, found, path);
    return [...order, ...names.flatMap((name) => differences(expected[name], found[name], `${path}.${name}`))];
  }
  return compare(expected, found, path);
}

/** The fields of a struct's schema, which are told apart by name: one too many is one difference. */
const areFields = (value: unknown): value is { field: string }[] =>
  Array.isArray(value) && value.length > 0 && value.every((item) => isObject(item) && typeof item['field'] === 'string');
const byField = (fields: readonly { field: string }[]): Record<string, unknown> =>
  Object.fromEntries(fields.map((field) => [field.field, field]));

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function compare(expected: unknown, found: unknown, path: string): string[] {
  const [left, right] = [JSON.stringify(expected), JSON.stringify(found)];
  return left === right ? [] : [`${path}: ${left?.slice(0, 160)} | ${right?.slice(0, 160)}`];
}

export const byTopic = (messages: readonly Message[]): Map<string, Message[]> => Map.groupBy(messages, ({ topic }) => topic);
