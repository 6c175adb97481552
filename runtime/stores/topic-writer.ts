/** Appends keyed records to one topic, spread as the JVM's producer spreads them. */
import { BatchWriter, encodeHeaders } from '../batch/batch-writer.ts';
import { partitionForKey } from '../batch/partitioner.ts';
import type { AppendedBatch, Log, LogProducer, OutboundBatch } from '../ports/log.ts';
import type { NewRecord } from './journal.ts';

/** The offset after the last record of a partition. */
export interface PartitionEnd {
  readonly partition: number;
  readonly offset: bigint;
}

export interface TopicWriter extends AsyncDisposable {
  /** Resolves when all are durable, with where each partition then ended. */
  append(records: readonly NewRecord[], partitions: number): Promise<readonly PartitionEnd[]>;
}

const fullBatchBytes = 256 << 10;
const noHeaders = encodeHeaders([]);

export function createTopicWriter(log: Log, topic: string, clientId: string): TopicWriter {
  let producer: Promise<LogProducer> | undefined;

  return {
    async append(records, partitions) {
      if (records.length === 0) return [];
      const batches = batchesOf(topic, records, partitions);
      const opened = (producer ??= log.openProducer({ clientId }));
      try {
        return endsOf(await (await opened).append(batches), batches);
      } catch (error) {
        // A producer that failed stays failed; the next write gets a new one.
        if (producer === opened) producer = undefined;
        await opened.then((broken) => broken[Symbol.asyncDispose]()).catch(() => {});
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      const opened = producer;
      producer = undefined;
      await opened?.then((last) => last[Symbol.asyncDispose]()).catch(() => {});
    },
  };
}

export function endsOf(appended: readonly AppendedBatch[], batches: readonly OutboundBatch[]): PartitionEnd[] {
  return appended.map(({ partition, baseOffset }, index) => ({
    partition,
    offset: baseOffset + BigInt((batches[index] as OutboundBatch).records),
  }));
}

/** The records of each partition in their order, cut below what brokers take by default (1 MB). */
export function batchesOf(topic: string, records: readonly NewRecord[], partitions: number): OutboundBatch[] {
  const writers = new Map<number, BatchWriter>();
  const batches: OutboundBatch[] = [];
  const timestamp = Date.now();
  for (const record of records) {
    const key = Buffer.from(record.key);
    const partition = partitionForKey(key, partitions);
    let writer = writers.get(partition);
    if (writer === undefined) writers.set(partition, (writer = new BatchWriter(new ArrayBuffer(1024))));
    writer.beginRecord(timestamp);
    writer.beginKey();
    writer.out.copy(key);
    writer.endKey(true);
    writer.beginValue();
    if (record.value !== null) writer.out.copy(Buffer.from(record.value));
    writer.endValue(record.value !== null);
    writer.endRecord(noHeaders);
    if (writer.length < fullBatchBytes) continue;
    batches.push({ topic, partition, ...writer.finish() });
    writers.delete(partition);
  }
  for (const [partition, writer] of writers) batches.push({ topic, partition, ...writer.finish() });
  return batches;
}
