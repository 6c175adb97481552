import { ConnectError, RetriableError } from '../api/index.ts';
import type { PartitionOffset } from '../api/index.ts';
import type { AppendedBatch, OutboundBatch, TransactionalProducer } from '../ports/log.ts';
import type { ProducerSettings } from './client-settings.ts';
import type { Cluster } from './cluster.ts';
import type { Coordinator } from './coordinator.ts';
import { commitOffsetsInTransaction } from './group-offsets.ts';
import type { CommitIdentity } from './group-offsets.ts';
import { KafkaProducer } from './producer.ts';
import type { ProducerIdentity } from './producer-identity.ts';
import { codeName, codes } from './protocol-error.ts';
import { within } from './retry.ts';
import { TransactionCoordinator } from './transaction-coordinator.ts';
import { breaksForGood, describeTransaction } from './transaction-errors.ts';
import type { TransactionNames } from './transaction-errors.ts';
import { TransactionPartitions } from './transaction-partitions.ts';
import type { Warn } from './warning.ts';

const closeTimeoutMs = 5000;

/** An idempotent producer under one producer id and epoch, and the partitions of its open transaction. */
interface Line {
  readonly producer: KafkaProducer;
  readonly partitions: TransactionPartitions;
}

/** A consumer group whose offsets go into a transaction, and the member that they are stored as. */
export interface OffsetsOwner {
  readonly groupId: string;
  readonly coordinator: Coordinator;
  readonly as: CommitIdentity;
}

export interface OffsetsProducer extends TransactionalProducer {
  /**
   * Stores offsets of a group as part of the transaction. Rejects as an append does: the transaction is to be aborted;
   * with the code of an answer that the membership is no longer valid, the error has that code.
   */
  sendOffsets(group: OffsetsOwner, offsets: readonly PartitionOffset[]): Promise<void>;
}

/** Fences earlier producers of the id, waits until their transactions are ended; for up to `max.block.ms`. */
export async function openTransactionalProducer(
  cluster: Cluster,
  names: TransactionNames,
  settings: ProducerSettings,
  warn: Warn,
): Promise<OffsetsProducer> {
  const coordinator = new TransactionCoordinator(cluster, names, warn);
  try {
    return new KafkaTransactionalProducer(cluster, settings, coordinator, await coordinator.begin(settings.maxBlockMs), warn);
  } catch (error) {
    await coordinator.close();
    throw error;
  }
}

/**
 * Appends within transactions (KIP-98). An append that fails spoils its transaction: the commit rejects with the same
 * error, and after an abort the producer goes on, under the next epoch (KIP-360), so that nothing of the spoilt
 * transaction can come late. What it cannot get over ({@link breaksForGood}) every later call rejects with.
 */
class KafkaTransactionalProducer implements OffsetsProducer {
  readonly #cluster: Cluster;
  readonly #settings: ProducerSettings;
  readonly #coordinator: TransactionCoordinator;
  readonly #warn: Warn;
  readonly #name: string;
  readonly #underWay = new Set<Promise<unknown>>();
  #identity: ProducerIdentity;
  #line: Line;
  /** The identity must change before more is written. */
  #stale = false;
  /** Appends wait for it: a commit or an abort that was called before them. */
  #gate: Promise<void> | undefined;
  /** Why the open transaction cannot be committed. */
  #spoilt: Error | undefined;
  /** It is not known whether the open transaction was committed. */
  #undecided: Error | undefined;
  /** Why nothing works any more. */
  #dead: Error | undefined;
  #closing: Promise<void> | undefined;

  /** `identity` is what the coordinator gave for this id. */
  constructor(cluster: Cluster, settings: ProducerSettings, coordinator: TransactionCoordinator, identity: ProducerIdentity, warn: Warn) {
    this.#cluster = cluster;
    this.#settings = settings;
    this.#coordinator = coordinator;
    this.#warn = warn;
    this.#name = describeTransaction(coordinator.names);
    this.#identity = identity;
    this.#line = this.#newLine();
  }

  append(batches: readonly OutboundBatch[]): Promise<readonly AppendedBatch[]> {
    return this.#gate === undefined ? this.#append(batches) : this.#gate.then(() => this.#append(batches));
  }

  sendOffsets(group: OffsetsOwner, offsets: readonly PartitionOffset[]): Promise<void> {
    return this.#gate === undefined ? this.#sendOffsets(group, offsets) : this.#gate.then(() => this.#sendOffsets(group, offsets));
  }

  commitTransaction(): Promise<void> {
    return this.#inTurn(() => this.#commit());
  }

  abortTransaction(): Promise<void> {
    return this.#inTurn(() => this.#abort());
  }

  /** Aborts what is open. */
  [Symbol.asyncDispose](): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  #append(batches: readonly OutboundBatch[]): Promise<readonly AppendedBatch[]> {
    const refusal = this.#dead ?? this.#undecided ?? this.#spoilt;
    if (refusal !== undefined) return Promise.reject(refusal);
    const appended = this.#line.producer.append(batches);
    const done: Promise<unknown> = appended.then(
      () => this.#underWay.delete(done),
      (error: unknown) => {
        this.#underWay.delete(done);
        this.#fail(error as Error);
      },
    );
    this.#underWay.add(done);
    return appended;
  }

  #sendOffsets(group: OffsetsOwner, offsets: readonly PartitionOffset[]): Promise<void> {
    const refusal = this.#dead ?? this.#undecided ?? this.#spoilt;
    if (refusal !== undefined) return Promise.reject(refusal);
    const { groupId, as, coordinator } = group;
    const { maxBlockMs } = this.#settings;
    const { transactionalId } = this.#coordinator.names;
    const identity = { ...this.#identity, transactionalId };
    this.#line.partitions.beginOtherwise();
    const ask = (doing: string, question: () => Promise<number>): Promise<void> =>
      this.#coordinator.retrying(`${doing} the offsets of group "${groupId}"`, maxBlockMs, async () => {
        try {
          return await question();
        } catch (error) {
          // Carried out late, it would put these offsets into a later transaction.
          this.#stale = true;
          throw error;
        }
      });
    const sent = ask('adding to the transaction', () => this.#coordinator.addOffsets(identity, groupId)).then(() =>
      ask('storing', () => commitOffsetsInTransaction(coordinator, groupId, offsets, as, identity)),
    );
    const done: Promise<unknown> = sent.then(
      () => this.#underWay.delete(done),
      (error: unknown) => {
        this.#underWay.delete(done);
        this.#fail(error as Error);
      },
    );
    this.#underWay.add(done);
    return sent;
  }

  /** Ends come one after the other, each before the appends that were called after it. */
  #inTurn(end: () => Promise<void>): Promise<void> {
    const ended = (this.#gate ?? Promise.resolve()).then(end);
    const gate: Promise<void> = ended
      .catch(() => {})
      .then(() => this.#renew())
      .then(() => {
        if (this.#gate === gate) this.#gate = undefined;
      });
    this.#gate = gate;
    return ended;
  }

  async #commit(): Promise<void> {
    await Promise.all(this.#underWay);
    const refusal = this.#dead ?? this.#spoilt;
    if (refusal !== undefined) throw refusal;
    const { partitions } = this.#line;
    if (!partitions.begun) return;
    try {
      await this.#end(true);
      this.#undecided = undefined;
      partitions.reset();
    } catch (error) {
      if (
        !(error instanceof RetriableError) ||
        isCode(error, codes.invalidProducerIdMapping, codes.invalidTxnState, codes.transactionAbortable)
      ) {
        this.#fail(error as Error);
        throw error;
      }
      this.#undecided = new RetriableError(`${error.message} It is not known whether the transaction was committed.`, {
        cause: error,
        hint: 'Commit again, or close the producer, open it anew, and read what was committed.',
      });
      throw this.#undecided;
    }
  }

  async #abort(): Promise<void> {
    const refusal = this.#dead ?? this.#undecided;
    if (refusal !== undefined) throw refusal;
    // With no way to the brokers, what is under way would be waited for as long as they are away.
    await within(this.#settings.maxBlockMs, Promise.all(this.#underWay));
    if (this.#dead !== undefined) throw this.#dead;
    const aborted = new ConnectError(`${this.#name}: the transaction was aborted.`);
    if (this.#underWay.size > 0) this.#spoilt ??= aborted;
    if (this.#spoilt !== undefined) await this.#drop(aborted, Infinity);
    const { partitions } = this.#line;
    if (partitions.begun) {
      try {
        await this.#end(false);
      } catch (error) {
        // The coordinator has nothing to abort: no partition was ever added, or it forgot the id.
        const nothing = (isCode(error, codes.invalidTxnState) && !partitions.certain) || isCode(error, codes.invalidProducerIdMapping);
        if (!nothing) {
          this.#fail(error as Error);
          throw error;
        }
        this.#stale = true;
      }
      partitions.reset();
    }
    this.#spoilt = undefined;
  }

  #end(commit: boolean): Promise<void> {
    // A request without an answer may be carried out late, and would end the next transaction.
    const unanswered = (): void => void (this.#stale = true);
    return this.#coordinator.end(this.#identity, commit, this.#settings.maxBlockMs, unanswered);
  }

  /** Gives up what is on its way; nothing more is written under this identity. */
  async #drop(error: Error, withinMs: number): Promise<void> {
    this.#stale = true;
    await this.#line.partitions.stop();
    await this.#line.producer.abandon(error, withinMs);
  }

  /** A new epoch, where one is due and no transaction is open. */
  async #renew(): Promise<void> {
    if (!this.#stale || this.#dead !== undefined || this.#undecided !== undefined || this.#line.partitions.begun) return;
    try {
      this.#identity = await this.#coordinator.begin(this.#settings.maxBlockMs, this.#identity);
      await this.#line.producer[Symbol.asyncDispose]();
      this.#line = this.#newLine();
      this.#stale = false;
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #newLine(): Line {
    const { clientId } = this.#coordinator.names;
    const partitions = new TransactionPartitions(this.#coordinator, this.#identity, this.#settings.maxBlockMs);
    const producer = new KafkaProducer(this.#cluster, clientId, this.#settings, this.#identity, this.#warn, partitions);
    return { producer, partitions };
  }

  #fail(error: Error): void {
    this.#spoilt ??= error;
    if (breaksForGood(error)) this.#dead ??= error;
  }

  async #close(): Promise<void> {
    const closed = new RetriableError(`${this.#name}: was closed.`);
    const wasDead = this.#dead !== undefined;
    this.#dead ??= closed;
    const before = Date.now() + closeTimeoutMs;
    const leftMs = (): number => Math.max(0, before - Date.now());
    await within(leftMs(), this.#gate);
    await within(leftMs(), this.#drop(closed, leftMs()));
    const ending = this.#gate !== undefined || this.#undecided !== undefined;
    if (!wasDead && !ending && this.#line.partitions.begun) {
      // Otherwise the coordinator does so after transaction.timeout.ms, and readers wait for it.
      await this.#coordinator.end(this.#identity, false, leftMs(), () => {}).catch(() => {});
    }
    await this.#coordinator.close();
  }
}

function isCode(error: unknown, ...errorCodes: readonly number[]): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return errorCodes.some((each) => codeName(each) === code);
}
