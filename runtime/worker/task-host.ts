/** Runs each task in a thread of its own: starts it, watches it, stops it, and ends it where it will not stop. */
import { Worker } from 'node:worker_threads';
import { ConnectError } from '../api/index.ts';
import type { Logger, OffsetMap } from '../api/index.ts';
import type { OffsetStore, StoredOffset } from '../ports/stores.ts';
import type { TaskEvents, TaskHost, TaskId, TaskMetrics, TaskSpec } from '../ports/tasks.ts';
import type { LogPort, LogThreadHost } from './log-thread-host.ts';
import { serveCalls } from './rpc.ts';
import { siblingModule } from './sibling-module.ts';
import type { FromTask, TaskSettings, TaskThreadData, ToTask } from './task-messages.ts';
import { watchTask } from './task-watch.ts';
import type { TaskWatch, WatchLimits } from './task-watch.ts';
import { traceOf } from './thread-errors.ts';

export interface TaskHostSettings extends WatchLimits {
  readonly task: TaskSettings;
  readonly gracefulTimeoutMs: number;
}

interface TaskThread {
  readonly spec: TaskSpec;
  readonly thread: Worker;
  readonly logPort: LogPort;
  readonly watch: TaskWatch;
  /** Resolves when nothing of the thread is left, its readers and producers included. */
  readonly ended: Promise<void>;
  /** No events from now on. */
  mute(): void;
}

export function createTaskHost(
  logThread: LogThreadHost,
  offsets: OffsetStore,
  logger: (name: string) => Logger,
  settings: TaskHostSettings,
): TaskHost {
  const threads = new Map<string, TaskThread>();

  async function start(spec: TaskSpec, events: TaskEvents): Promise<void> {
    const key = keyOf(spec.id);
    if (threads.has(key)) throw new ConnectError(`task ${key} runs already`);
    const logPort = await logThread.openPort();
    const { atomicTopic } = offsets;
    const own = atomicTopic === undefined ? settings.task : { ...settings.task, atomicOffsets: atomicTopic };
    const data: TaskThreadData = { spec, settings: own, logKind: logThread.kind, logPort: logPort.port };
    const thread = new Worker(siblingModule('task-thread'), {
      workerData: data,
      transferList: [logPort.port],
      name: key,
      resourceLimits: { maxOldGenerationSizeMb: Math.ceil(settings.memoryMaxBytes / 1024 / 1024) },
    });
    let over = false;
    const fail = (trace: string): void => {
      if (over) return;
      over = true;
      events.failed(spec.id, trace);
    };
    const watch = watchTask(thread, settings, {
      responsive: (answering, forMs) => {
        if (!over) events.responsive(spec.id, answering, forMs);
      },
      tooLarge: (message) => {
        fail(`task ${key}: ${message}`);
        void thread.terminate();
      },
    });
    const taskLog = logger(`${spec.id.connector}|task-${spec.id.task}`);
    const hear = (message: FromTask): void => {
      if (!('kind' in message)) return;
      if (message.kind === 'pong') watch.pong(message.attributes);
      else if (message.kind === 'log') taskLog[message.level](message.message, message.fields);
      else if (message.kind === 'failed') fail(message.trace);
      else if (over || message.kind === 'stopped') return;
      else if (message.kind === 'topic-used') events.topicUsed(spec.id, message.topic);
      else events[message.kind](spec.id);
    };
    thread.on('message', hear);
    thread.on('error', (error: Error) => fail(uncaught(key, error, settings)));
    serveOffsets(thread, spec.id.connector, offsets);
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    thread.on('exit', (code) => {
      watch.stop();
      fail(`task ${key}: its thread ended with code ${code} and no word`);
      void logPort.release().finally(() => {
        if (threads.get(key)?.thread === thread) threads.delete(key);
        resolve();
      });
    });
    threads.set(key, { spec, thread, logPort, watch, ended, mute: () => (over = true) });
  }

  async function stop(id: TaskId): Promise<{ graceful: boolean }> {
    const running = threads.get(keyOf(id));
    if (running === undefined) return { graceful: true };
    running.mute();
    running.thread.postMessage({ kind: 'stop' } satisfies ToTask);
    let graceful = true;
    const timer = setTimeout(() => {
      graceful = false;
      logger(keyOf(id)).warn(`task ${keyOf(id)} did not stop within ${settings.gracefulTimeoutMs} ms: its thread is ended`);
      void running.thread.terminate();
    }, settings.gracefulTimeoutMs);
    await running.ended;
    clearTimeout(timer);
    return { graceful };
  }

  return {
    start,
    stop,
    setPaused: (id, paused) => threads.get(keyOf(id))?.thread.postMessage({ kind: 'pause', paused } satisfies ToTask),
    metrics: () => [...threads.values()].map(metricsOf),
    async [Symbol.asyncDispose]() {
      await Promise.all([...threads.values()].map(({ spec }) => stop(spec.id)));
    },
  };
}

function keyOf({ connector, task }: TaskId): string {
  return `${connector}-${task}`;
}

function metricsOf({ spec, watch }: TaskThread): TaskMetrics {
  return { id: spec.id, kind: spec.kind, attributes: watch.attributes, own: {}, thread: watch.thread };
}

function uncaught(key: string, error: Error, { memoryMaxBytes }: TaskHostSettings): string {
  if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_OUT_OF_MEMORY') return traceOf(error);
  return `task ${key}: its heap reached the limit of ${Math.round(memoryMaxBytes / 1024 / 1024)} MiB (millrace.task.memory.max.bytes): it was ended.`;
}

/** Tasks read and write source offsets through the main thread, which has the store. */
function serveOffsets(thread: Worker, connector: string, offsets: OffsetStore): void {
  serveCalls(thread, {
    readOffsets: (_signal, partitions: readonly OffsetMap[]) => offsets.read(connector, partitions),
    writeOffsets: (_signal, positions: readonly StoredOffset[]) => offsets.write(connector, positions),
  });
}
