/** Puts a sink task and its pipeline together, in the task's thread. */
import { sinkControl, sinkLoop } from '../pipeline/sink-loop.ts';
import { SinkDecoder } from '../pipeline/sink-decoder.ts';
import { StageError } from '../pipeline/stage-error.ts';
import { composeChain } from '../pipeline/transform-chain.ts';
import type { SinkParts } from '../plugins/pipeline-parts.ts';
import type { GroupOptions } from '../ports/log.ts';
import { keysUnder } from './task-environment.ts';
import type { TaskEnvironment } from './task-environment.ts';
import type { TaskRun } from './task-run.ts';

const fetchBytes = 1024 * 1024;

export async function startSink(env: TaskEnvironment, parts: SinkParts): Promise<TaskRun> {
  const { spec, settings, log, logger, figures, errors, signal } = env;
  const { connectorConfig: config, id } = spec;
  const overrides = keysUnder(config, 'consumer.override.');
  const chosen = { ...settings.clients?.consumer, ...overrides };
  const control = sinkControl();
  const task = await parts.plugin.start(parts.values, {
    connector: id.connector,
    task: id.task,
    rawConfig: spec.taskConfig,
    signal,
    log: logger,
    fail: (error) => env.fail(error),
    assignment: () => control.positions.keys(),
    seek: (offsets) => void control.seeks.push(...offsets),
    pause: (partitions) => void control.switches.push({ paused: true, partitions }),
    resume: (partitions) => void control.switches.push({ paused: false, partitions }),
    requestCommit: () => {
      control.commitRequested = true;
    },
    report: async (record, error) => errors.tolerate(new StageError('TASK_PUT', error), record),
  });
  const group = await log.openGroup({
    clientId: `connector-consumer-${id.connector}-${id.task}`,
    groupId: overrides['group.id'] ?? `connect-${id.connector}`,
    topics: topicsOf(config),
    isolation: chosen['isolation.level']?.trim() === 'read_committed' ? 'read_committed' : 'read_uncommitted',
    overrides,
  });
  const chain = composeChain(parts.transforms);
  const decoder = new SinkDecoder({ ...parts, errors });
  const loop = sinkLoop(
    {
      task,
      group,
      decoder,
      chain,
      control,
      figures,
      log: logger,
      flushIntervalMs: settings.offsetFlushIntervalMs,
      maxPollRecords: Number(chosen['max.poll.records'] ?? 500),
      fetchBytes,
      topicUsed: (topic) => env.topicUsed(topic),
    },
    spec.paused,
  );
  return {
    loop,
    async [Symbol.asyncDispose]() {
      await task[Symbol.asyncDispose]();
      await group[Symbol.asyncDispose]();
    },
  };
}

function topicsOf(config: Readonly<Record<string, string>>): GroupOptions['topics'] {
  const pattern = config['topics.regex']?.trim();
  if (pattern) return { pattern };
  return {
    names: (config['topics'] ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean),
  };
}
