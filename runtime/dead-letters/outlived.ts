/** Ledger entries that have outlived their letters: those are deleted from the dead-letter topic, and never come again. */
import type { Log, OutboundBatch } from '../ports/log.ts';
import { ledgerTopic } from '../ports/dead-letters.ts';
import { decodeEntry } from './ledger-entry.ts';
import type { SeeRecord } from './ledger.ts';
import type { LedgerWriter } from './ledger-writer.ts';
import { createOutgoing } from './outgoing.ts';

export interface OutlivedOptions {
  readonly log: Log;
  /** The dead-letter topic, and its id. */
  readonly topic: string;
  readonly topicId: string;
  readonly partitions: number;
}

export interface Outlived {
  /** For a pass over the ledger. */
  readonly see: SeeRecord;
  /** Deletes what was seen. Resolves with how many. */
  bury(writer: LedgerWriter): Promise<number>;
}

/** So many in one request: the next has the others. */
const mostKeys = 20_000;
const batchBytes = 512 * 1024;
/**
 * Entries of a topic that was made anew since go when they are so old: until then it may be this look at the topic's id that is
 * out of date, and not they.
 */
const certainAfterMs = 24 * 3_600_000;

/** Letters below the first offset of their partition are gone: offsets only grow while a topic has the same id. */
export async function outlivedEntries({ log, topic, topicId, partitions }: OutlivedOptions): Promise<Outlived> {
  const places = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  const first = new Map((await log.offsetsAt(places, 'earliest')).map(({ partition, offset }) => [partition, offset]));
  /** Keys, by their text. */
  const found = new Set<string>();

  function isOutlived(letter: Parameters<SeeRecord>[0], value: Buffer | null): boolean {
    if (letter.topic !== topic) return false;
    if (letter.topicId === topicId) return letter.offset < (first.get(letter.partition) ?? 0n);
    if (topicId === '' || letter.topicId === '') return false;
    return Date.now() - (decodeEntry(value)?.atMs ?? Infinity) > certainAfterMs;
  }

  return {
    see(letter, key, value) {
      if (value === null) found.delete(key.toString());
      else if (found.size < mostKeys && isOutlived(letter, value)) found.add(key.toString());
    },
    async bury(writer) {
      if (found.size === 0) return 0;
      const tombstones = createOutgoing();
      const timestampMs = Date.now();
      for (const key of found) {
        const record = { topic: ledgerTopic(topic), partition: 0, key: Buffer.from(key), value: null, headers: [], timestampMs };
        tombstones.add(record, batchBytes);
      }
      const batches: readonly OutboundBatch[] = tombstones.finish();
      await writer.write([], () => batches);
      return found.size;
    },
  };
}
