import { crc32c } from '@platformatic/wasm-utils';
import { setImmediate } from 'node:timers/promises';

import { ConnectError, RetriableError } from '../api/index.ts';
import type { PartitionOffset, TopicPartition } from '../api/index.ts';
import { batchHeaders, crcMatches } from '../batch/batch-header.ts';
import type { FetchedRun, FetchLimits } from '../ports/log.ts';
import type { BatchStore, ReadRoom } from './batch-store.ts';
import type { Catalog, Partition } from './catalog.ts';

/** What is done about a position that the log does not have: fail, or go to one that it has. */
export type OutOfRange = 'reject' | 'earliest' | 'latest';

export interface Cursor {
  position: bigint;
  paused: boolean;
}

export const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** Positions in some partitions, and reading from there. What readers and group members have in common. */
export class PartitionCursors {
  readonly #catalog: Catalog;
  readonly #store: BatchStore;
  readonly #outOfRange: OutOfRange;
  readonly #checkCrcs: boolean;
  readonly #cursors = new Map<string, Cursor & TopicPartition>();

  constructor(catalog: Catalog, store: BatchStore, options: { outOfRange: OutOfRange; checkCrcs: boolean }) {
    this.#catalog = catalog;
    this.#store = store;
    this.#outOfRange = options.outOfRange;
    this.#checkCrcs = options.checkCrcs;
  }

  /** Replaces all. */
  assign(positions: readonly PartitionOffset[]): void {
    this.#cursors.clear();
    for (const { topic, partition, offset } of positions) {
      this.#cursors.set(nameOf({ topic, partition }), { topic, partition, position: offset, paused: false });
    }
  }

  get(partition: TopicPartition): Cursor | undefined {
    return this.#cursors.get(nameOf(partition));
  }

  /** Whether {@link read} has something to say: batches, or an error. */
  isReady(): boolean {
    for (const cursor of this.#cursors.values()) {
      if (cursor.paused) continue;
      const found = this.#catalog.find(cursor);
      if (found === undefined) {
        if (this.#outOfRange === 'reject') return true;
      } else if (cursor.position !== found.nextOffset) return true;
    }
    return false;
  }

  /**
   * The next runs, within `maxBytes`; after each call another partition comes first. Gives the event loop a turn,
   * so that a reader that never waits does not keep the writer from writing.
   */
  async read(limits: FetchLimits): Promise<FetchedRun[]> {
    await setImmediate();
    const runs: FetchedRun[] = [];
    let room = limits.maxBytes;
    for (const [name, cursor] of [...this.#cursors]) {
      if (cursor.paused) continue;
      const run = this.#readOne(cursor, { maxBytes: room, atLeastOne: runs.length === 0 }, runs);
      if (run === 'stop') break;
      if (run === undefined) continue;
      runs.push(run);
      room -= run.length;
      cursor.position = run.nextPosition;
      // To the end of the line.
      this.#cursors.delete(name);
      this.#cursors.set(name, cursor);
    }
    return runs;
  }

  /** 'stop': there is no room, or an error, which the next call gets: the runs so far must not be lost. */
  #readOne(cursor: Cursor & TopicPartition, room: ReadRoom, before: readonly FetchedRun[]): FetchedRun | 'stop' | undefined {
    try {
      const found = this.#outOfRange === 'reject' ? this.#catalog.partition(cursor) : this.#catalog.find(cursor);
      if (found === undefined) return undefined;
      this.#intoRange(cursor, found);
      const { position, topic, partition } = cursor;
      const { nextOffset } = found;
      if (position === nextOffset) return undefined;
      const stored = this.#store.read(found, position, room);
      if (stored === 'no room') return 'stop';
      const about = { topic, partition, position };
      if (stored === undefined)
        return { ...about, buffer: new ArrayBuffer(0), length: 0, nextPosition: nextOffset, highWatermark: nextOffset };
      const { buffer, length, lastOffset } = stored;
      if (this.#checkCrcs) checkCrcs(about, buffer, length);
      const nextPosition = lastOffset + 1n;
      return { ...about, buffer, length, nextPosition, highWatermark: nextPosition > nextOffset ? nextPosition : nextOffset };
    } catch (error) {
      if (before.length > 0) return 'stop';
      throw error;
    }
  }

  #intoRange(cursor: Cursor & TopicPartition, { startOffset, nextOffset }: Partition): void {
    if (cursor.position >= startOffset && cursor.position <= nextOffset) return;
    if (this.#outOfRange !== 'reject') {
      cursor.position = this.#outOfRange === 'earliest' ? startOffset : nextOffset;
      return;
    }
    throw new RetriableError(
      `OffsetOutOfRange: position ${cursor.position} of topic "${cursor.topic}", partition ${cursor.partition} is out of range: the log has ${startOffset} to ${nextOffset}.`,
      { hint: 'Go on at one of these.' },
    );
  }
}

/** A file on a failing disk may change under SQLite, which does not check its pages. */
function checkCrcs({ topic, partition }: TopicPartition, buffer: ArrayBuffer, length: number): void {
  const bytes = Buffer.from(buffer, 0, length);
  for (const header of batchHeaders(bytes)) {
    if (crcMatches(bytes, header, crc32c)) continue;
    throw new ConnectError(
      `embedded log: the record batch at offset ${header.baseOffset} of topic "${topic}", partition ${partition} is damaged: its CRC does not match.`,
      { hint: 'Check the disk. To read on past it, seek beyond it.' },
    );
  }
}
