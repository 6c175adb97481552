import { DataError, RetriableError } from '../api/index.ts';
import type { OutboundBatch } from '../ports/log.ts';
import type { TopicMetadata } from './cluster.ts';
import type { ProduceResult } from './produce-request.ts';
import type { Outgoing, ProducerPartition } from './producer-partition.ts';
import { brokerError, codes, passing, staleMetadata } from './protocol-error.ts';

export type Verdict =
  | { readonly kind: 'appended'; readonly baseOffset: bigint }
  | { readonly kind: 'again'; readonly error: Error; readonly staleMetadata: boolean; readonly mayBeAppended: boolean }
  | { readonly kind: 'stateLost'; readonly error: Error }
  | { readonly kind: 'refused'; readonly error: Error };

const stateLost: ReadonlySet<number> = new Set([codes.outOfOrderSequence, codes.unknownProducerId, codes.invalidProducerEpoch]);
const mayBeAppended: ReadonlySet<number> = new Set([codes.requestTimedOut, codes.notEnoughReplicasAfterAppend]);

/** What a broker's answer means for a batch. */
export function judge(clientId: string, { batch }: Outgoing, result: ProduceResult | undefined): Verdict {
  const doing = `producer "${clientId}", topic "${batch.topic}", partition ${batch.partition}: appending ${batch.records} records (${batch.length} bytes)`;
  if (result === undefined) {
    const error = new RetriableError(`${doing}: the broker's answer does not mention the partition.`);
    return { kind: 'again', error, staleMetadata: true, mayBeAppended: true };
  }
  const { errorCode, errorMessage, baseOffset } = result;
  switch (errorCode) {
    case codes.none:
    // Appended before, so long ago that the broker no longer knows where.
    case codes.duplicateSequence:
      return { kind: 'appended', baseOffset };
    case codes.messageTooLarge:
    case codes.recordListTooLarge:
      return { kind: 'refused', error: tooLarge(clientId, batch, 'the broker takes no more than max.message.bytes of the topic') };
    case codes.invalidRecord:
    case codes.invalidTopic:
      return { kind: 'refused', error: new DataError(brokerError(errorCode, doing, errorMessage).message) };
  }
  const error = brokerError(errorCode, doing, errorMessage);
  if (stateLost.has(errorCode)) return { kind: 'stateLost', error };
  if (!passing.has(errorCode)) return { kind: 'refused', error };
  return { kind: 'again', error, staleMetadata: staleMetadata.has(errorCode), mayBeAppended: mayBeAppended.has(errorCode) };
}

export function tooLarge(clientId: string, { topic, partition, length, records }: OutboundBatch, limit: string): DataError {
  const what = records === 1 ? 'a record' : `a batch of ${records} records`;
  return new DataError(`producer "${clientId}", topic "${topic}", partition ${partition}: ${what} takes ${length} bytes; ${limit}.`, {
    hint: 'Raise max.request.size of the producer and max.message.bytes of the topic, or compress.',
  });
}

export function outOfOrder(clientId: string, { topic, partition }: ProducerPartition): RetriableError {
  return new RetriableError(
    `producer "${clientId}", topic "${topic}", partition ${partition}: the broker took a batch before an earlier one.`,
  );
}

export function undelivered(
  clientId: string,
  { topic, partition }: ProducerPartition,
  timeoutMs: number,
  problem: Error | undefined,
): RetriableError {
  const doing = `producer "${clientId}", topic "${topic}", partition ${partition}: not delivered within delivery.timeout.ms=${timeoutMs}`;
  return new RetriableError(`${doing}: ${problem?.message ?? 'the broker did not answer in time.'}`, { cause: problem });
}

/** Why a partition cannot be written to, from what the cluster says of its topic; retriable where it may yet be made. */
export function missingTopic(
  clientId: string,
  { topic, partition }: ProducerPartition,
  metadata: TopicMetadata | undefined,
): Error | undefined {
  const doing = `producer "${clientId}", topic "${topic}"`;
  if (metadata === undefined || metadata.errorCode === codes.unknownTopicOrPartition) {
    return new RetriableError(`${doing}: it does not exist.`, {
      hint: 'Create it, or let it be created: auto.create.topics.enable of the brokers, or topic.creation.* of a source connector.',
    });
  }
  if (metadata.errorCode === codes.invalidTopic) {
    return new DataError(`${doing}: Kafka does not take this name.`, {
      hint: 'Letters, digits, ".", "_" and "-" are allowed, up to 249 of them.',
    });
  }
  if (metadata.errorCode !== codes.none && !passing.has(metadata.errorCode)) return brokerError(metadata.errorCode, doing);
  if (metadata.leaders.length > 0 && partition >= metadata.leaders.length) {
    return new RetriableError(`${doing}: there is no partition ${partition}; it has ${metadata.leaders.length}.`);
  }
  return undefined;
}
