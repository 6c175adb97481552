/** Dead letters as REST sees them: looked into, resubmitted, discarded; and what is kept of each in the ledger. */
import { hash } from 'node:crypto';
import type { RecordPlace, TopicPartition } from '../api/index.ts';

/** A dead letter's own place in the dead-letter topic. */
export interface LetterPlace {
  readonly partition: number;
  readonly offset: bigint;
}

/**
 * What became of a letter. `superseded`: a later record of its key stands in the partition that it came from. `failed`:
 * it could not be resubmitted; like a new one it can be tried again. `overtaken`: it went straight to its sink, whose target
 * has something later in its place.
 */
export type LetterState = 'new' | 'resubmitted' | 'superseded' | 'discarded' | 'failed' | 'overtaken';

export const letterStates: readonly LetterState[] = ['new', 'resubmitted', 'superseded', 'discarded', 'failed', 'overtaken'];

/** Where letters are resubmitted: the topic they came from, or one that the connector's sink alone reads. */
export type ResubmitTarget = 'topic' | 'sink';

export interface LetterHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** Where a resubmitted record went. */
export interface NewPlace extends TopicPartition {
  /** Left out where the process ended before it was written down. */
  readonly offset?: bigint;
}

/** What the ledger keeps of a letter that is not new. */
export interface LedgerEntry {
  readonly state: Exclude<LetterState, 'new'>;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly connector: string;
  readonly target?: ResubmitTarget;
  readonly to?: NewPlace;
  /** Key, value or headers were given anew. */
  readonly edited?: boolean;
  /** Resubmitted although it was superseded, discarded or overtaken, or although that could not be known. */
  readonly forced?: boolean;
  /** Of one that is superseded: the later record. */
  readonly by?: TopicPartition & { readonly offset: bigint };
  /** Of one that failed, or was overtaken in the target. */
  readonly error?: string;
}

export interface DeadLetter extends LetterPlace {
  /** Of the record, milliseconds since 1970. */
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** The record's own; those that tell of the failure are taken off. */
  readonly headers: readonly LetterHeader[];
  /** Where the record stood when it was refused; `offset` is -1 for a source's, which stood nowhere yet. Undefined where the letter has no context headers. */
  readonly origin: RecordPlace | undefined;
  /** What the context headers say of the failure, by their names without prefix (`stage`, `exception.message`, …). */
  readonly failure: Readonly<Record<string, string>>;
  readonly state: LetterState;
  readonly entry?: LedgerEntry;
}

/** All that is given must hold. */
export interface LetterFilter {
  readonly partition?: number;
  /** The first and the last offset, both included. */
  readonly fromOffset?: bigint;
  readonly toOffset?: bigint;
  /** Such as VALUE_CONVERTER. */
  readonly stage?: string;
  /** A part of the exception's class name. */
  readonly exception?: string;
  /** A part of its message. */
  readonly message?: string;
  /** Where the record stood. */
  readonly topic?: string;
  readonly originPartition?: number;
  readonly key?: Uint8Array;
  /** The record's timestamp, milliseconds since 1970; `since` included, `until` not. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
  readonly states?: readonly LetterState[];
}

export interface ListQuery {
  readonly filter: LetterFilter;
  readonly limit: number;
  /** Goes on behind this letter. */
  readonly after?: LetterPlace;
  /** Looks whether new letters are superseded, which costs reading the topics that they came from. */
  readonly check?: boolean;
}

export interface LetterPage {
  readonly topic: string;
  readonly letters: readonly DeadLetter[];
  /** Where to go on; undefined at the end. A page may have fewer letters than asked for, or none, and still not be the last. */
  readonly next?: LetterPlace;
}

/** What is given anew; what is left out stays as it was. */
export interface LetterEdit {
  readonly key?: Uint8Array | null;
  readonly value?: Uint8Array | null;
  /** All of them. */
  readonly headers?: readonly LetterHeader[];
}

export interface LetterChoice extends LetterPlace {
  readonly edit?: LetterEdit;
}

/** Which letters: these, or those that a filter finds, in the order of the queue. */
export type LetterSelection =
  | { readonly letters: readonly LetterChoice[] }
  | { readonly filter: LetterFilter; readonly limit: number; readonly after?: LetterPlace };

export interface ResubmitRequest {
  readonly selection: LetterSelection;
  readonly target: ResubmitTarget;
  /** Superseded, discarded and overtaken ones too. A resubmitted one is never resubmitted again. */
  readonly force: boolean;
  /** Tells what would become of each, and does nothing. */
  readonly dryRun: boolean;
}

export interface DiscardRequest {
  readonly selection: LetterSelection;
  readonly dryRun: boolean;
}

/**
 * What became of a letter that was chosen. `unchanged`: it had its end before. `held`: it was left as it is, since only force
 * would do. `missing`: it is not in the topic (any more), or another connector's.
 */
export interface LetterOutcome extends LetterPlace {
  readonly outcome: Exclude<LetterState, 'new'> | 'unchanged' | 'held' | 'missing';
  /** Of one that is unchanged or held. */
  readonly state?: LetterState;
  readonly to?: NewPlace;
  readonly by?: RecordPlace;
  readonly reason?: string;
}

export interface LetterReport {
  readonly topic: string;
  readonly outcomes: readonly LetterOutcome[];
  readonly dryRun: boolean;
  /** Where to go on; undefined once all that the selection means are done. */
  readonly next?: LetterPlace;
}

/** Every method rejects with a RequestError, or with a ForwardError where the leader has to answer. */
export interface DeadLetters {
  list(connector: string, query: ListQuery): Promise<LetterPage>;
  get(connector: string, place: LetterPlace): Promise<DeadLetter>;
  /** Each letter is resubmitted once at most, whoever asks, however often, and whatever is killed meanwhile. */
  resubmit(connector: string, request: ResubmitRequest): Promise<LetterReport>;
  discard(connector: string, request: DiscardRequest): Promise<LetterReport>;
}

/** What headers begin with that tell of a failure, Connect's and ours. */
export const failurePrefixes: readonly string[] = ['__connect.errors.', '__millrace.errors.'];

/** Headers of a record on its way through a resubmission topic: where it stood first, and the key of its letter in the ledger. */
export const resubmittedHeaders = {
  topic: '__millrace.resubmitted.topic',
  partition: '__millrace.resubmitted.partition',
  offset: '__millrace.resubmitted.offset',
  letter: '__millrace.resubmitted.letter',
} as const;

/** Undefined where the headers do not say so. */
export function firstPlaceOf(headers: readonly LetterHeader[]): RecordPlace | undefined {
  const { topic, partition, offset } = resubmittedHeaders;
  const text = (name: string): string => {
    const value = headers.find(({ key }) => key === name)?.value ?? null;
    return value === null ? '' : Buffer.from(value).toString();
  };
  if (text(topic) === '' || !/^\d{1,9}$/.test(text(partition)) || !/^-?\d{1,18}$/.test(text(offset))) return undefined;
  return { topic: text(topic), partition: Number(text(partition)), offset: BigInt(text(offset)) };
}

/** The topic that only the sink of this consumer group reads beside its own. What no topic's name may hold is replaced. */
export function resubmissionTopic(groupId: string): string {
  const name = groupId.replace(/[^\w.-]/g, '_').slice(0, 200);
  return name === groupId ? `${name}-resubmitted` : `${name}-${hash('sha256', groupId, 'hex').slice(0, 8)}-resubmitted`;
}

export const ledgerTopic = (deadLetterTopic: string): string => `${deadLetterTopic}-ledger`;
