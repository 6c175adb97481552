/**
 * Bounds a thread's memory from outside, heap and buffers together. V8 answers for a thread that spins, too, so a
 * leak is seen even there; `resourceLimits` would bound the heap alone, and not safely (see {@link heapLimits}).
 */
import type { ResourceLimits, Worker } from 'node:worker_threads';

export interface ThreadMemory {
  readonly heapBytes: number;
  readonly bufferBytes: number;
}

export interface MemoryWatch {
  readonly memory: ThreadMemory;
  stop(): void;
}

/** A thread that leaks as fast as it can gets some hundred MB further between two looks. */
const intervalMs = 250;

const mebibyte = 1024 * 1024;
/** Below 2048 MiB in all for the default limit: from there on V8 lets a heap grow fourfold before it collects. */
const headroomMebibytes = 1000;

/**
 * V8's own limit stands well beyond ours, as a last resort. For where a heap is full and the next allocation (a
 * growing array, a Map) exceeds the few MB that Node then grants, V8 ends not the thread but the process.
 */
export function heapLimits(maxBytes: number): ResourceLimits {
  return { maxOldGenerationSizeMb: Math.ceil(maxBytes / mebibyte) + headroomMebibytes };
}

/** Calls `tooLarge` once, with a sentence of figures, when the thread holds more than `maxBytes`. */
export function watchMemory(thread: Worker, maxBytes: number, tooLarge: (found: string) => void): MemoryWatch {
  let memory: ThreadMemory = { heapBytes: 0, bufferBytes: 0 };
  // A thread that is blocked in a system call does not answer: one question at a time.
  let asking = false;

  async function look(): Promise<void> {
    const heap = await thread.getHeapStatistics();
    // V8 names what stands outside its heap; Node's types leave the field out.
    const bufferBytes = (heap as unknown as { external_memory: number }).external_memory;
    memory = { heapBytes: heap.used_heap_size, bufferBytes };
    const bytes = memory.heapBytes + bufferBytes;
    if (bytes <= maxBytes) return;
    clearInterval(timer);
    const parts = `heap ${mebibytes(memory.heapBytes)}, buffers ${mebibytes(bufferBytes)}`;
    tooLarge(`holds ${mebibytes(bytes)} MiB (${parts}), more than its limit of ${limitText(maxBytes)}`);
  }

  const timer = setInterval(() => {
    if (asking) return;
    asking = true;
    look()
      .catch(() => undefined) // the thread has just ended: its exit says so
      .finally(() => (asking = false));
  }, intervalMs).unref();

  return {
    get memory() {
      return memory;
    },
    stop: () => clearInterval(timer),
  };
}

export function limitText(maxBytes: number): string {
  return `${mebibytes(maxBytes)} MiB (millrace.task.memory.max.bytes)`;
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / mebibyte);
}
