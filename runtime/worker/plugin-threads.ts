/** Threads for connectors' code outside tasks: each runs one call at a time, so that one that hangs hangs alone. */
import { Worker } from 'node:worker_threads';
import { ConnectError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';
import type { SourceDelivery } from '../plugins/source-delivery.ts';
import { heapLimits, watchMemory } from './memory-watch.ts';
import { callOver } from './rpc.ts';
import type { Caller } from './rpc.ts';
import { siblingModule } from './sibling-module.ts';

export interface PluginThreads extends AsyncDisposable {
  /** `what` begins the sentence that says why the call was ended. */
  call<T>(what: string, method: string, args: readonly unknown[], options?: CallOptions): Promise<T>;
}

export interface CallOptions {
  /** In place of the usual one. */
  readonly timeoutMs?: number;
  /** Ends the call, its thread with it. */
  readonly signal?: AbortSignal | undefined;
  /** Ends the thread in any case: nothing that the call leaves behind outlives it. */
  readonly last?: boolean;
}

export interface PluginThreadData {
  readonly pluginPath: readonly string[];
  /** What validation holds a source's config against; left out: the embedded log. */
  readonly delivery?: SourceDelivery | undefined;
  /** The worker's own, for configs without; left out: JsonConverter. */
  readonly converters?: RawConfig;
  /** The worker's `producer.max.request.size`, if it is set. */
  readonly maxRequestSize?: string | undefined;
  /** `topic.creation.enable`; true when left out. */
  readonly topicCreation?: boolean;
}

export interface PluginThreadsSettings extends PluginThreadData {
  /** A call that takes longer is ended, its thread with it. */
  readonly callTimeoutMs: number;
  /** Heap and buffers of one thread. */
  readonly memoryMaxBytes: number;
}

interface PluginThread {
  readonly worker: Worker;
  readonly calls: Caller;
  idle: NodeJS.Timeout | undefined;
  alive: boolean;
}

/** A thread without work is kept for the calls that follow. */
const idleMs = 5000;
/** That many calls run at once, not counting those that run for longer than `slowMs`. */
const quickCalls = 4;
const slowMs = 1000;
const stopping = 'the worker is stopping';
const unwanted = 'nobody waits for it any more';

export function createPluginThreads({ callTimeoutMs, memoryMaxBytes, ...settings }: PluginThreadsSettings): PluginThreads {
  const { pluginPath, delivery, converters, maxRequestSize, topicCreation } = settings;
  const workerData: PluginThreadData = {
    pluginPath,
    delivery,
    maxRequestSize,
    ...(converters && { converters }),
    ...(topicCreation !== undefined && { topicCreation }),
  };
  const all = new Set<PluginThread>();
  const free: PluginThread[] = [];
  const waiting: (() => void)[] = [];
  let quick = 0;
  let closed = false;

  function startThread(): PluginThread {
    const worker = new Worker(siblingModule('plugin-thread'), {
      workerData,
      name: 'plugins',
      resourceLimits: heapLimits(memoryMaxBytes),
    });
    const thread: PluginThread = { worker, calls: callOver(worker), idle: undefined, alive: true };
    const watch = watchMemory(worker, memoryMaxBytes, (found) => end(thread, `a connector's code ${found}, and was ended`));
    worker.on('error', (error: Error) => end(thread, `a connector's code broke its thread: ${error.message}`, error));
    worker.on('exit', (code) => {
      watch.stop();
      end(thread, `a connector's code ended its thread with code ${code}`);
    });
    all.add(thread);
    return thread;
  }

  function end(thread: PluginThread, why: string, cause?: Error): void {
    thread.calls.fail(new ConnectError(why, { cause }));
    thread.alive = false;
    clearTimeout(thread.idle);
    all.delete(thread);
    const at = free.indexOf(thread);
    if (at >= 0) free.splice(at, 1);
    void thread.worker.terminate();
  }

  async function turn(): Promise<() => void> {
    if (quick >= quickCalls) await new Promise<void>((resolve) => waiting.push(resolve));
    quick++;
    let over = false;
    const leave = (): void => {
      if (over) return;
      over = true;
      quick--;
      waiting.shift()?.();
    };
    const timer = setTimeout(leave, slowMs);
    return () => {
      clearTimeout(timer);
      leave();
    };
  }

  return {
    async call<T>(what: string, method: string, args: readonly unknown[], options: CallOptions = {}): Promise<T> {
      const { timeoutMs = callTimeoutMs, signal, last = false } = options;
      const leave = await turn();
      if (closed || signal?.aborted) {
        leave();
        throw new ConnectError(`${what}: ${closed ? stopping : unwanted}`);
      }
      const thread = free.pop() ?? startThread();
      clearTimeout(thread.idle);
      const timer = setTimeout(() => end(thread, `${what} took longer than ${timeoutMs} ms and was ended`), timeoutMs);
      const abandon = (): void => end(thread, `${what}: ${unwanted}`);
      signal?.addEventListener('abort', abandon, { once: true });
      try {
        return await thread.calls.call<T>(method, args);
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abandon);
        leave();
        if (last) end(thread, 'it was for one call');
        else if (thread.alive) {
          thread.idle = setTimeout(() => end(thread, 'it had nothing to do'), idleMs).unref();
          free.push(thread);
        }
      }
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      const threads = [...all];
      for (const thread of threads) end(thread, stopping);
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}
