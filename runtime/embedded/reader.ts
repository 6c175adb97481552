import { RetriableError } from '../api/index.ts';
import type { LogReader } from '../ports/log.ts';
import type { PartitionCursors } from './partition-cursors.ts';
import type { WakeUps } from './wake-ups.ts';

export interface ReaderSurroundings {
  readonly clientId: string;
  readonly cursors: PartitionCursors;
  readonly wakeUps: WakeUps;
  /** Takes note of what another process wrote. */
  readonly refresh: () => void;
}

export function openReader({ clientId, cursors, wakeUps, refresh }: ReaderSurroundings): LogReader {
  let closed = false;
  return {
    assign(positions) {
      cursors.assign(positions);
      wakeUps.notify();
    },

    async fetch(limits, signal) {
      const deadline = performance.now() + limits.maxWaitMs;
      for (;;) {
        if (closed) throw new RetriableError(`reader ${clientId}: it is closed.`);
        signal?.throwIfAborted();
        refresh();
        const runs = await cursors.read(limits);
        const leftMs = deadline - performance.now();
        if (runs.length > 0 || leftMs <= 0) return runs;
        await wakeUps.wait(() => closed || cursors.isReady(), leftMs, signal);
      }
    },

    async [Symbol.asyncDispose]() {
      closed = true;
      cursors.assign([]);
      wakeUps.notify();
    },
  };
}
