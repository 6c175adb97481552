/** The entry of a task's thread: one task, its pipeline, and a port to the log thread. */
import { flushCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { TaskFigures } from '../pipeline/task-figures.ts';
import { configWarnings } from '../plugins/config-warnings.ts';
import { buildPipelineParts } from '../plugins/pipeline-parts.ts';
import { discoverPlugins } from '../plugins/plugin-index.ts';
import { mayPass } from '../ports/passing-errors.ts';
import { collectWhenIdle } from './idle-collection.ts';
import { seldom } from './report-teller.ts';
import { remoteLog } from './remote-log.ts';
import { callOver } from './rpc.ts';
import type { TaskEnvironment } from './task-environment.ts';
import type { FromTask, LogLevel, TaskThreadData, ToTask } from './task-messages.ts';
import type { TaskRun } from './task-run.ts';
import { traceOf } from './thread-errors.ts';

if (parentPort === null) throw new Error('task-thread.ts runs as a worker thread');
const main = parentPort;
const { spec, settings, logKind, logPort } = workerData as TaskThreadData;
const tell = (message: FromTask): void => main.postMessage(message);
const stopping = new AbortController();
const failing = Promise.withResolvers<never>();
failing.promise.catch(() => undefined);
const figures = new TaskFigures();
const calls = callOver(main);
let run: TaskRun | undefined;
let paused = spec.paused;

/** A connector may log what cannot cross threads, such as a function: its words get there all the same. */
function tellLog(line: FromTask & { readonly kind: 'log' }): void {
  try {
    tell(line);
  } catch {
    tell({ kind: 'log', level: line.level, message: line.message });
  }
}

const logAt =
  (level: LogLevel) =>
  (message: string, fields?: Readonly<Record<string, unknown>>): void =>
    tellLog({ kind: 'log', level, message, ...(fields === undefined ? {} : { fields }) });
const logger = { debug: logAt('debug'), info: logAt('info'), warn: logAt('warn'), error: logAt('error') };

main.on('message', (message: ToTask) => {
  if (!('kind' in message)) return;
  if (message.kind === 'ping')
    tell({ kind: 'pong', number: message.number, attributes: figures.snapshot(Date.now()), labelled: figures.labelled() });
  else if (message.kind === 'stop') stopping.abort();
  else setPaused(message.paused);
});

function setPaused(wanted: boolean): void {
  if (wanted === paused) return;
  paused = wanted;
  // By then it may be wanted otherwise.
  const told = (): void => (wanted === paused ? tell({ kind: wanted ? 'paused' : 'resumed' }) : undefined);
  run?.loop.setPaused(wanted).then(told, failing.reject);
}

let noted: string | undefined;
const usedTopics = new Set<string>();

function environment(): TaskEnvironment {
  return {
    spec,
    settings,
    log: remoteLog(logPort, logKind),
    logger,
    figures,
    signal: stopping.signal,
    producerReady: () => calls.call('producerReady', []),
    offsets: {
      place: () => calls.call('offsetPlace', []),
      keys: (partitions) => calls.call('offsetKeys', [partitions]),
      copy: (offsets) => calls.call('copyOffsets', [offsets]),
      read: (partitions) => calls.call('readOffsets', [partitions]),
      write: (offsets) => calls.call('writeOffsets', [offsets]),
    },
    topicUsed(topic) {
      if (usedTopics.has(topic)) return;
      usedTopics.add(topic);
      tell({ kind: 'topic-used', topic });
    },
    note(text) {
      if (text === noted) return;
      noted = text;
      tell({ kind: 'noted', text });
    },
    report: seldom((report) => tell({ kind: 'reported', report })),
    fail: (error) => failing.reject(error),
  };
}

async function start(): Promise<TaskRun> {
  const env = environment();
  const index = await discoverPlugins(settings.pluginPath);
  const parts = await buildPipelineParts(
    { ...spec.connectorConfig, ...spec.taskConfig },
    settings.converters,
    index,
    logger,
    settings.delivery,
  );
  // Each task has the same connector's config: the first tells for all.
  if (spec.id.task === 0) for (const warning of await configWarnings(spec.connectorConfig, index, settings)) logger.warn(warning);
  // A thread for each task: what it does not run, it does not load.
  if (parts.kind === 'source') return (await import('./source-run.ts')).startSource(env, parts);
  return (await import('./sink-run.ts')).startSink(env, parts);
}

async function live(): Promise<void> {
  run = await Promise.race([start(), failing.promise]);
  if (paused !== spec.paused) await run.loop.setPaused(paused);
  tell({ kind: 'running' });
  flushCompileCache();
  collectWhenIdle();
  if (paused) tell({ kind: 'paused' });
  await Promise.race([run.loop.run(stopping.signal), failing.promise]);
}

let failure: { readonly trace: string; readonly passes: boolean } | undefined;
const failureOf = (error: unknown) => ({ trace: traceOf(error), passes: mayPass(error) });
try {
  await live();
} catch (error) {
  // Asked to stop while it was being started.
  if (!stopping.signal.aborted || error !== stopping.signal.reason) failure = failureOf(error);
}
try {
  await run?.[Symbol.asyncDispose]();
} catch (error) {
  failure ??= failureOf(error);
}
tell(failure === undefined ? { kind: 'stopped' } : { kind: 'failed', ...failure });
// A connector may have left a socket or a timer behind: the thread ends all the same.
process.exit(0);
