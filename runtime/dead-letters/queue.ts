/** The letters of one connector in its dead-letter topic, in order, a batch of bytes in memory at a time. */
import type { Log } from '../ports/log.ts';
import type { LetterFilter, LetterPlace } from '../ports/dead-letters.ts';
import { belongsTo, letterOf, matches } from './letter.ts';
import type { Letter } from './letter.ts';
import { scanPartition } from './topic-scan.ts';

export interface QueueOptions {
  readonly log: Log;
  readonly clientId: string;
  readonly connector: string;
  readonly topic: string;
  readonly partitions: number;
  readonly signal: AbortSignal;
}

export interface Queue {
  /**
   * By partition, then by offset; those that match, whatever their state. `enough` hears of each letter once it was looked
   * at; it ends there where the answer is true.
   */
  find(filter: LetterFilter, after: LetterPlace | undefined, enough: (place: LetterPlace) => boolean): AsyncGenerator<Letter>;
  /** Of these places, in order, what is there (still), and is the connector's. */
  at(places: readonly LetterPlace[]): AsyncGenerator<Letter>;
}

/** Letters that lie further apart are read each by itself. */
const widestGap = 5_000n;

export function openQueue({ log, clientId, connector, topic, partitions, signal }: QueueOptions): Queue {
  const scan = (partition: number, from: bigint, to: bigint | undefined) =>
    scanPartition(log, clientId, { topic, partition }, to === undefined ? { from } : { from, to }, signal);

  return {
    async *find(filter, after, enough) {
      for (let partition = after?.partition ?? 0; partition < partitions; partition++) {
        if (filter.partition !== undefined && partition !== filter.partition) continue;
        const first = filter.fromOffset ?? 0n;
        const behind = after?.partition === partition ? after.offset + 1n : 0n;
        const to = filter.toOffset === undefined ? undefined : filter.toOffset + 1n;
        for await (const record of scan(partition, first > behind ? first : behind, to)) {
          const letter = letterOf(partition, record);
          if (belongsTo(letter, connector) && matches(letter, filter)) yield letter;
          if (enough(letter)) return;
        }
      }
    },

    async *at(places) {
      const sorted = places.filter(({ partition }) => partition < partitions).toSorted(inOrder);
      for (let first = 0; first < sorted.length;) {
        const { partition, offset: from } = sorted[first] as LetterPlace;
        const wanted = new Set<bigint>();
        let last = from;
        for (; first < sorted.length; first++) {
          const next = sorted[first] as LetterPlace;
          if (next.partition !== partition || next.offset - last > widestGap) break;
          wanted.add((last = next.offset));
        }
        for await (const record of scan(partition, from, last + 1n)) {
          if (!wanted.has(record.offset)) continue;
          const letter = letterOf(partition, record);
          if (belongsTo(letter, connector)) yield letter;
        }
      }
    },
  };
}

export function inOrder(a: LetterPlace, b: LetterPlace): number {
  return a.partition - b.partition || (a.offset < b.offset ? -1 : a.offset > b.offset ? 1 : 0);
}
