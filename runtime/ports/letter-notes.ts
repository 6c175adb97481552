/**
 * What a sink says of a dead letter that was resubmitted straight to it, as it stands in the ledger: beside the letter's own
 * entry, under a key of its own. The one who resubmits writes the entry, the sink's task the note, and neither waits for the
 * other: a sink that reads uncommitted records may be done before the entry is there.
 */
import type { TopicPartition } from '../api/index.ts';
import { ledgerTopic, resubmittedHeaders } from './dead-letters.ts';
import type { LedgerEntry, LetterHeader } from './dead-letters.ts';

/** Where a record stands in the resubmission topic: it tells which resubmission a note is of. */
export interface ResubmittedAt extends TopicPartition {
  readonly offset: bigint;
}

export interface LetterNote {
  /** The ledger. */
  readonly topic: string;
  readonly key: Buffer;
  readonly value: Buffer;
}

const mark = ',"in":"target"}';

/** The note's key, of that of the letter's entry. */
export const noteKey = (letterKey: string): string => `${letterKey.slice(0, -1)}${mark}`;

/** The key of the letter's entry; undefined for what is no note's. */
export const letterKeyOf = (key: string): string | undefined => (key.endsWith(mark) ? `${key.slice(0, -mark.length)}}` : undefined);

/** Undefined where the record's headers do not name its letter: it was resubmitted by an earlier version. */
export function overtakenNote(
  headers: readonly LetterHeader[],
  at: ResubmittedAt,
  connector: string,
  reason: string,
): LetterNote | undefined {
  const value = headers.find(({ key }) => key === resubmittedHeaders.letter)?.value ?? null;
  if (value === null) return undefined;
  const letterKey = Buffer.from(value).toString();
  const topic = topicIn(letterKey);
  if (topic === undefined) return undefined;
  const entry: LedgerEntry = { state: 'overtaken', atMs: Date.now(), connector, target: 'sink', to: at, error: reason };
  const text = JSON.stringify(entry, (_key, each: unknown) => (typeof each === 'bigint' ? String(each) : each));
  return { topic: ledgerTopic(topic), key: Buffer.from(noteKey(letterKey)), value: Buffer.from(text) };
}

function topicIn(letterKey: string): string | undefined {
  try {
    const { topic } = JSON.parse(letterKey) as { readonly topic?: unknown };
    return typeof topic === 'string' ? topic : undefined;
  } catch {
    return undefined;
  }
}
