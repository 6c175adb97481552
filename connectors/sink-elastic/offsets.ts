/** What offsets that a person sets mean for documents that are there already. */
import { ConfigError, ConnectError, Secret } from '@millrace/runtime/api';
import type { ConfigKey, Logger, RawConfig, TopicPartition } from '@millrace/runtime/api';

import { createClient } from './client.ts';
import { config } from './config.ts';
import type { Config } from './config.ts';
import { indicesOf, nextEpoch } from './epochs.ts';
import { retriedRequests } from './requests.ts';
import { resourceNames } from './resource-names.ts';
import { hasEpochs } from './resources.ts';
import { readSettings } from './settings.ts';

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Records that are read again are to be written again: their versions begin anew. Rejects with a ConnectError where that cannot be brought about. */
export async function offsetsAltered(raw: RawConfig, offsets: readonly TopicPartition[]): Promise<void> {
  const values = parsed(raw);
  const settings = readSettings(values, raw);
  // Transforms may have renamed topics, and key.ignore goes by the new name: then only the indices themselves tell.
  const isRenamed = raw['transforms'] !== undefined;
  const topics = [...new Set(offsets.map(({ topic }) => topic))].filter((topic) => isRenamed || hasEpochs(settings, topic));
  if (topics.length === 0) return;
  const nameOf = resourceNames(values, settings.dataStream, settings.external);
  await using client = await createClient(values);
  const requests = retriedRequests(client, { maxRetries: 2, backoffMs: values['retry.backoff.ms'] });
  try {
    for (const topic of topics) {
      const found = isRenamed ? await indicesOf(requests, topic) : undefined;
      const names = hasEpochs(settings, topic) ? namesOf(nameOf, topic) : [];
      for (const index of new Set([...names, ...(found ?? [])])) await nextEpoch(requests, index, topic, silent);
    }
  } catch (cause) {
    throw new ConnectError(`Elasticsearch could not be told that offsets were altered: ${(cause as Error).message}`, {
      cause,
      hint: 'Without that, records that are read again would not replace their documents. Try again when Elasticsearch answers.',
    });
  }
}

/** None for a topic that is not mapped: nothing of it was ever written. */
function namesOf(nameOf: (topic: string) => string, topic: string): string[] {
  try {
    return [nameOf(topic)];
  } catch (error) {
    if (error instanceof ConfigError) return [];
    throw error;
  }
}

/** The config of a connector that is there, and so was found right when it was made. */
function parsed(raw: RawConfig): Config {
  const value = (name: string, { type, default: fallback }: ConfigKey): unknown => {
    const text = raw[name]?.trim();
    if (text === undefined) return fallback ?? null;
    if (type === 'boolean') return text.toLowerCase() === 'true';
    if (type === 'int' || type === 'long') return Number(text);
    if (type === 'list') return text === '' ? [] : text.split(/\s*,\s*/);
    return type === 'password' ? new Secret(text) : text;
  };
  return Object.fromEntries(Object.entries(config).map(([name, key]) => [name, value(name, key)])) as unknown as Config;
}
