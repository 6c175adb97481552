import { randomUUID } from 'node:crypto';
import type { Logger } from '../../api/index.ts';
import { readRecords } from '../../batch/record-reader.ts';
import type { Log } from '../../ports/log.ts';

export type OpenLog = () => Promise<Log>;

export const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Warnings and errors. */
export function collecting(): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const line = (text: string): void => void lines.push(text);
  return { logger: { debug() {}, info() {}, warn: line, error: line }, lines };
}

/** For stores on a topic of its own. */
export const optionsOf = (log: Log, what: string) => ({
  log,
  topic: `${what}-${randomUUID().slice(0, 8)}`,
  replicationFactor: 1,
  clientId: 'stores-test',
  logger: quiet,
});

/** `key value` of each record of a partition. */
export async function textOf(log: Log, topic: string, partition: number): Promise<string[]> {
  const [end] = await log.offsetsAt([{ topic, partition }], 'latest');
  await using reader = await log.openReader({ clientId: 'stores-test-reader' });
  reader.assign([{ topic, partition, offset: 0n }]);
  const found: string[] = [];
  for (let at = 0n; at < (end?.offset ?? 0n);) {
    for (const run of await reader.fetch({ maxWaitMs: 500, maxBytes: 1 << 20 })) {
      for (const { key, value } of readRecords(Buffer.from(run.buffer), run.length, run.position)) found.push(`${key} ${value}`);
      at = run.nextPosition;
    }
  }
  return found;
}
