/** Puts a sink task and its pipeline together, in the task's thread. */
import { sinkDeadLetters } from '../pipeline/dead-letter-queue.ts';
import { errorPolicy } from '../pipeline/error-policy.ts';
import { sinkControl, sinkLoop } from '../pipeline/sink-loop.ts';
import { SinkDecoder } from '../pipeline/sink-decoder.ts';
import { topicIds } from '../pipeline/topic-ids.ts';
import { composeChain } from '../pipeline/transform-chain.ts';
import type { SinkParts } from '../plugins/pipeline-parts.ts';
import { resubmissionTopic } from '../ports/dead-letters.ts';
import type { GroupOptions } from '../ports/log.ts';
import { letterProducer, openDeadLetters } from './dead-letters.ts';
import { letterNotes } from './letter-notes.ts';
import { reportTo } from './sink-reports.ts';
import { keysUnder } from './task-environment.ts';
import type { TaskEnvironment } from './task-environment.ts';
import type { TaskRun } from './task-run.ts';

const fetchBytes = 1024 * 1024;

export async function startSink(env: TaskEnvironment, parts: SinkParts): Promise<TaskRun> {
  const { spec, settings, log, logger, figures, signal } = env;
  const { connectorConfig: config, id } = spec;
  const overrides = keysUnder(config, 'consumer.override.');
  const chosen = { ...settings.clients?.consumer, ...overrides };
  const control = sinkControl();
  const ids = topicIds(log);
  const topics = topicsOf(config);
  const opened = await openDeadLetters(env, 'names' in topics ? topics.names : []);
  const letters =
    opened === undefined
      ? undefined
      : sinkDeadLetters(opened.settings, opened.topic, figures, logger, (partition) => control.positions.has(partition));
  const errors = errorPolicy(config, `${id.connector}-${id.task}`, logger, figures, letters);
  const notes = letterNotes({
    log,
    connector: id.connector,
    clientId: `connector-ledger-producer-${id.connector}-${id.task}`,
    overrides: keysUnder(config, 'producer.override.'),
    logger,
  });
  const task = await parts.plugin.start(parts.values, {
    connector: id.connector,
    task: id.task,
    rawConfig: spec.taskConfig,
    signal,
    log: logger,
    fail: (error) => env.fail(error),
    setFigure: (name, value, labels) => (labels === undefined ? figures.set(name, value) : figures.label(name, labels, value)),
    note: (text) => env.note(text),
    setReport: (report) => env.report(report),
    assignment: () => control.positions.keys(),
    topicId: (topic) => ids.of(topic),
    seek: (offsets) => void control.seeks.push(...offsets),
    pause: (partitions) => void control.switches.push({ paused: true, partitions }),
    resume: (partitions) => void control.switches.push({ paused: false, partitions }),
    requestCommit: () => {
      control.commitRequested = true;
    },
    report: reportTo(errors, parts, letters !== undefined),
    overtaken: notes.overtaken,
  });
  const groupId = overrides['group.id'] ?? `connect-${id.connector}`;
  const again = (await log.describeTopics([resubmissionTopic(groupId)])).length > 0 ? resubmissionTopic(groupId) : undefined;
  const group = await log.openGroup({
    clientId: `connector-consumer-${id.connector}-${id.task}`,
    groupId,
    topics: again === undefined ? topics : withTopic(topics, again),
    isolation: isolationOf(chosen['isolation.level'], again !== undefined),
    overrides,
    ...(opened === undefined ? {} : { appends: letterProducer(env, groupId, opened) }),
  });
  const chain = composeChain(parts.transforms);
  const serialized = chain === undefined ? parts.plugin.takesSerialized?.(parts.values) : undefined;
  const decoder = new SinkDecoder({ ...parts, serialized, errors, traced: letters !== undefined, resubmissionTopic: again });
  const loop = sinkLoop(
    {
      task,
      group,
      decoder,
      chain,
      control,
      figures,
      topicIds: ids,
      letters,
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
      await notes[Symbol.asyncDispose]();
      await group[Symbol.asyncDispose]();
    },
  };
}

/** Letters come in transactions, and one that was broken off is sent again: of those a sink that nobody told otherwise reads what counts. */
function isolationOf(level: string | undefined, readsLetters: boolean): NonNullable<GroupOptions['isolation']> {
  const committed = level === undefined ? readsLetters : level.trim() === 'read_committed';
  return committed ? 'read_committed' : 'read_uncommitted';
}

/** Dead letters that were resubmitted straight to this sink stand in a topic of its own. */
function withTopic(topics: GroupOptions['topics'], more: string): GroupOptions['topics'] {
  if ('names' in topics) return { names: [...topics.names, more] };
  return { pattern: `(?:${topics.pattern})|${more.replace(/[^A-Za-z0-9]/g, String.raw`\$&`)}` };
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
