/**
 * Appends to one topic in transactions under a transactional id that a group's workers share: whoever claimed it
 * last can write, and nobody before. Source: KafkaConfigBackingStore's fencable producer (KIP-618).
 */
import { RetriableError } from '../api/index.ts';
import { FencedError } from '../ports/log.ts';
import type { Log, TransactionalProducer } from '../ports/log.ts';
import { batchesOf, endsOf } from './topic-writer.ts';
import type { TopicWriter } from './topic-writer.ts';

/** Each append is one transaction. After one that failed, the next needs a claim first. */
export interface ExclusiveTopicWriter extends TopicWriter {
  claim(): Promise<void>;
}

export function createExclusiveTopicWriter(log: Log, topic: string, clientId: string, transactionalId: string): ExclusiveTopicWriter {
  let producer: TransactionalProducer | undefined;
  let last: Promise<unknown> = Promise.resolve();

  /** One transaction at a time. */
  function inTurn<T>(job: () => Promise<T>): Promise<T> {
    const done = last.then(job);
    last = done.catch(() => {});
    return done;
  }

  async function letGo(): Promise<void> {
    const opened = producer;
    producer = undefined;
    try {
      await opened?.[Symbol.asyncDispose]();
    } catch {
      // It was broken, or fenced, already.
    }
  }

  return {
    claim: () =>
      inTurn(async () => {
        await letGo();
        producer = await log.openTransactionalProducer({ clientId: `${clientId}-leader`, transactionalId });
      }),
    append: (records, partitions) =>
      inTurn(async () => {
        if (records.length === 0) return [];
        if (producer === undefined) {
          throw new RetriableError(
            `topic ${topic}: this worker cannot write there as the leader: it has not claimed the transactional id "${transactionalId}", or lost it.`,
            { hint: 'Ask again: the leader claims it before it writes.' },
          );
        }
        const batches = batchesOf(topic, records, partitions);
        try {
          const appended = await producer.append(batches);
          await producer.commitTransaction();
          return endsOf(appended, batches);
        } catch (cause) {
          const fenced = cause instanceof FencedError;
          // An open transaction would keep every reader waiting until it times out.
          if (!fenced) await producer.abortTransaction().catch(() => {});
          await letGo();
          if (!fenced) throw cause;
          throw new RetriableError(
            `topic ${topic}: another worker leads now, so this one may not write there (transactional id "${transactionalId}").`,
            { cause, hint: 'Ask again: the request then goes to the new leader.' },
          );
        }
      }),
    [Symbol.asyncDispose]: () => inTurn(letGo),
  };
}
