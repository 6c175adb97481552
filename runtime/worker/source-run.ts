/** Puts a source task and its pipeline together, in the task's thread. */
import { ConfigError } from '../api/index.ts';
import type { RawConfig, SourcePosition } from '../api/index.ts';
import { BatchWriter, encodeHeaders } from '../batch/batch-writer.ts';
import { compressionCodecs } from '../batch/batch-header.ts';
import type { CompressionCodec } from '../batch/batch-header.ts';
import { partitionForKey } from '../batch/partitioner.ts';
import { BufferPool } from '../pipeline/buffer-pool.ts';
import { RecordEncoder } from '../pipeline/record-encoder.ts';
import { sourceLoop } from '../pipeline/source-loop.ts';
import type { PositionWriter } from '../pipeline/source-parts.ts';
import { topicCreation, topicDirectory } from '../pipeline/topic-directory.ts';
import { composeChain } from '../pipeline/transform-chain.ts';
import type { SourceParts } from '../plugins/pipeline-parts.ts';
import type { OutboundBatch } from '../ports/log.ts';
import { encodeOffsetKey, encodeOffsetValue } from '../stores/offset-codec.ts';
import { keysUnder } from './task-environment.ts';
import type { TaskEnvironment } from './task-environment.ts';
import type { TaskRun } from './task-run.ts';

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
  const producer = await log.openProducer({ clientId: `connector-producer-${id.connector}-${id.task}`, overrides });
  const task = await parts.plugin.start(parts.values, {
    connector: id.connector,
    task: id.task,
    rawConfig: spec.taskConfig,
    signal,
    log: logger,
    fail: (error) => env.fail(error),
    offsets: async (partitions) => [...(await env.offsets.read(partitions))],
  });
  const loop = sourceLoop(
    {
      task,
      chain: composeChain(parts.transforms),
      encoder,
      pool,
      producer,
      topics: topicDirectory(log, topicCreation(config, settings.topicCreation), (topic) => env.topicUsed(topic)),
      positions: positionWriter(env),
      errors: env.errors,
      figures,
      log: logger,
      flushIntervalMs: settings.offsetFlushIntervalMs,
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

const withoutHeaders = encodeHeaders([]);

function positionWriter({ spec, settings, offsets }: TaskEnvironment): PositionWriter {
  const target = settings.atomicOffsets;
  return {
    write: (positions) => offsets.write(positions),
    atomic: target === undefined ? undefined : (positions) => offsetBatches(spec.id.connector, positions, target),
  };
}

/** Batches for the offsets topic, one for each of its partitions that is touched. */
function offsetBatches(
  connector: string,
  positions: readonly SourcePosition[],
  topic: { name: string; partitions: number },
): OutboundBatch[] {
  const writers = new Map<number, BatchWriter>();
  const now = Date.now();
  for (const { partition: sourcePartition, offset } of positions) {
    const key = encodeOffsetKey(connector, sourcePartition);
    const value = encodeOffsetValue(offset);
    const partition = partitionForKey(key, topic.partitions);
    let writer = writers.get(partition);
    if (writer === undefined) writers.set(partition, (writer = new BatchWriter(new ArrayBuffer(512))));
    writer.beginRecord(now);
    writer.beginKey();
    writer.out.copy(key);
    writer.endKey(true);
    writer.beginValue();
    writer.out.copy(value);
    writer.endValue(true);
    writer.endRecord(withoutHeaders);
  }
  return [...writers].map(([partition, writer]) => ({ topic: topic.name, partition, ...writer.finish() }));
}
