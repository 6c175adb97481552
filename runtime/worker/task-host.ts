/** Runs each task in a thread of its own: starts it, watches it, stops it, and ends it where it will not stop. */
import { ConnectError } from '../api/index.ts';
import type { Logger } from '../api/index.ts';
import { withoutSecrets } from '../ports/config-providers.ts';
import type { OffsetStore } from '../ports/stores.ts';
import type { TaskEvents, TaskHost, TaskId, TaskSpec } from '../ports/tasks.ts';
import type { LogThreadHost } from './log-thread-host.ts';
import type { TaskSettings } from './task-messages.ts';
import { startTaskThread } from './task-thread-host.ts';
import type { TaskThread } from './task-thread-host.ts';
import type { WatchLimits } from './task-watch.ts';

export interface TaskHostSettings extends WatchLimits {
  readonly task: TaskSettings;
  readonly gracefulTimeoutMs: number;
}

export interface WorkerTaskHost extends TaskHost {
  /** Threads that a system call keeps alive although they were ended; the process cannot exit before they do. */
  blocked(): number;
}

export function createTaskHost(
  logThread: LogThreadHost,
  offsets: OffsetStore,
  logger: (name: string) => Logger,
  settings: TaskHostSettings,
): WorkerTaskHost {
  const threads = new Map<string, TaskThread>();
  const abandoned = new Set<TaskThread>();

  async function start(spec: TaskSpec, events: TaskEvents): Promise<void> {
    const name = keyOf(spec.id);
    if (threads.has(name)) throw new ConnectError(`task ${name} runs already`);
    const { secrets = [], ...shown } = spec;
    const log = secretive(logger(`${spec.id.connector}|task-${spec.id.task}`), secrets);
    const logPort = await logThread.openPort();
    let thread: TaskThread;
    try {
      const data = { spec: shown, settings: settings.task, logKind: logThread.kind };
      thread = startTaskThread({ name, data, logPort, offsets, events, log, limits: settings });
    } catch (error) {
      await logPort.release();
      throw error;
    }
    threads.set(name, thread);
    void thread.ended.then(() => {
      if (threads.get(name) === thread) threads.delete(name);
    });
  }

  async function stop(id: TaskId): Promise<{ graceful: boolean }> {
    const thread = threads.get(keyOf(id));
    if (thread === undefined) return { graceful: true };
    const stopped = await thread.stop();
    if (thread.blocked) abandoned.add(thread);
    return stopped;
  }

  return {
    start,
    stop,
    setPaused: (id, paused) => threads.get(keyOf(id))?.setPaused(paused),
    metrics: () => [...threads.values()].map((thread) => thread.metrics()),
    blocked: () => [...abandoned].filter((thread) => thread.blocked).length,
    async [Symbol.asyncDispose]() {
      await Promise.all([...threads.values()].map(({ spec }) => stop(spec.id)));
    },
  };
}

function keyOf({ connector, task }: TaskId): string {
  return `${connector}-${task}`;
}

/** A logger that knows what must not be seen. */
function secretive(log: Logger, secrets: readonly string[]): Logger {
  if (secrets.length === 0) return log;
  const clean = (value: unknown): unknown => {
    if (typeof value === 'string') return withoutSecrets(value, secrets);
    if (Array.isArray(value)) return value.map(clean);
    if (typeof value !== 'object' || value === null) return value;
    if (value instanceof Error) return withoutSecrets(value.stack ?? value.message, secrets);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, clean(item)]));
  };
  const at =
    (level: keyof Logger) =>
    (message: string, fields?: Readonly<Record<string, unknown>>): void =>
      log[level](withoutSecrets(message, secrets), fields && (clean(fields) as typeof fields));
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
