import { ConnectError } from '../api/index.ts';
import { BatchWriter, encodeHeaders, mostRecordBytes } from '../batch/batch-writer.ts';
import type { WrittenBatch } from '../batch/batch-writer.ts';
import { compressBatch } from '../batch/compression.ts';
import { partitionForKey } from '../batch/partitioner.ts';
import type { OutboundBatch } from '../ports/log.ts';
import { shortened } from './dead-letter.ts';
import type { DeadLetter, LetterPlace } from './dead-letter.ts';
import type { DeadLetterTopic } from './dead-letter-topic.ts';

/** Letters of so many bytes share a batch. */
const batchBytes = 512 * 1024;

/**
 * The letters as batches for their topic, in order: those with equal keys in one partition; those without by the
 * partition that they were read from. A letter that the topic has no room for is compressed, and if need be its stack
 * trace cut. Throws a ConnectError for one that does not fit then: it is not dropped in silence.
 */
export function letterBatches(topic: DeadLetterTopic, letters: readonly (DeadLetter & LetterPlace)[]): OutboundBatch[] {
  const batches: OutboundBatch[] = [];
  const open = new Map<number, BatchWriter>();
  const close = (partition: number): void => {
    const writer = open.get(partition);
    if (writer !== undefined) batches.push({ topic: topic.name, partition, ...writer.finish() });
    open.delete(partition);
  };
  const bound = Math.min(batchBytes, topic.maxBatchBytes);
  for (const letter of letters) {
    const partition = partitionOf(topic, letter);
    const headers = encodeHeaders(letter.headers);
    const bytes = mostRecordBytes(letter.key, letter.value, headers);
    if ((open.get(partition)?.length ?? 0) + bytes > bound) close(partition);
    if (bytes > bound) {
      batches.push({ topic: topic.name, partition, ...large(topic, letter) });
      continue;
    }
    const writer = open.get(partition) ?? new BatchWriter(new ArrayBuffer(bytes));
    open.set(partition, writer);
    writer.add(letter.timestamp, letter.key, letter.value, headers);
  }
  for (const partition of [...open.keys()]) close(partition);
  return batches;
}

function partitionOf({ partitions }: DeadLetterTopic, { key, partition }: DeadLetter & LetterPlace): number {
  if (partitions === 1) return 0;
  return key === null ? Math.max(0, partition) % partitions : partitionForKey(key, partitions);
}

/** A batch of its own. */
function large(topic: DeadLetterTopic, letter: DeadLetter & LetterPlace): WrittenBatch {
  const whole = single(letter);
  if (whole.length <= topic.maxBatchBytes) return whole;
  for (const each of [whole, single(shortened(letter))]) {
    const compressed = compressBatch('gzip', each.buffer, each.length);
    if (compressed.length <= topic.maxBatchBytes) return { ...compressed, records: 1 };
  }
  throw new ConnectError(
    `the dead letter for topic "${letter.topic}", partition ${letter.partition}, offset ${letter.offset} has ${whole.length} bytes, ` +
      `more than the ${topic.maxBatchBytes} that topic "${topic.name}" or the producer takes, compressed as well.`,
    {
      hint: `Raise max.message.bytes of topic "${topic.name}" (and producer.override.max.request.size, if it is set), then restart the task.`,
    },
  );
}

function single(letter: DeadLetter): WrittenBatch {
  const headers = encodeHeaders(letter.headers);
  const writer = new BatchWriter(new ArrayBuffer((letter.value?.length ?? 0) + headers.length + 1024));
  writer.add(letter.timestamp, letter.key, letter.value, headers);
  return writer.finish();
}
