/** A record of a dead-letter topic, read as a letter. Sources: KIP-298, org.apache.kafka.connect.runtime.errors.DeadLetterQueueReporter. */
import type { RecordPlace } from '../api/index.ts';
import type { RawHeader, RawRecord } from '../batch/record-reader.ts';
import { failurePrefixes, firstPlaceOf, resubmittedHeaders } from '../ports/dead-letters.ts';
import type { LetterFilter, LetterPlace, LetterState } from '../ports/dead-letters.ts';

export interface Letter extends LetterPlace {
  readonly record: RawRecord;
  readonly origin: RecordPlace | undefined;
  readonly failure: Readonly<Record<string, string>>;
}

const ours = new Set<string>(Object.values(resubmittedHeaders));

export function letterOf(partition: number, record: RawRecord): Letter {
  const failure: Record<string, string> = {};
  for (const { key, value } of record.headers) {
    const prefix = failurePrefixes.find((each) => key.startsWith(each));
    if (prefix !== undefined) failure[key.slice(prefix.length)] ??= value?.toString() ?? '';
  }
  // One that died again in the resubmission topic came from where it stood first.
  const origin = firstPlaceOf(record.headers) ?? placeOf(failure['topic'], failure['partition'], failure['offset']);
  return { partition, offset: record.offset, record, origin, failure };
}

/** The record's own headers: those that another failure would have to say anew are taken off. */
export function ownHeaders(headers: readonly RawHeader[]): readonly RawHeader[] {
  const isOwn = ({ key }: RawHeader): boolean => !ours.has(key) && !failurePrefixes.some((prefix) => key.startsWith(prefix));
  return headers.every(isOwn) ? headers : headers.filter(isOwn);
}

function placeOf(topic: string | undefined, partition: string | undefined, offset: string | undefined): RecordPlace | undefined {
  if (topic === undefined || topic === '') return undefined;
  const at = /^\d{1,9}$/.test(partition ?? '') ? Number(partition) : 0;
  return { topic, partition: at, offset: /^\d{1,18}$/.test(offset ?? '') ? BigInt(offset as string) : -1n };
}

/** Of a record that a source polled: its letter holds it as text, not as the bytes of any topic. */
export const isOfSource = ({ origin }: Letter): boolean => origin !== undefined && origin.offset < 0n;

/** Several connectors may share a topic; a letter that does not say whose it is may be anybody's. */
export const belongsTo = ({ failure }: Letter, connector: string): boolean => (failure['connector.name'] ?? connector) === connector;

/** Everything but the state, which the ledger knows. */
export function matches(letter: Letter, filter: LetterFilter): boolean {
  const { record, origin, failure, offset, partition } = letter;
  if (filter.partition !== undefined && partition !== filter.partition) return false;
  if (filter.fromOffset !== undefined && offset < filter.fromOffset) return false;
  if (filter.toOffset !== undefined && offset > filter.toOffset) return false;
  if (filter.stage !== undefined && failure['stage']?.toUpperCase() !== filter.stage.toUpperCase()) return false;
  if (filter.exception !== undefined && failure['exception.class.name']?.includes(filter.exception) !== true) return false;
  if (filter.message !== undefined && failure['exception.message']?.includes(filter.message) !== true) return false;
  if (filter.topic !== undefined && origin?.topic !== filter.topic) return false;
  if (filter.originPartition !== undefined && origin?.partition !== filter.originPartition) return false;
  if (filter.key !== undefined && (record.key === null || !record.key.equals(filter.key))) return false;
  if (filter.sinceMs !== undefined && record.timestamp < filter.sinceMs) return false;
  return filter.untilMs === undefined || record.timestamp < filter.untilMs;
}

export const hasState = ({ states }: LetterFilter, state: LetterState): boolean => states === undefined || states.includes(state);

export const nameOf = ({ partition, offset }: LetterPlace): string => `${partition}:${offset}`;
