/** Finds out what a key of a worker file is. */
import { connectionKeys, prefixedKeys } from './client-keys.ts';
import type { ClientKind } from './client-keys.ts';
import { ignored, used } from './worker-key.ts';
import type { WorkerKey, WorkerKeys } from './worker-key.ts';
import { commonKeys, distributedKeys, ownKeys } from './worker-keys.ts';

export const topLevelKeys: WorkerKeys = { ...commonKeys, ...distributedKeys, ...ownKeys, ...connectionKeys };

const metricsKeys = /^metrics\.context\./;

const listenerPrefixes: Readonly<Record<string, string>> = {
  'listeners.https.': 'listeners, and of calls to other workers',
  'admin.listeners.https.': 'admin listeners',
};

/** Families of keys: everything that begins so. */
export const keyFamilies: readonly { readonly prefix: string; readonly key: WorkerKey }[] = [
  ...['key.converter.', 'value.converter.', 'header.converter.'].map((prefix) => ({
    prefix,
    key: used('string', null, 'Setting of that converter.'),
  })),
  { prefix: 'config.providers.', key: used('string', null, '`NAME.class` and `NAME.param.*` of each provider.') },
  ...Object.entries(listenerPrefixes).map(([prefix, which]) => ({
    prefix,
    key: used('string', null, `The \`ssl.*\` keys of https ${which}; where one is set, those without the prefix do not count there.`),
  })),
  ...['config.storage.', 'offset.storage.', 'status.storage.'].map((prefix) => ({
    prefix,
    key: {
      ...used('string', null, 'Topic setting of that topic where it is created, such as `min.insync.replicas`.'),
      state: 'distributed' as const,
    },
  })),
];

const clientKinds: readonly ClientKind[] = ['producer', 'consumer', 'admin'];

/** The key's entry; undefined for one that nobody knows. */
export function findKey(name: string): WorkerKey | undefined {
  if (Object.hasOwn(topLevelKeys, name)) return topLevelKeys[name];
  const listener = Object.keys(listenerPrefixes).find((prefix) => name.startsWith(prefix));
  if (listener !== undefined) return listenerKey(name.slice(listener.length));
  for (const kind of clientKinds) {
    if (!name.startsWith(`${kind}.`)) continue;
    const keys = prefixedKeys[kind];
    const rest = name.slice(kind.length + 1);
    return Object.hasOwn(keys, rest) ? keys[rest] : undefined;
  }
  const family = keyFamilies.find(({ prefix }) => name.startsWith(prefix));
  if (family !== undefined) return family.key;
  return metricsKeys.test(name) ? ignored('A label of metrics.', 'Labels are Prometheus’ to add.') : undefined;
}

/** Java's TLS keys mean the same there as for the Kafka client. */
function listenerKey(name: string): WorkerKey | undefined {
  const key = name.startsWith('ssl.') ? topLevelKeys[name] : undefined;
  return key?.state === 'kafka' ? { ...key, state: 'used' } : key;
}
