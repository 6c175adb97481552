/** Holds the reading of records back while what they make cannot go out. */
import { RetriableError } from '@millrace/runtime/api';
import type { Memory } from './storage/memory.ts';
import type { ObjectFile } from './storage/object-file.ts';
import type { Patience } from './storage/patience.ts';
import { describeError } from './storage/store-error.ts';

/** Closed files on their way to the bucket; beyond, records wait. */
const mostFinishing = 200;
/** Then the group hears from the task, and the rest of the records comes again. */
const longestWaitMs = 5_000;

export interface BackpressureParts {
  readonly connector: string;
  readonly memory: Memory;
  readonly patience: Patience;
  readonly signal: AbortSignal;
  openFiles(): ObjectFile[];
  /** Sets on their way to the bucket. */
  finishing(): number;
  /** Throws when the task cannot go on. */
  check(): void;
}

export interface Backpressure {
  needed(): boolean;
  /**
   * Waits until there is room, for seconds at most. Throws a RetriableError when there is none by then, at once while
   * the bucket does not answer, and when the task is asked to stop.
   */
  wait(): Promise<void>;
}

export function backpressure({ connector, memory, patience, signal, openFiles, finishing, check }: BackpressureParts): Backpressure {
  const needed = (): boolean => memory.used() > memory.limit || finishing() > mostFinishing;

  /** Puts the largest of the open files' bytes aside, until they are a quarter of what may be held. */
  async function spill(): Promise<boolean> {
    const files = openFiles().map((file) => ({ file, bytes: file.idleBytes() }));
    let idle = files.reduce((sum, { bytes }) => sum + bytes, 0);
    if (idle <= memory.limit / 2) return false;
    for (const { file, bytes } of files.toSorted((a, b) => b.bytes - a.bytes)) {
      if (idle <= memory.limit / 4) break;
      await file.spill();
      idle -= bytes;
    }
    return true;
  }

  return {
    needed,
    async wait() {
      const untilMs = Date.now() + longestWaitMs;
      for (let waited = false; needed(); waited = true) {
        check();
        if (memory.used() > memory.limit && (await spill())) continue;
        const failing = patience.failing();
        if (failing !== undefined && waited)
          throw new RetriableError(`connector ${connector}: S3 does not take what is to be written: ${describeError(failing)}`);
        if (signal.aborted) throw new RetriableError(`connector ${connector}: the task is asked to stop`);
        if (Date.now() >= untilMs)
          throw new RetriableError(`connector ${connector}: S3 takes what is to be written more slowly than it comes`);
        await memory.changed(200);
      }
    },
  };
}
