/**
 * Watches one task's thread from outside: whether it answers, and how much memory it holds. V8 answers for a
 * thread that spins, so a leak is seen even there; `resourceLimits` would bound the heap alone.
 */
import type { Worker } from 'node:worker_threads';
import type { TaskMetrics } from '../ports/tasks.ts';
import type { ToTask } from './task-messages.ts';

export interface WatchLimits {
  /** Silence after which a task is reported. */
  readonly unresponsiveAfterMs: number;
  /** Heap and buffers together. */
  readonly memoryMaxBytes: number;
}

export interface TaskWatch {
  pong(attributes: Readonly<Record<string, number>>): void;
  readonly attributes: Readonly<Record<string, number>>;
  readonly thread: TaskMetrics['thread'];
  stop(): void;
}

const intervalMs = 1000;

export function watchTask(
  thread: Worker,
  limits: WatchLimits,
  on: { responsive(answering: boolean, forMs: number): void; tooLarge(message: string): void },
): TaskWatch {
  let lastPongMs = Date.now();
  let silent = false;
  let pings = 0;
  let attributes: Readonly<Record<string, number>> = {};
  let figures: TaskMetrics['thread'] = { heapBytes: 0, bufferBytes: 0, cpuSeconds: 0 };

  async function measure(): Promise<void> {
    const [heap, cpu] = await Promise.all([thread.getHeapStatistics(), thread.cpuUsage()]);
    // V8 names what stands outside its heap; Node's types leave the field out.
    const bufferBytes = (heap as unknown as { external_memory: number }).external_memory;
    figures = { heapBytes: heap.used_heap_size, bufferBytes, cpuSeconds: (cpu.user + cpu.system) / 1e6 };
    const bytes = figures.heapBytes + bufferBytes;
    if (bytes <= limits.memoryMaxBytes) return;
    on.tooLarge(
      `the task holds ${mebibytes(bytes)} MiB (heap ${mebibytes(figures.heapBytes)}, buffers ${mebibytes(bufferBytes)}), ` +
        `more than its limit of ${mebibytes(limits.memoryMaxBytes)} MiB (millrace.task.memory.max.bytes): it was ended.`,
    );
  }

  const timer = setInterval(() => {
    thread.postMessage({ kind: 'ping', number: pings++ } satisfies ToTask);
    measure().catch(() => undefined); // the thread has just ended: its exit says so
    const silentMs = Date.now() - lastPongMs;
    if (!silent && silentMs >= limits.unresponsiveAfterMs) {
      silent = true;
      on.responsive(false, silentMs);
    }
  }, intervalMs);

  return {
    pong(answered) {
      attributes = answered;
      if (silent) on.responsive(true, Date.now() - lastPongMs);
      silent = false;
      lastPongMs = Date.now();
    },
    get attributes() {
      return attributes;
    },
    get thread() {
      return figures;
    },
    stop: () => clearInterval(timer),
  };
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
