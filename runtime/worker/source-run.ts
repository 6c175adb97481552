/** Puts a source task and its pipeline together, in the task's thread. */
import { ConfigError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';
import { compressionCodecs } from '../batch/batch-header.ts';
import type { CompressionCodec } from '../batch/batch-header.ts';
import { BufferPool } from '../pipeline/buffer-pool.ts';
import { errorPolicy } from '../pipeline/error-policy.ts';
import { RecordEncoder } from '../pipeline/record-encoder.ts';
import { sourceDeadLetters } from '../pipeline/source-dead-letters.ts';
import { sourceLoop } from '../pipeline/source-loop.ts';
import type { PositionWriter } from '../pipeline/source-parts.ts';
import { topicCreation, topicDirectory } from '../pipeline/topic-directory.ts';
import { composeChain } from '../pipeline/transform-chain.ts';
import type { SourceParts } from '../plugins/pipeline-parts.ts';
import { offsetBatches } from '../stores/offset-batches.ts';
import { encodeOffsetKey, encodeOffsetValue } from '../stores/offset-codec.ts';
import { openDeadLetters } from './dead-letters.ts';
import { openTransactions } from './source-transactions.ts';
import { keysUnder } from './task-environment.ts';
import type { TaskEnvironment } from './task-environment.ts';
import type { OffsetPlace } from './task-messages.ts';
import type { TaskRun } from './task-run.ts';
import { followTopic } from './topic-follower.ts';

const keptBufferBytes = 8 * 1024 * 1024;
/** What a request holds beside its one batch. */
const requestOverheadBytes = 512;

export async function startSource(env: TaskEnvironment, parts: SourceParts): Promise<TaskRun> {
  const { spec, settings, log, logger, figures, signal } = env;
  const { connectorConfig: config, id } = spec;
  const overrides = keysUnder(config, 'producer.override.');
  const chosen = { ...settings.clients?.producer, ...overrides };
  const maxRecordBytes = Number(chosen['max.request.size'] ?? 1_048_576) - requestOverheadBytes;
  const pool = new BufferPool(keptBufferBytes);
  const encoder = new RecordEncoder({
    ...parts,
    pool,
    maxRecordBytes,
    maxBatchBytes: Math.min(maxRecordBytes, 900 * 1024),
    compression: compressionOf(chosen),
  });
  const opened = spec.exactlyOnce === undefined ? undefined : await openTransactions(env, spec.exactlyOnce);
  const producer =
    opened?.transactions.producer ?? (await log.openProducer({ clientId: `connector-producer-${id.connector}-${id.task}`, overrides }));
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
    offsets: async (partitions) => [...(await env.offsets.read(partitions))],
    followTopic: (following) => followTopic(log, following, `connector-topic-${id.connector}-${id.task}`, logger),
    ...(opened?.requests === undefined ? {} : { transactionContext: opened.requests.context }),
  });
  const dead = await openDeadLetters(env, []);
  const letters = dead === undefined ? undefined : sourceDeadLetters(dead.settings, dead.topic, figures);
  const loop = sourceLoop(
    {
      task,
      chain: composeChain(parts.transforms),
      encoder,
      pool,
      producer,
      topics: topicDirectory(log, topicCreation(config, settings.topicCreation), (topic) => env.topicUsed(topic)),
      positions: await positionWriter(env),
      errors: errorPolicy(config, `${id.connector}-${id.task}`, logger, figures, letters),
      letters,
      figures,
      log: logger,
      flushIntervalMs: settings.offsetFlushIntervalMs,
      ...(opened === undefined ? {} : { transactions: opened.transactions }),
    },
    spec.paused,
  );
  return {
    loop,
    async [Symbol.asyncDispose]() {
      await task[Symbol.asyncDispose]();
      await producer[Symbol.asyncDispose]();
    },
  };
}

function compressionOf(settings: RawConfig): CompressionCodec {
  const wanted = settings['compression.type'] ?? 'none';
  const codec = compressionCodecs.find((name) => name === wanted.trim().toLowerCase());
  if (codec === undefined) {
    throw new ConfigError(
      `compression.type=${wanted} (producer.override. in the connector, producer. in the worker file): expected one of ${compressionCodecs.join(', ')}`,
    );
  }
  return codec;
}

async function positionWriter({ spec, offsets, log }: TaskEnvironment): Promise<PositionWriter> {
  const write: PositionWriter['write'] = (positions) => offsets.write(positions);
  const { topic, atomic, copied } = log.kind === 'embedded' ? await offsets.place() : nowhere;
  // Where there is a second topic for them, the store knows in which order they are written.
  if (topic === undefined || !atomic || copied) return { write, atomic: undefined };
  const { connector } = spec.id;
  return {
    write,
    atomic: (positions) =>
      offsetBatches(
        topic,
        positions.map(({ partition, offset }) => ({ key: encodeOffsetKey(connector, partition), value: encodeOffsetValue(offset) })),
      ),
  };
}

const nowhere: OffsetPlace = { topic: undefined, atomic: false, copied: false };
