/** Reads what became of the letters of one topic: the compacted topic beside it, of one partition. */
import type { Log } from '../ports/log.ts';
import { ledgerTopic } from '../ports/dead-letters.ts';
import type { LedgerEntry, LetterPlace, NewPlace } from '../ports/dead-letters.ts';
import { decodeEntry, decodeKey, decodeNoteKey } from './ledger-entry.ts';
import type { LedgerKey } from './ledger-entry.ts';
import { nameOf } from './letter.ts';
import { LetterStates } from './letter-states.ts';
import { scanPartition } from './topic-scan.ts';

export interface LedgerOptions {
  readonly log: Log;
  readonly clientId: string;
  /** The dead-letter topic, and its id. */
  readonly topic: string;
  readonly topicId: string;
  readonly signal: AbortSignal;
}

/** `key`: its bytes, a view; `value` null: there is nothing left of it. */
export type SeeRecord = (letter: LedgerKey, key: Buffer, value: Buffer | null) => void;

export interface Ledger {
  /** Of all letters, as committed by now. One pass over the ledger, and another where sinks left notes in it. `see` is told of each record of ours. */
  states(see?: SeeRecord): Promise<LetterStates>;
  /** The entries of these letters, by {@link nameOf}. */
  entries(states: LetterStates, letters: readonly LetterPlace[]): Promise<ReadonlyMap<string, LedgerEntry>>;
}

export function openLedger({ log, clientId, topic, topicId, signal }: LedgerOptions): Ledger {
  const place = { topic: ledgerTopic(topic), partition: 0 };

  return {
    async states(see) {
      const states = new LetterStates();
      const [found] = await log.describeTopics([place.topic]);
      if (found === undefined) return states;
      const notes: Note[] = [];
      for await (const { key, value, offset } of scanPartition(log, clientId, place, { from: 0n }, signal)) {
        const noted = decodeNoteKey(key);
        const letter = noted ?? decodeKey(key);
        if (letter === undefined) continue;
        see?.(letter, key as Buffer, value);
        if (letter.topic !== topic || letter.topicId !== topicId) continue;
        const entry = decodeEntry(value);
        if (noted === undefined) states.set(letter, entry?.state ?? 'new', offset);
        else if (entry?.to !== undefined) notes.push({ letter, of: entry.to, offset });
      }
      await apply(notes, states);
      return states;
    },
    entries,
  };

  /** A note counts for the resubmission that it is of: the letter may have been resubmitted again, or discarded. */
  async function apply(notes: readonly Note[], states: LetterStates): Promise<void> {
    const maybe = notes.filter(({ letter }) => states.state(letter) === 'resubmitted');
    if (maybe.length === 0) return;
    const found = await entries(
      states,
      maybe.map(({ letter }) => letter),
    );
    // In the order of the ledger: the last one is the one that compaction leaves.
    for (const { letter, of, offset } of maybe) {
      const { target, to } = found.get(nameOf(letter)) ?? {};
      if (target !== 'sink' || to?.topic !== of.topic || to.partition !== of.partition) continue;
      // Without its offset the process ended before that was written down.
      if (to.offset === undefined || to.offset === of.offset) states.set(letter, 'overtaken', offset);
    }
  }

  async function entries(states: LetterStates, letters: readonly LetterPlace[]): Promise<ReadonlyMap<string, LedgerEntry>> {
    const entries = new Map<string, LedgerEntry>();
    const wanted = new Map<bigint, string>();
    for (const letter of letters) {
      const at = states.ledgerOffset(letter);
      if (at !== undefined) wanted.set(at, nameOf(letter));
    }
    if (wanted.size === 0) return entries;
    const offsets = [...wanted.keys()].toSorted((a, b) => (a < b ? -1 : 1));
    const range = { from: offsets[0] as bigint, to: (offsets.at(-1) as bigint) + 1n };
    for await (const { offset, value } of scanPartition(log, clientId, place, range, signal)) {
      const name = wanted.get(offset);
      const entry = name === undefined ? undefined : decodeEntry(value);
      if (name !== undefined && entry !== undefined) entries.set(name, entry);
    }
    return entries;
  }
}

/** A sink's, of a letter that was resubmitted straight to it. */
interface Note {
  readonly letter: LetterPlace;
  readonly of: NewPlace;
  readonly offset: bigint;
}
