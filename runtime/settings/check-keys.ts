/** Holds a worker file against the table of keys. */
import { ConfigError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';
import { findKey, topLevelKeys } from './key-table.ts';
import { sharesTls } from './rest-settings.ts';
import type { WorkerKey } from './worker-key.ts';
import type { WorkerMode } from './worker-settings.ts';

/** The warnings. Throws a ConfigError for the first key that is refused. */
export function checkKeys(config: RawConfig, mode: WorkerMode, embedded: boolean): readonly string[] {
  const warnings: string[] = [];
  for (const [name, value] of Object.entries(config)) {
    const key = findKey(name);
    const shared = name.startsWith('ssl.') && sharesTls(config);
    const warning = key === undefined ? unknown(name) : judge(name, value, key, mode, embedded && !shared);
    if (warning !== undefined) warnings.push(warning);
  }
  return warnings;
}

function judge(name: string, value: string, key: WorkerKey, mode: WorkerMode, embedded: boolean): string | undefined {
  if (key.harmless?.includes(value.trim())) return undefined;
  switch (key.state) {
    case 'used':
      if (embedded && name === 'offset.storage.file.filename') {
        return `${name} has no effect on the embedded log: source offsets are in the log, written together with their records.`;
      }
      return undefined;
    case 'kafka':
      return embedded ? `${name} has no effect on the embedded log.` : undefined;
    case 'distributed': {
      if (mode === 'distributed') return undefined;
      const usedHere = embedded && /^(config|offset|status)\.storage\./.test(name) && !name.endsWith('.replication.factor');
      return usedHere ? undefined : `${name} has no effect on a standalone worker. ${key.why ?? ''}`.trim();
    }
    case 'ignored':
      return `${name} has no effect. ${key.why ?? ''}`.trim();
    case 'refused':
      if (value.trim() === '') return undefined;
      throw new ConfigError(`${name}: cannot be honoured. ${key.why ?? ''}`.trim());
  }
}

function unknown(name: string): string {
  const near = Object.keys(topLevelKeys).find((known) => distance(known, name) <= 2);
  return `${name} is unknown, to Kafka Connect too.${near === undefined ? '' : ` Is ${near} meant?`}`;
}

/** Levenshtein's, in one row. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
