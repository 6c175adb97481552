import { addOffsetsToTxnV3, addPartitionsToTxnV3, endTxnV3, initProducerIdV4 } from '@platformatic/kafka';
import type { Connection } from '@platformatic/kafka';
import { RetriableError } from '../api/index.ts';
import type { TopicPartition } from '../api/index.ts';
import type { Cluster } from './cluster.ts';
import { Coordinator } from './coordinator.ts';
import type { ProducerIdentity } from './producer-identity.ts';
import { codeName, codes, passing } from './protocol-error.ts';
import { backoffMs, pause } from './retry.ts';
import { describeTransaction, transactionError } from './transaction-errors.ts';
import type { TransactionNames } from './transaction-errors.ts';
import type { Warn } from './warning.ts';

/** The markers of the transaction before are being written, or another partition was at fault: no long wait. */
const soon: ReadonlySet<number | undefined> = new Set([codes.concurrentTransactions, codes.operationNotAttempted]);
const soonBackoff = { initialMs: 5, maxMs: 200 };
/** So long a wait may be silent. */
const quietMs = 2_000;

/**
 * What a transactional producer asks of its coordinator, as of KIP-98, "version 1": partitions are added by
 * AddPartitionsToTxn 3 before the first batch goes to them, and EndTxn 3 leaves the epoch alone. All brokers from 3.5
 * to 4.x take that from clients, and go by the versions of the requests, whatever their transaction.version is;
 * KIP-890's "version 2" (Produce 12 adds partitions, EndTxn 5 raises the epoch) exists from 4.0 on only, and the
 * choice would have to be made anew whenever a cluster is upgraded or downgraded below a running producer. What it
 * guards against, late requests of an earlier transaction, is met otherwise: a transaction ends when none is on its
 * way, and after an answer that never came the epoch is raised by InitProducerId (KIP-360).
 */
export class TransactionCoordinator {
  readonly names: TransactionNames;
  readonly #cluster: Cluster;
  readonly #coordinator: Coordinator;
  readonly #warn: Warn;
  readonly #closing = new AbortController();

  constructor(cluster: Cluster, names: TransactionNames, warn: Warn) {
    this.names = names;
    this.#cluster = cluster;
    this.#coordinator = new Coordinator(cluster, names.clientId, names.transactionalId, 'transactional id');
    this.#warn = warn;
  }

  /**
   * A producer id and epoch that fence all before them; an unfinished transaction of theirs is aborted. With
   * `current`, the epoch after that one: rejects with a FencedError when another producer has taken over.
   */
  async begin(withinMs: number, current: ProducerIdentity = { id: -1n, epoch: -1 }): Promise<ProducerIdentity> {
    let identity = current;
    await this.retrying('asking for a producer id', withinMs, async () => {
      const { transactionalId, timeoutMs } = this.names;
      const answer = await this.#ask((connection) =>
        initProducerIdV4.api.async(connection, transactionalId, timeoutMs, current.id, current.epoch),
      );
      identity = { id: answer.producerId, epoch: answer.producerEpoch };
      return answer.errorCode;
    });
    return identity;
  }

  /** Asks once; the error code of each partition, in order. */
  async addPartitions({ id, epoch }: ProducerIdentity, partitions: readonly TopicPartition[]): Promise<readonly number[]> {
    const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, each]) => ({
      name,
      partitions: each.map(({ partition }) => partition),
    }));
    const { transactionalId } = this.names;
    const transaction = { transactionalId, producerId: id, producerEpoch: epoch, verifyOnly: false, topics };
    const answer = await this.#ask((connection) => addPartitionsToTxnV3.api.async(connection, [transaction]));
    const found = new Map<string, number>();
    for (const { name, resultsByPartition } of answer.resultsByTransaction.flatMap(({ topicResults }) => topicResults)) {
      for (const { partitionIndex, partitionErrorCode } of resultsByPartition) found.set(`${name}/${partitionIndex}`, partitionErrorCode);
    }
    const results = partitions.map(({ topic, partition }) => found.get(`${topic}/${partition}`) ?? codes.operationNotAttempted);
    for (const errorCode of new Set(results)) await this.#coordinator.noticed(errorCode);
    return results;
  }

  /**
   * Ends the transaction. A commit that resolves stands, whatever comes; readers see it when the markers are written,
   * moments later. `unanswered` is told of requests that may have had an effect, or may yet have. Rejects with a RetriableError when the
   * coordinator gave no clear answer in time: the transaction may have ended or not.
   */
  async end({ id, epoch }: ProducerIdentity, commit: boolean, withinMs: number, unanswered: () => void): Promise<void> {
    await this.retrying(commit ? 'committing' : 'aborting', withinMs, async () => {
      try {
        const answer = await this.#ask((connection) => endTxnV3.api.async(connection, this.names.transactionalId, id, epoch, commit));
        return answer.errorCode;
      } catch (error) {
        unanswered();
        throw error;
      }
    });
  }

  /** Makes the offsets of a group part of the transaction: its markers go to them too. Asks once; resolves with the error code. */
  async addOffsets({ id, epoch }: ProducerIdentity, groupId: string): Promise<number> {
    const { transactionalId } = this.names;
    const answer = await this.#ask((connection) => addOffsetsToTxnV3.api.async(connection, transactionalId, id, epoch, groupId));
    return answer.errorCode;
  }

  /** Waits before the next try, with backoff; returns early when closed. */
  async backOff(failures: number, errorCode?: number): Promise<void> {
    const settings = soon.has(errorCode) ? soonBackoff : this.#cluster.network.retry;
    await pause(backoffMs(settings, failures), this.#closing.signal);
  }

  /** Warns of a wait, once it is no longer short. */
  waitingSince(since: number, doing: string): (problem: string) => void {
    let told = false;
    return (problem) => {
      if (told || Date.now() - since < quietMs) return;
      told = true;
      this.#warn(`${describeTransaction(this.names)}: ${doing}: trying again: ${problem}`);
    };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#coordinator.forget();
  }

  #ask<T>(question: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#coordinator.ask(question);
  }

  /** Repeats what the error code, or no answer, says may pass; throws for any other code. */
  async retrying(doing: string, withinMs: number, attempt: () => Promise<number>): Promise<void> {
    const start = Date.now();
    const waiting = this.waitingSince(start, doing);
    for (let failures = 1; ; failures++) {
      const answer = await attempt().catch((error: unknown) => {
        if (error instanceof RetriableError) return error;
        throw error;
      });
      if (answer === codes.none) return;
      let problem = answer;
      let errorCode: number | undefined;
      if (typeof problem === 'number') {
        errorCode = problem;
        await this.#coordinator.noticed(errorCode);
        if (!passing.has(errorCode)) throw transactionError(this.names, errorCode, doing);
        problem = new RetriableError(`the coordinator answered ${codeName(errorCode)}.`);
      }
      if (this.#closing.signal.aborted || this.#cluster.closed || Date.now() - start >= withinMs) {
        throw new RetriableError(
          `${describeTransaction(this.names)}: ${doing}: gave up after ${Date.now() - start} ms: ${problem.message}`,
          {
            cause: problem,
          },
        );
      }
      waiting(problem.message);
      await this.backOff(failures, errorCode);
    }
  }
}
