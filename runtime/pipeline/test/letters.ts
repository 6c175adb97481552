/** For tests: dead letters of a task, and what is in batches. */
import { DataError } from '../../api/index.ts';
import { readRecords } from '../../batch/record-reader.ts';
import type { RawHeader } from '../../batch/record-reader.ts';
import type { OutboundBatch } from '../../ports/log.ts';
import type { DeadLetterSettings } from '../dead-letter.ts';
import type { DeadLetterTopic } from '../dead-letter-topic.ts';
import type { SinkPlace } from '../error-policy.ts';
import { StageError } from '../stage-error.ts';

export const letterSettings: DeadLetterSettings = { topic: 'dlq', replicationFactor: 1, contextHeaders: true, connector: 'c', task: 3 };
export const letterTopic: DeadLetterTopic = { name: 'dlq', partitions: 1, maxBatchBytes: 1_000_000 };
export const failure = new StageError('VALUE_CONVERTER', new DataError('bad bytes'), 'v.Converter');

export function placeAt(
  offset: number,
  value: string | Buffer = `v${offset}`,
  extra: Partial<{ topic: string; partition: number; key: string; headers: RawHeader[] }> = {},
): SinkPlace {
  const { topic = 't', partition = 0, key, headers = [] } = extra;
  const timestamp = 1000 + offset;
  const raw = {
    offset: BigInt(offset),
    timestamp,
    timestampType: 'CreateTime' as const,
    key: key === undefined ? null : Buffer.from(key),
    value: Buffer.from(value),
    headers,
  };
  return { topic, partition, offset: BigInt(offset), timestamp, timestampType: 'CreateTime', raw };
}

export interface ReadLetter {
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
  readonly headers: Readonly<Record<string, string | null>>;
}

export function lettersOf(batches: readonly OutboundBatch[]): ReadLetter[] {
  return batches.flatMap(({ buffer, length }) =>
    [...readRecords(Buffer.from(buffer), length, 0n)].map(({ key, value, timestamp, headers }) => ({
      key: key?.toString() ?? null,
      value: value?.toString() ?? null,
      timestamp,
      headers: Object.fromEntries(headers.map((header) => [header.key, header.value?.toString() ?? null])),
    })),
  );
}
