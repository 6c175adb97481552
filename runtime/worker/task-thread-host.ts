/** The main thread's hold on one task's thread. */
import { Worker } from 'node:worker_threads';
import { ConnectError } from '../api/index.ts';
import type { Logger, OffsetMap } from '../api/index.ts';
import { mayPass } from '../ports/passing-errors.ts';
import type { ConnectorOffsetStore, OffsetStore, StoredOffset } from '../ports/stores.ts';
import type { TaskEvents, TaskMetrics, TaskSpec } from '../ports/tasks.ts';
import type { LogPort } from './log-thread-host.ts';
import { heapLimits, limitText } from './memory-watch.ts';
import { serveCalls } from './rpc.ts';
import { siblingModule } from './sibling-module.ts';
import { keysUnder } from './task-environment.ts';
import type { FromTask, OffsetPlace, TaskThreadData, ToTask } from './task-messages.ts';
import { watchTask } from './task-watch.ts';
import type { WatchLimits } from './task-watch.ts';
import { traceOf } from './thread-errors.ts';

export interface TaskThread {
  readonly spec: TaskSpec;
  setPaused(paused: boolean): void;
  metrics(): TaskMetrics;
  /** Resolves once nothing of it runs, its readers and producers on the log included. No events from the call on. */
  stop(): Promise<{ readonly graceful: boolean }>;
  /** Resolves as `stop` does, however the thread ended. */
  readonly ended: Promise<void>;
  /** Whether the thread could not be ended: it is blocked in a system call, and ends for good when that returns. */
  readonly blocked: boolean;
}

export interface TaskThreadParts {
  readonly name: string;
  readonly data: Omit<TaskThreadData, 'logPort'>;
  readonly logPort: LogPort;
  readonly offsets: OffsetStore;
  readonly events: TaskEvents;
  readonly log: Logger;
  readonly limits: WatchLimits & { readonly gracefulTimeoutMs: number };
}

/** Ending a thread takes milliseconds, unless it is blocked in a system call. */
const endsWithinMs = 5000;

export function startTaskThread({ name, data, logPort, offsets, events, log, limits }: TaskThreadParts): TaskThread {
  const { spec } = data;
  const { id } = spec;
  const thread = new Worker(siblingModule('task-thread'), {
    workerData: { ...data, logPort: logPort.port } satisfies TaskThreadData,
    transferList: [logPort.port],
    name,
    resourceLimits: heapLimits(limits.memoryMaxBytes),
  });
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let over = false;
  let stopping = false;
  let graceful = true;
  let blocked = false;

  const fail = (trace: string, passes = false): void => {
    if (stopping && !over) log.error(`task ${name} failed while it stopped: ${trace}`);
    if (over) return;
    over = true;
    if (!stopping) events.failed(id, trace, passes);
  };
  const tell = (message: ToTask): void => thread.postMessage(message);
  const watch = watchTask(thread, limits, {
    responsive: (answering, forMs) => {
      if (!over && !stopping) events.responsive(id, answering, forMs);
    },
    tooLarge: (found) => {
      fail(`task ${name}: it ${found}: it was ended.`);
      void thread.terminate();
    },
  });

  thread.on('message', (message: FromTask) => {
    if (!('kind' in message)) return;
    if (message.kind === 'pong') watch.pong(message);
    else if (message.kind === 'log') log[message.level](message.message, message.fields);
    else if (message.kind === 'failed') fail(message.trace, message.passes);
    else if (message.kind === 'stopped') over = true;
    else if (over || stopping) return;
    else if (message.kind === 'noted') events.noted?.(id, message.text);
    else if (message.kind === 'reported') events.reported?.(id, message.report);
    else if (message.kind === 'topic-used') events.topicUsed(id, message.topic);
    else events[message.kind](id);
  });
  thread.on('error', (error: Error) => fail(uncaught(name, error, limits), mayPass(error)));
  const connectorOffsets = openedOffsets(spec, offsets, log);
  const { open } = connectorOffsets;
  const { connector } = id;
  serveCalls(thread, {
    producerReady: async () => {
      if (over || stopping) throw new ConnectError(`task ${name} is to stop`);
      await events.producerReady?.(id);
    },
    offsetPlace: async (): Promise<OffsetPlace> => {
      const { topic, atomicTopic, copy } = await open();
      return { topic, atomic: atomicTopic !== undefined, copied: copy !== undefined };
    },
    offsetKeys: async (_signal, partitions: readonly OffsetMap[]) => (await open()).keys(connector, partitions),
    readOffsets: async (_signal, partitions: readonly OffsetMap[]) => (await open()).read(connector, partitions),
    writeOffsets: async (_signal, positions: readonly StoredOffset[]) => (await open()).write(connector, positions),
    copyOffsets: async (_signal, positions: readonly StoredOffset[]) => (await open()).copy?.(connector, positions),
  });

  const release = (): void => {
    watch.stop();
    connectorOffsets.close();
    void logPort.release().then(end, end); // a log thread that is gone holds nothing open
  };
  thread.on('exit', (code) => {
    blocked = false;
    if (graceful) fail(`task ${name}: its thread ended with code ${code} and no word.`);
    release();
  });

  async function stop(): Promise<{ graceful: boolean }> {
    stopping = true;
    tell({ kind: 'stop' });
    if (await within(ended, limits.gracefulTimeoutMs)) return { graceful };
    graceful = false;
    log.warn(`task ${name} did not stop within ${limits.gracefulTimeoutMs} ms: its thread is ended`);
    void thread.terminate();
    if (await within(ended, endsWithinMs)) return { graceful };
    // JavaScript runs no more in it, and the log takes nothing from it: a new thread can take its place.
    blocked = true;
    log.error(`task ${name} is blocked in a system call: its thread was ended, but stays until that call returns`);
    release();
    await ended;
    return { graceful };
  }

  return {
    spec,
    setPaused: (paused) => tell({ kind: 'pause', paused }),
    metrics: () => ({ id, kind: spec.kind, attributes: watch.attributes, own: {}, labelled: watch.labelled, thread: watch.thread }),
    stop,
    ended,
    get blocked() {
      return blocked;
    },
  };
}

function uncaught(name: string, error: Error, { memoryMaxBytes }: WatchLimits): string {
  if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_OUT_OF_MEMORY') return traceOf(error);
  return `task ${name}: its heap grew far beyond the limit of ${limitText(memoryMaxBytes)} at once: it was ended.`;
}

/** A task reads and writes source offsets through the main thread, which has the store; opened when first asked for. */
function openedOffsets({ id, connectorConfig, exactlyOnce }: TaskSpec, offsets: OffsetStore, log: Logger) {
  let opened: Promise<ConnectorOffsetStore> | undefined;
  let closed = false;
  return {
    open(): Promise<ConnectorOffsetStore> {
      if (closed) return Promise.reject(new ConnectError(`task ${id.connector}-${id.task} is over`));
      const own = {
        topic: connectorConfig['offsets.storage.topic'],
        consumer: keysUnder(connectorConfig, 'consumer.override.'),
        exactlyOnce: exactlyOnce !== undefined,
      };
      opened ??= offsets.forConnector(id.connector, own).catch((error: unknown) => {
        opened = undefined;
        throw error;
      });
      return opened;
    },
    close(): void {
      if (closed) return;
      closed = true;
      opened?.then((store) => store[Symbol.asyncDispose]()).catch((error: unknown) => log.debug(`closing the offsets: ${String(error)}`));
    },
  };
}

/** Whether the promise was settled by then. */
async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), ms);
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
