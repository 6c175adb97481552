import { RetriableError } from '../api/index.ts';
import type { TopicPartition } from '../api/index.ts';
import type { ProducerIdentity } from './producer-identity.ts';
import { codeName, codes, passing } from './protocol-error.ts';
import type { TransactionCoordinator } from './transaction-coordinator.ts';
import { transactionError } from './transaction-errors.ts';
import type { TransactionNames } from './transaction-errors.ts';

/** What a producer is told of the transaction that its batches belong to. */
export interface TransactionListener {
  /** More partitions may be written to. */
  added(): void;
  /** The transaction is lost. */
  failed(error: Error): void;
}

interface WantedPartition extends TopicPartition {
  /** The coordinator does not know it, since then; not to be asked again before then. */
  missingSince?: number;
  notBefore?: number;
}

const backOffMissingMs = 50;

/**
 * The partitions that the coordinator knows to be in the transaction: no batch goes to another, or its markers would
 * not. Those asked for in one turn of the event loop, or while a request is on its way, share the next request.
 */
export class TransactionPartitions {
  readonly names: TransactionNames;
  readonly #coordinator: TransactionCoordinator;
  readonly #identity: ProducerIdentity;
  /** How long a partition may be unknown to the coordinator. */
  readonly #maxBlockMs: number;
  readonly #added = new Set<string>();
  readonly #wanted = new Map<string, WantedPartition>();
  #listener: TransactionListener | undefined;
  #adding: Promise<void> | undefined;
  #begun = false;
  #stopped = false;

  constructor(coordinator: TransactionCoordinator, identity: ProducerIdentity, maxBlockMs: number) {
    this.names = coordinator.names;
    this.#coordinator = coordinator;
    this.#identity = identity;
    this.#maxBlockMs = maxBlockMs;
  }

  listen(listener: TransactionListener): void {
    this.#listener = listener;
  }

  /** Whether the partition may be written to; where not yet, it is added, and the listener told. */
  admits({ topic, partition }: TopicPartition): boolean {
    const key = `${topic}/${partition}`;
    if (this.#added.has(key)) return true;
    if (this.#stopped) return false;
    if (!this.#wanted.has(key)) this.#wanted.set(key, { topic, partition });
    this.#adding ??= Promise.resolve()
      .then(() => this.#addAll())
      .catch((error: unknown) => this.#listener?.failed(error as Error))
      .finally(() => (this.#adding = undefined));
    return false;
  }

  /** To be called before the transaction is given what is no partition of a topic: offsets of a group. */
  beginOtherwise(): void {
    this.#begun = true;
  }

  /** The coordinator may have begun a transaction. */
  get begun(): boolean {
    return this.#begun;
  }

  /** The coordinator has begun a transaction. */
  get certain(): boolean {
    return this.#added.size > 0;
  }

  /** The next transaction begins with none. Nothing may be under way. */
  reset(): void {
    this.#added.clear();
    this.#wanted.clear();
    this.#begun = false;
  }

  /** Adds no more; resolves when no request is on its way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#adding;
  }

  async #addAll(): Promise<void> {
    const waiting = this.#coordinator.waitingSince(Date.now(), 'adding partitions to the transaction');
    for (let failures = 1; this.#wanted.size > 0 && !this.#stopped; failures++) {
      const now = Date.now();
      const ready = [...this.#wanted.values()].filter(({ notBefore = 0 }) => notBefore <= now);
      // One that the coordinator does not know yet makes it refuse all that are asked for beside it.
      const asked = ready.length > 0 ? ready : [...this.#wanted.values()];
      this.#begun = true;
      let results: readonly number[];
      try {
        results = await this.#coordinator.addPartitions(this.#identity, asked);
      } catch (error) {
        if (!(error instanceof RetriableError)) throw error;
        waiting(error.message);
        await this.#coordinator.backOff(failures);
        continue;
      }
      const open = this.#learn(asked, results);
      if (results.includes(codes.none)) this.#listener?.added();
      if (open === undefined) {
        failures = 0;
        continue;
      }
      waiting(`the coordinator answered ${codeName(open)}.`);
      await this.#coordinator.backOff(failures, open);
    }
  }

  /** The error code that is to be waited out, if there is one. Throws for what ends the transaction. */
  #learn(asked: readonly WantedPartition[], results: readonly number[]): number | undefined {
    const now = Date.now();
    let open: number | undefined;
    for (const [index, wanted] of asked.entries()) {
      const { topic, partition } = wanted;
      const errorCode = results[index] as number;
      if (errorCode === codes.none) {
        this.#added.add(`${topic}/${partition}`);
        this.#wanted.delete(`${topic}/${partition}`);
        continue;
      }
      if (open !== codes.operationNotAttempted) open = errorCode;
      if (errorCode === codes.operationNotAttempted) continue;
      const missing = errorCode === codes.unknownTopicOrPartition;
      if (missing) wanted.notBefore = now + backOffMissingMs;
      const patient = missing ? now - (wanted.missingSince ??= now) < this.#maxBlockMs : passing.has(errorCode);
      if (!patient) throw transactionError(this.names, errorCode, `topic "${topic}", partition ${partition}: adding it to the transaction`);
    }
    return open;
  }
}
