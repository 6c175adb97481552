/**
 * A thread that has come to rest collects its garbage and gives the room back to the system. V8 collects when memory
 * is asked for: a thread that asks for none keeps what its start, or a burst, has left behind, some 15 MB each.
 */
import { getHeapStatistics } from 'node:v8';
import { runInNewContext } from 'node:vm';

const lookEveryMs = 2000;
/** A thread that had something to do for less of that time rests. */
const restShare = 0.05;
/** The heap must have grown by so much since it was last collected. */
const worthBytes = 4 * 1024 * 1024;
/** A full collection takes some 50 ms of CPU: a thread that has little to do, but all the time, does not notice them. */
const againAfterMs = 30_000;

/**
 * Looks after the calling thread's heap from now on. Does nothing where V8 was not told `--expose-gc`, which the
 * command line does (`runtime/cli/bin.mjs`). Keeps no thread alive.
 */
export function collectWhenIdle(collect: (() => void) | undefined = collector()): void {
  if (collect === undefined) return;
  let keptBytes = 0;
  let collectedAtMs = -Infinity;
  let before = performance.eventLoopUtilization();
  setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    if (utilization > restShare || performance.now() - collectedAtMs < againAfterMs) return;
    if (getHeapStatistics().total_heap_size < keptBytes + worthBytes) return;
    collect();
    keptBytes = getHeapStatistics().total_heap_size;
    collectedAtMs = performance.now();
  }, lookEveryMs).unref();
}

function collector(): (() => void) | undefined {
  // Threads have it among their globals; the main thread's were made before V8 was told.
  const gc = globalThis.gc ?? (runInNewContext('globalThis.gc') as typeof globalThis.gc);
  // A usual collection would keep the pages that it empties, for the next objects.
  return gc && (() => gc({ type: 'major', flavor: 'last-resort' }));
}
