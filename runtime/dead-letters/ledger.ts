/** Reads what became of the letters of one topic: the compacted topic beside it, of one partition. */
import type { Log } from '../ports/log.ts';
import { ledgerTopic } from '../ports/dead-letters.ts';
import type { LedgerEntry, LetterPlace } from '../ports/dead-letters.ts';
import { decodeEntry, decodeKey } from './ledger-entry.ts';
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

export interface Ledger {
  /** Of all letters, as committed by now. One pass over the ledger. */
  states(): Promise<LetterStates>;
  /** The entries of these letters, by {@link nameOf}. */
  entries(states: LetterStates, letters: readonly LetterPlace[]): Promise<ReadonlyMap<string, LedgerEntry>>;
}

export function openLedger({ log, clientId, topic, topicId, signal }: LedgerOptions): Ledger {
  const place = { topic: ledgerTopic(topic), partition: 0 };

  return {
    async states() {
      const states = new LetterStates();
      const [found] = await log.describeTopics([place.topic]);
      if (found === undefined) return states;
      for await (const { key, value, offset } of scanPartition(log, clientId, place, { from: 0n }, signal)) {
        const letter = decodeKey(key);
        if (letter === undefined || letter.topic !== topic || letter.topicId !== topicId) continue;
        states.set(letter, decodeEntry(value)?.state ?? 'new', offset);
      }
      return states;
    },

    async entries(states, letters) {
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
    },
  };
}
