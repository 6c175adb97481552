/**
 * The text of docs/worker-settings.md, made from the table of keys. Run as a program, it writes the file:
 * `node runtime/settings/worker-settings-doc.ts`.
 */
import { writeFileSync } from 'node:fs';

import { connectionKeys, prefixedKeys } from './client-keys.ts';
import { keyFamilies } from './key-table.ts';
import type { WorkerKey, WorkerKeys } from './worker-key.ts';
import { commonKeys, distributedKeys, ownKeys } from './worker-keys.ts';

export const workerSettingsFile = new URL('../../docs/worker-settings.md', import.meta.url);

export function workerSettingsDoc(): string {
  const only = (keys: WorkerKeys): WorkerKeys =>
    Object.fromEntries(Object.entries(keys).filter(([name]) => !Object.hasOwn(connectionKeys, name)));
  return `# Worker settings

A worker file is Kafka Connect's own: Java's \`.properties\`, or the same keys in one JSON object. Every key that
Kafka Connect 4.1 knows is accepted. This page is made from the table that the worker checks the file against
(\`runtime/settings/\`); a test compares them.

| what becomes of a key | |
| --- | --- |
| used | the worker acts on it |
| Kafka | handed to the Kafka client, which acts on it; without effect on the embedded log |
| distributed | has effect in a distributed worker only (\`config.storage.*\`, \`offset.storage.*\` and \`status.storage.*\` also on the embedded log) |
| ignored | accepted; the worker starts, and warns by name |
| refused | security or delivery hang on it: the worker does not start |

A key that nobody knows is warned about by name.

## The worker

${table(commonKeys)}
## Ours

${table(ownKeys)}
## Distributed workers

${table(distributedKeys)}
## Families

${table(Object.fromEntries(keyFamilies.map(({ prefix, key }) => [`${prefix}*`, key])))}
## How brokers are reached

At the top of the file, or with \`producer.\`, \`consumer.\` or \`admin.\` before them, for one kind of client.

${table(connectionKeys)}
## \`producer.\`

With this prefix in a worker file, with \`producer.override.\` in a connector's config; so for the other two.

${table(only(prefixedKeys.producer))}
## \`consumer.\`

${table(only(prefixedKeys.consumer))}
## \`admin.\`

${table(only(prefixedKeys.admin))}`;
}

function table(keys: WorkerKeys): string {
  const rows = Object.entries(keys).map(([name, key]) => `| \`${name}\` | ${stateOf(key)} | ${defaultOf(key)} | ${docOf(key)} |\n`);
  return `| key | | default | |\n| --- | --- | --- | --- |\n${rows.join('')}`;
}

const stateOf = (key: WorkerKey): string => (key.state === 'kafka' ? 'Kafka' : key.state);

function defaultOf(key: WorkerKey): string {
  if (key.default === undefined) return 'required';
  return key.default === null || key.default === '' ? '' : `\`${key.default}\``;
}

function docOf(key: WorkerKey): string {
  const values = key.values ? ` One of ${key.values.map((value) => `\`${value}\``).join(', ')}.` : '';
  const harmless = key.harmless?.filter((value) => value !== '') ?? [];
  const except = harmless.length > 0 ? ` (Nothing is said of \`${harmless[0]}\`.)` : '';
  return `${key.doc}${values}${key.why ? ` ${key.why}` : ''}${except}`.replaceAll('|', '\\|');
}

if (import.meta.main) writeFileSync(workerSettingsFile, workerSettingsDoc());
