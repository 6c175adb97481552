/** For tests: a task host over a log thread of its own; its tasks run in real threads. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger, RawConfig } from '../../api/index.ts';
import type { Log } from '../../ports/log.ts';
import type { TaskEvents, TaskSpec } from '../../ports/tasks.ts';
import { fileOffsetStore } from '../../stores/file-offset-store.ts';
import { startLogThread } from '../log-thread-host.ts';
import type { LogSettings } from '../open-log.ts';
import { createTaskHost } from '../task-host.ts';
import type { TaskHostSettings, WorkerTaskHost } from '../task-host.ts';
import type { TaskSettings } from '../task-messages.ts';

export const troublesome = fileURLToPath(new URL('../../../test/e2e/fixtures/troublesome', import.meta.url));

const choosySink = fileURLToPath(new URL('./choosy-sink', import.meta.url));

export interface TaskFixture extends AsyncDisposable {
  readonly folder: string;
  readonly log: Log;
  readonly host: WorkerTaskHost;
  /** `running`, `failed: TRACE`, `topic-used: TOPIC`, …, in order, of all tasks. */
  readonly said: string[];
  readonly logged: string[];
  readonly events: TaskEvents;
}

/** On an embedded log of its own, unless another one is given. */
export async function openTaskFixture(
  { task, ...settings }: Partial<Omit<TaskHostSettings, 'task'> & { task: Partial<TaskSettings> }> = {},
  logSettings?: LogSettings,
): Promise<TaskFixture> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-tasks-'));
  const said: string[] = [];
  const logged: string[] = [];
  const logger: Logger = Object.fromEntries(
    ['debug', 'info', 'warn', 'error'].map((level) => [
      level,
      (message: string, fields?: unknown) => logged.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`),
    ]),
  ) as unknown as Logger;
  const logThread = await startLogThread(
    logSettings ?? { kind: 'embedded', directory: join(folder, 'log'), synchronous: 'normal' },
    logger,
  );
  const offsets = fileOffsetStore(join(folder, 'offsets'));
  await offsets.start();
  const host = createTaskHost(logThread, offsets, () => logger, {
    unresponsiveAfterMs: 60_000,
    memoryMaxBytes: 64 * 1024 * 1024,
    gracefulTimeoutMs: 5000,
    task: {
      converters: { 'key.converter': 'StringConverter', 'value.converter': 'StringConverter', 'header.converter': 'SimpleHeaderConverter' },
      pluginPath: [troublesome, choosySink],
      offsetFlushIntervalMs: 100,
      topicCreation: true,
      ...task,
    },
    ...settings,
  });
  return {
    folder,
    log: logThread.log,
    host,
    said,
    logged,
    events: {
      running: () => said.push('running'),
      paused: () => said.push('paused'),
      resumed: () => said.push('resumed'),
      failed: (_id, trace) => said.push(`failed: ${trace}`),
      responsive: (_id, answering) => said.push(answering ? 'answers again' : 'silent'),
      topicUsed: (_id, topic) => said.push(`topic-used: ${topic}`),
    },
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      await offsets[Symbol.asyncDispose]();
      await logThread[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function specOf(connector: string, config: RawConfig, extra: Partial<TaskSpec> = {}): TaskSpec {
  const kind = /source/i.test(config['connector.class'] ?? '') ? 'source' : 'sink';
  const connectorConfig = { name: connector, ...config };
  return { id: { connector, task: 0 }, kind, connectorConfig, taskConfig: connectorConfig, paused: false, ...extra };
}
