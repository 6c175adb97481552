/**
 * What stands in the ledger: JSON, so that any consumer can read it. The key is the letter's own place, with the id of its topic,
 * so that the letters of a topic that was made anew are not taken for those of the earlier one.
 */
import type { LedgerEntry, LetterPlace, LetterState } from '../ports/dead-letters.ts';
import { letterKeyOf } from '../ports/letter-notes.ts';

export interface LedgerKey extends LetterPlace {
  readonly topic: string;
  /** Empty where the log has no ids. */
  readonly topicId: string;
}

export function encodeKey({ topic, topicId, partition, offset }: LedgerKey): Buffer {
  return Buffer.from(`{"topic":${JSON.stringify(topic)},"topicId":${JSON.stringify(topicId)},"partition":${partition},"offset":${offset}}`);
}

/** Undefined for what is no key of ours. */
export function decodeKey(bytes: Uint8Array | null): LedgerKey | undefined {
  const [, topic, topicId, partition, offset] =
    /^\{"topic":("(?:[^"\\]|\\.)*"),"topicId":("(?:[^"\\]|\\.)*"),"partition":(\d+),"offset":(\d+)\}$/.exec(
      bytes === null ? '' : Buffer.from(bytes).toString(),
    ) ?? [];
  if (topic === undefined || topicId === undefined || partition === undefined || offset === undefined) return undefined;
  return {
    topic: JSON.parse(topic) as string,
    topicId: JSON.parse(topicId) as string,
    partition: Number(partition),
    offset: BigInt(offset),
  };
}

/** Of a sink's note beside the letter's entry; undefined for what is none. */
export function decodeNoteKey(bytes: Uint8Array | null): LedgerKey | undefined {
  const key = bytes === null ? undefined : letterKeyOf(Buffer.from(bytes).toString());
  return key === undefined ? undefined : decodeKey(Buffer.from(key));
}

// Offsets as texts: JSON's readers elsewhere would round them.
export function encodeEntry(entry: LedgerEntry): Buffer {
  return Buffer.from(JSON.stringify(entry, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)));
}

const kept = new Set<LetterState>(['resubmitted', 'superseded', 'discarded', 'failed', 'overtaken']);

/** Undefined for what is no entry of ours. */
export function decodeEntry(bytes: Uint8Array | null): LedgerEntry | undefined {
  if (bytes === null) return undefined;
  let entry: unknown;
  try {
    entry = JSON.parse(Buffer.from(bytes).toString(), (key, value: unknown) =>
      key === 'offset' && typeof value === 'string' && /^-?\d+$/.test(value) ? BigInt(value) : value,
    );
  } catch {
    return undefined;
  }
  const state = (entry as { state?: LetterState } | null)?.state;
  return state !== undefined && kept.has(state) ? (entry as LedgerEntry) : undefined;
}
