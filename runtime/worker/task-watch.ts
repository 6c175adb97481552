/** Watches one task's thread from outside: whether it answers, how much memory it holds, what it costs. */
import type { Worker } from 'node:worker_threads';
import type { TaskMetrics } from '../ports/tasks.ts';
import { watchMemory } from './memory-watch.ts';
import type { FromTask, ToTask } from './task-messages.ts';

export interface WatchLimits {
  /** Silence after which a task is reported. */
  readonly unresponsiveAfterMs: number;
  /** Heap and buffers together. */
  readonly memoryMaxBytes: number;
}

type Answer = Pick<FromTask & { readonly kind: 'pong' }, 'attributes' | 'labelled'>;

export interface TaskWatch {
  pong(answer: Answer): void;
  readonly attributes: Answer['attributes'];
  readonly labelled: Answer['labelled'];
  readonly thread: TaskMetrics['thread'];
  stop(): void;
}

const longestPingMs = 1000;

export function watchTask(
  thread: Worker,
  limits: WatchLimits,
  on: { responsive(answering: boolean, forMs: number): void; tooLarge(found: string): void },
): TaskWatch {
  let lastPongMs = Date.now();
  let silent = false;
  let pings = 0;
  let asking = false;
  let cpuSeconds = 0;
  let last: Answer = { attributes: {}, labelled: [] };
  const watched = watchMemory(thread, limits.memoryMaxBytes, (found) => on.tooLarge(found));

  async function measureCpu(): Promise<void> {
    const { user, system } = await thread.cpuUsage();
    cpuSeconds = (user + system) / 1e6;
  }

  const timer = setInterval(
    () => {
      thread.postMessage({ kind: 'ping', number: pings++ } satisfies ToTask);
      if (!asking) {
        asking = true;
        measureCpu()
          .catch(() => undefined) // the thread has just ended: its exit says so
          .finally(() => (asking = false));
      }
      const silentMs = Date.now() - lastPongMs;
      if (!silent && silentMs >= limits.unresponsiveAfterMs) {
        silent = true;
        on.responsive(false, silentMs);
      }
    },
    Math.min(longestPingMs, limits.unresponsiveAfterMs / 2),
  ).unref();

  return {
    pong(answer) {
      last = answer;
      if (silent) on.responsive(true, Date.now() - lastPongMs);
      silent = false;
      lastPongMs = Date.now();
    },
    get attributes() {
      return last.attributes;
    },
    get labelled() {
      return last.labelled;
    },
    get thread() {
      return { ...watched.memory, cpuSeconds };
    },
    stop() {
      clearInterval(timer);
      watched.stop();
    },
  };
}
