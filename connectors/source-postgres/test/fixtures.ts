/** Messages recorded from Debezium 3.3.2, and how ours are compared with them. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

import { ByteSink, DataError, Decimal } from '@millrace/runtime/api';
import type { Converter, SourceRecord, Transform } from '@millrace/runtime/api';

import jsonConverter from '../../../runtime/converters/json/json-converter.ts';
import binaryConverter from '../../../runtime/converters/binary-data-converter.ts';
import stringConverter from '../../../runtime/converters/string-converter.ts';
import { StageError } from '../../../runtime/pipeline/stage-error.ts';
import { composeChain } from '../../../runtime/pipeline/transform-chain.ts';
import { buildPipelineParts } from '../../../runtime/plugins/pipeline-parts.ts';
import { discoverPlugins } from '../../../runtime/plugins/plugin-index.ts';

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
      headers: [string, string | null][];
      key: string | null;
      value: string | null;
    };
    return { topic, headers: headers.map(([name, text]) => [name, headerValue(text)]), key: parse(key), value: parse(value) };
  });
}

const headerValue = (text: string | null): unknown => (text?.startsWith('{') === true ? parse(text) : text);

export interface Converters {
  readonly key: Converter;
  readonly value: Converter;
}

/** The converters that a recording's config names. */
export function convertersOf(config: Record<string, string>): Converters {
  const converter = (side: 'key' | 'value'): Converter => {
    if (config[`${side}.converter`]?.endsWith('StringConverter') === true) return stringConverter.create({}, side);
    if (config[`${side}.converter`]?.endsWith('BinaryDataConverter') === true) return binaryConverter.create({}, side);
    return jsonConverter.create(
      {
        'schemas.enable': config[`${side}.converter.schemas.enable`] !== 'false',
        'decimal.format': config['value.converter.decimal.format'] ?? 'BASE64',
        'replace.null.with.default': config['value.converter.replace.null.with.default'] !== 'false',
      },
      side,
    );
  };
  return { key: converter('key'), value: converter('value') };
}

/** The transforms that it names. */
export async function transformsOf(config: Record<string, string>): Promise<Transform | undefined> {
  if (config['transforms'] === undefined) return undefined;
  const { transforms } = await buildPipelineParts(
    { ...config, name: 'recording' },
    { 'key.converter': json, 'value.converter': json },
    await discoverPlugins(),
  );
  return composeChain(transforms);
}

const json = 'org.apache.kafka.connect.json.JsonConverter';

/** What leaves a chain of transforms, up to the record that it refuses: there a task ends. */
export function transformed(records: readonly SourceRecord[], chain: Transform | undefined): SourceRecord[] {
  if (chain === undefined) return [...records];
  const passed: SourceRecord[] = [];
  try {
    for (const record of records) {
      const made = chain(record);
      if (made !== null) passed.push(made);
    }
  } catch (error) {
    if (!(error instanceof StageError && error.cause instanceof DataError)) throw error;
  }
  return passed;
}

const headerConverter = jsonConverter.create({ 'schemas.enable': false }, 'value');
const out = new ByteSink();

function written(topic: string, schema: SourceRecord['keySchema'], value: unknown, converter: Converter): unknown {
  out.clear();
  return converter.write(topic, schema, value, out) ? parse(Buffer.from(out.written()).toString('utf8')) : null;
}

export function asMessage(record: SourceRecord, converters: Converters): Message {
  const { topic } = record;
  return {
    topic,
    headers: record.headers.map(({ key, schema, value }) => [
      key,
      typeof value === 'string' || value === null
        ? value
        : value instanceof Decimal
          ? String(value)
          : written(topic, schema, value, headerConverter),
    ]),
    key: record.keySchema === null ? null : written(topic, record.keySchema, record.key, converters.key),
    value: record.valueSchema === null ? null : written(topic, record.valueSchema, record.value, converters.value),
  };
}

function parse(text: string | null): unknown {
  if (text === null) return null;
  const keepNumbers = (_: string, value: unknown, { source }: { source: string }): unknown =>
    typeof value === 'number' ? { number: source } : value;
  try {
    return (JSON.parse as (text: string, reviver: typeof keepNumbers) => unknown)(text, keepNumbers);
  } catch {
    // A StringConverter wrote it.
    return text;
  }
}

// Different in every run.
const volatile =
  /\.payload\.(ts_(ms|us|ns)|source\.(ts_(ms|us|ns)|version|db|lsn|txId|sequence)|transaction\.id|__lsn|__source_ts_ms)$|(\.transaction|_tx)\[\d+\]\.(key|value)\.payload\.id$/;

/** `path: expected, found` for each place where two messages differ. */
export function differences(expected: unknown, found: unknown, path: string): string[] {
  if (volatile.test(path)) {
    if (typeof expected === 'string' && typeof found === 'string' && /(sequence|id)$/.test(path)) {
      return compare(expected.replaceAll(/\d+/g, 'N'), found.replaceAll(/\d+/g, 'N'), path);
    }
    return expected === null || found === null ? compare(expected, found, path) : [];
  }
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
  return left === right ? [] : [`${path}: ${left} | ${right}`];
}

export const byTopic = (messages: readonly Message[]): Map<string, Message[]> => Map.groupBy(messages, ({ topic }) => topic);
