import { crc32c } from '@platformatic/wasm-utils';

import { DataError, RetriableError } from '../api/index.ts';
import { readBatchHeader, stampBaseOffset, stampCrc, stampLogAppendTime } from '../batch/batch-header.ts';
import type { BatchHeader } from '../batch/batch-header.ts';
import type { AppendedBatch, LogProducer, OutboundBatch, ProducerOptions } from '../ports/log.ts';
import type { BatchStore } from './batch-store.ts';
import type { Catalog } from './catalog.ts';
import { bound, setting } from './topic-config.ts';
import type { Transaction, TransactionQueue } from './transaction-queue.ts';

export interface ProducerSurroundings {
  readonly catalog: Catalog;
  readonly store: BatchStore;
  readonly queue: TransactionQueue;
  readonly autoCreateTopics: boolean;
  readonly now: () => number;
}

/** A batch that is fit to be stored. */
export interface CheckedBatch {
  readonly batch: OutboundBatch;
  readonly bytes: Buffer;
  readonly header: BatchHeader;
}

/** A producer on the embedded log. Overrides that it acts on: `max.request.size` (none: no bound), `delivery.timeout.ms`. */
export function openProducer(surroundings: ProducerSurroundings, options: ProducerOptions): LogProducer {
  const { queue } = surroundings;
  const maxBytes = Number(options.overrides?.['max.request.size'] ?? Infinity);
  const retryForMs = Number(options.overrides?.['delivery.timeout.ms'] ?? 120_000);
  const pending = new Set<Promise<unknown>>();
  let broken: Error | undefined;
  let closed = false;

  const store = (checked: readonly CheckedBatch[]) => (transaction: Transaction) => {
    if (broken !== undefined) throw brokenBefore(options.clientId, broken);
    return checked.map((each) => storeBatch(surroundings, transaction, each));
  };

  async function append(batches: readonly OutboundBatch[]): Promise<readonly AppendedBatch[]> {
    if (closed) throw new RetriableError(`producer ${options.clientId}: it is closed.`);
    if (broken !== undefined) throw brokenBefore(options.clientId, broken);
    if (batches.length === 0) return [];
    try {
      const checked = batches.map((batch) => checkBatch(batch, maxBytes));
      const bytes = batches.reduce((sum, batch) => sum + batch.length, 0);
      return await queue.submit({ doing: 'appending to', bytes, retryForMs }, store(checked));
    } catch (error) {
      broken ??= error instanceof Error ? error : new Error(String(error));
      throw error;
    }
  }

  return {
    append(batches) {
      const call = append(batches);
      pending.add(call);
      const done = (): void => void pending.delete(call);
      call.then(done, done);
      return call;
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      await Promise.allSettled(pending);
    },
  };
}

function brokenBefore(clientId: string, cause: Error): RetriableError {
  return new RetriableError(
    `producer ${clientId}: an append before this one failed (${cause.message}); later records must not overtake it.`,
    { cause },
  );
}

/** Throws a DataError for what is no batch, or too large a one. */
export function checkBatch(batch: OutboundBatch, maxBytes: number): CheckedBatch {
  const where = `topic "${batch.topic}", partition ${batch.partition}`;
  if (batch.length > maxBytes) {
    throw new DataError(`${where}: a record batch of ${batch.length} bytes is above max.request.size, ${maxBytes}.`, {
      hint: 'Raise producer.override.max.request.size, or write smaller records.',
    });
  }
  const bytes = Buffer.from(batch.buffer, 0, batch.length);
  let header: BatchHeader | undefined;
  try {
    header = readBatchHeader(bytes, 0);
  } catch (error) {
    throw new DataError(`${where}: these bytes are no record batch.`, { cause: error });
  }
  const isWhole =
    header?.end === batch.length && header.records === batch.records && header.lastOffset - header.baseOffset === BigInt(batch.records - 1);
  if (header === undefined || !isWhole || batch.records < 1) {
    throw new DataError(`${where}: ${batch.length} bytes with ${batch.records} records are not one whole record batch.`);
  }
  return { batch, bytes, header };
}

export function storeBatch(
  surroundings: ProducerSurroundings,
  transaction: Transaction,
  { batch, bytes, header }: CheckedBatch,
): AppendedBatch {
  const { catalog, store, autoCreateTopics, now } = surroundings;
  const { topic, partition } = catalog.forAppend(transaction, batch, autoCreateTopics);
  const limit = bound(topic.config, 'max.message.bytes');
  if (batch.length > limit) {
    throw new DataError(
      `topic "${batch.topic}", partition ${batch.partition}: a record batch of ${batch.length} bytes is above the topic's max.message.bytes, ${limit}.`,
    );
  }
  const baseOffset = partition.nextOffset;
  const lastOffset = baseOffset + BigInt(batch.records - 1);
  let { maxTimestamp } = header;
  if (setting(topic.config, 'message.timestamp.type') === 'LogAppendTime') {
    maxTimestamp = now();
    stampLogAppendTime(bytes, maxTimestamp);
  }
  stampBaseOffset(bytes, 0, baseOffset);
  stampCrc(bytes, batch.length, crc32c);
  store.insert(partition, { baseOffset, lastOffset, maxTimestamp, body: bytes });
  partition.nextOffset = lastOffset + 1n;
  transaction.onRollback(() => void (partition.nextOffset = baseOffset));
  return { topic: batch.topic, partition: batch.partition, baseOffset, buffer: batch.buffer };
}
