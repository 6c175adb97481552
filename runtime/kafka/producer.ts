import { RetriableError } from '../api/index.ts';
import { stampCrc, stampProducer } from '../batch/batch-header.ts';
import type { AppendedBatch, LogProducer, OutboundBatch } from '../ports/log.ts';
import { checksum } from './checksum.ts';
import type { ProducerSettings } from './client-settings.ts';
import type { Cluster } from './cluster.ts';
import { overheadBytes, produceApi, readProduce, writeProduce } from './produce-request.ts';
import type { ProduceResult } from './produce-request.ts';
import { gatherRequests } from './produce-gather.ts';
import type { Broker, Sending } from './produce-gather.ts';
import { outOfOrder, tooLarge, undelivered } from './producer-errors.ts';
import { newProducerIdentity } from './producer-identity.ts';
import type { ProducerIdentity } from './producer-identity.ts';
import { ProducerPartition } from './producer-partition.ts';
import type { AppendCall } from './producer-partition.ts';
import { TopicSearch } from './producer-topics.ts';
import { backoffMs, pause } from './retry.ts';
import { judgeIn } from './transaction-errors.ts';
import type { TransactionPartitions } from './transaction-partitions.ts';
import type { Warn } from './warning.ts';

const closeTimeoutMs = 5000;

/**
 * Sends ready-made record batches, each partition in order and each batch once (idempotent, acks=all). With a
 * `transaction` they are part of it: nothing goes to a partition that is not in it, and what would make the producer
 * go on under a new id breaks it instead, since that would tear the transaction.
 */
export class KafkaProducer implements LogProducer {
  readonly #cluster: Cluster;
  readonly #clientId: string;
  readonly #settings: ProducerSettings;
  readonly #warn: Warn;
  readonly #partitions = new Map<string, ProducerPartition>();
  readonly #busy = new Set<ProducerPartition>();
  readonly #brokers = new Map<number, Broker>();
  readonly #topics: TopicSearch;
  readonly #transaction: TransactionPartitions | undefined;
  readonly #closing = new AbortController();
  readonly #deadlines: NodeJS.Timeout | undefined;
  #identity: ProducerIdentity | undefined;
  #broken: Error | undefined;
  #closed: Error | undefined;
  #problem: Error | undefined;
  #stateLost: Error | undefined;
  /** New producer ids since a batch was last acknowledged. */
  #restarts = 0;
  #scheduled = false;

  constructor(
    cluster: Cluster,
    clientId: string,
    settings: ProducerSettings,
    identity: ProducerIdentity,
    warn: Warn,
    transaction?: TransactionPartitions,
  ) {
    this.#cluster = cluster;
    this.#clientId = clientId;
    this.#settings = settings;
    this.#identity = identity;
    this.#warn = warn;
    this.#transaction = transaction;
    transaction?.listen({ added: () => this.#schedule(), failed: (error) => this.#break(error) });
    const { deliveryTimeoutMs, maxBlockMs } = settings;
    this.#topics = new TopicSearch({
      cluster,
      clientId,
      maxBlockMs,
      waiting: this.#busy,
      signal: this.#closing.signal,
      asked: () => this.#schedule(),
      troubled: (error) => (this.#problem ??= error),
      failed: (error) => this.#break(error),
    });
    if (deliveryTimeoutMs === Infinity) return;
    this.#deadlines = setInterval(() => this.#checkDeadlines(), Math.max(10, Math.min(1000, deliveryTimeoutMs / 5)));
  }

  append(batches: readonly OutboundBatch[]): Promise<readonly AppendedBatch[]> {
    const refusal = this.#broken ?? this.#closed;
    if (refusal !== undefined) return Promise.reject(refusal);
    for (const batch of batches) {
      if (batch.length + overheadBytes(batch.topic) > this.#settings.maxRequestBytes + 512) {
        const error = tooLarge(this.#clientId, batch, `max.request.size is ${this.#settings.maxRequestBytes}`);
        this.#break(error);
        return Promise.reject(error);
      }
    }
    if (batches.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      const call: AppendCall = { outstanding: batches.length, appended: new Array(batches.length), resolve, reject };
      const since = Date.now();
      for (const [index, batch] of batches.entries()) {
        const partition = this.#partitionOf(batch);
        const bytes = Buffer.from(batch.buffer, 0, batch.length);
        partition.push({ batch, bytes, call, index, since, sequence: -1, uncertain: false });
        this.#busy.add(partition);
      }
      this.#schedule();
    });
  }

  /** Waits a little for what is on its way. */
  async [Symbol.asyncDispose](): Promise<void> {
    const before = Date.now() + closeTimeoutMs;
    this.#closed ??= new RetriableError(`producer "${this.#clientId}": was closed.`);
    while (this.#busy.size > 0 && Date.now() < before) await pause(5);
    this.#close(new RetriableError(`producer "${this.#clientId}": closed before its records were acknowledged.`));
  }

  /** Drops what is not acknowledged, with this error; resolves when no request is on its way, or after `withinMs`. */
  async abandon(error: Error, withinMs: number): Promise<void> {
    const before = Date.now() + withinMs;
    this.#break(error);
    while ([...this.#brokers.values()].some(({ inFlight }) => inFlight > 0) && Date.now() < before) await pause(5);
    this.#close(error);
  }

  #close(error: Error): void {
    this.#break(error);
    this.#closing.abort();
    clearInterval(this.#deadlines);
    for (const { connection } of this.#brokers.values()) this.#cluster.release(connection);
    this.#brokers.clear();
  }

  #partitionOf({ topic, partition }: OutboundBatch): ProducerPartition {
    const key = `${topic}/${partition}`;
    let found = this.#partitions.get(key);
    if (found === undefined) this.#partitions.set(key, (found = new ProducerPartition(topic, partition)));
    return found;
  }

  /** Sends soon: what is given in one turn of the event loop shares requests. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      while (this.#pump());
    });
  }

  /** Sends at most one request to each broker; true when one was sent. */
  #pump(): boolean {
    if (this.#broken !== undefined || this.#identity === undefined) return false;
    if (this.#stateLost !== undefined) {
      this.#startAnew(this.#stateLost);
      return false;
    }
    const requests = gatherRequests(this.#busy, (partition) => this.#leaderOf(partition), this.#settings);
    for (const [broker, sendings] of requests) void this.#send(broker, sendings);
    return requests.size > 0;
  }

  #leaderOf(partition: ProducerPartition): Broker | undefined {
    const nodeId = this.#cluster.leaderOf(partition.topic, partition.partition);
    if (nodeId === undefined) {
      this.#topics.search(partition.topic);
      return undefined;
    }
    partition.missingSince = undefined;
    if (this.#transaction?.admits(partition) === false) return undefined;
    let broker = this.#brokers.get(nodeId);
    if (broker === undefined) {
      broker = { connection: this.#cluster.connect(nodeId, this.#clientId), inFlight: 0 };
      this.#brokers.set(nodeId, broker);
    }
    return broker;
  }

  async #send(broker: Broker, sendings: readonly Sending[]): Promise<void> {
    const { id, epoch } = this.#identity as ProducerIdentity;
    const transactionalId = this.#transaction?.names.transactionalId ?? null;
    const parts = sendings.map(({ partition, outgoing }) => {
      partition.take(({ bytes, sequence }) => {
        stampProducer(bytes, { id, epoch, sequence, transactional: transactionalId !== null });
        stampCrc(bytes, bytes.length, checksum);
      });
      // Those that went first come last when not all fit.
      this.#busy.delete(partition);
      this.#busy.add(partition);
      return { topic: partition.topic, partition: partition.partition, bytes: outgoing.bytes };
    });
    broker.inFlight++;
    const timeoutMs = this.#cluster.network.requestTimeoutMs;
    try {
      const results = await broker.connection.send(
        produceApi,
        () => writeProduce(parts, transactionalId, timeoutMs),
        readProduce,
        timeoutMs,
      );
      broker.inFlight--;
      const byPartition = new Map(results.map((result) => [`${result.topic}/${result.partition}`, result]));
      for (const sending of sendings) this.#answered(sending, byPartition.get(`${sending.partition.topic}/${sending.partition.partition}`));
    } catch (error) {
      broker.inFlight--;
      if (!(error instanceof RetriableError)) this.#break(error as Error);
      for (const sending of sendings) {
        sending.outgoing.uncertain = true;
        this.#again(sending, error as Error, true);
      }
    }
    this.#schedule();
  }

  #answered(sending: Sending, result: ProduceResult | undefined): void {
    if (this.#broken !== undefined) return;
    const { partition, outgoing } = sending;
    const verdict = judgeIn(this.#transaction?.names, this.#clientId, outgoing, result);
    if (verdict.kind === 'appended') {
      if (!partition.acknowledged(outgoing)) {
        return this.#break(outOfOrder(this.#clientId, partition));
      }
      this.#problem = undefined;
      this.#restarts = 0;
      if (partition.idle) this.#busy.delete(partition);
      const { call, batch } = outgoing;
      call.appended[outgoing.index] = {
        topic: batch.topic,
        partition: batch.partition,
        baseOffset: verdict.baseOffset,
        buffer: batch.buffer,
      };
      if (--call.outstanding === 0) call.resolve(call.appended);
    } else if (verdict.kind === 'refused') this.#break(verdict.error);
    else if (verdict.kind === 'stateLost' && !partition.followsUnsettled(outgoing)) {
      if (this.#transaction !== undefined) return this.#break(verdict.error);
      this.#stateLost = verdict.error;
      partition.foundMissing();
      this.#again(sending, verdict.error, false);
    } else {
      if (verdict.kind === 'again' && verdict.mayBeAppended) outgoing.uncertain = true;
      this.#again(sending, verdict.error, verdict.kind === 'again' && verdict.staleMetadata);
    }
  }

  #again({ partition, outgoing }: Sending, error: Error, staleMetadata: boolean): void {
    if (this.#broken !== undefined) return;
    if (this.#problem === undefined) this.#warn(`producer "${this.#clientId}", topic "${partition.topic}": trying again: ${error.message}`);
    this.#problem = error;
    partition.failed(outgoing);
    const waitMs = backoffMs(this.#cluster.network.retry, partition.failures);
    partition.retryAt = Date.now() + waitMs;
    setTimeout(() => this.#schedule(), waitMs + 1);
    if (staleMetadata) this.#topics.search(partition.topic);
  }

  #checkDeadlines(): void {
    const before = Date.now() - this.#settings.deliveryTimeoutMs;
    for (const partition of this.#busy) {
      for (const { since } of partition.outgoing()) {
        if (since > before) continue;
        return this.#break(undelivered(this.#clientId, partition, this.#settings.deliveryTimeoutMs, this.#problem));
      }
    }
  }

  /**
   * The brokers no longer know this producer's sequence numbers. With nothing in flight, and nothing that may be
   * in the log already, a new producer id can go on where the old one was; otherwise records could repeat.
   */
  #startAnew(cause: Error): void {
    const partitions = [...this.#busy];
    if (partitions.some(({ inFlight }) => inFlight > 0)) return;
    this.#stateLost = undefined;
    if (partitions.some(({ uncertain }) => uncertain)) {
      this.#break(
        new RetriableError(`producer "${this.#clientId}": the brokers lost its state while records were on their way: ${cause.message}`, {
          cause,
        }),
      );
      return;
    }
    if (++this.#restarts > 3) return this.#break(cause);
    this.#warn(`producer "${this.#clientId}": going on under a new producer id: ${cause.message}`);
    this.#identity = undefined;
    newProducerIdentity(this.#cluster, this.#clientId).then(
      (identity) => {
        for (const partition of this.#partitions.values()) partition.restart();
        this.#identity = identity;
        this.#schedule();
      },
      (error: unknown) => this.#break(error as Error),
    );
  }

  #break(error: Error): void {
    if (this.#broken !== undefined) return;
    this.#broken = error;
    this.#closing.abort();
    const calls = new Set<AppendCall>();
    for (const partition of this.#busy) for (const { call } of partition.outgoing()) calls.add(call);
    this.#busy.clear();
    this.#partitions.clear();
    for (const call of calls) call.reject(this.#broken);
  }
}
