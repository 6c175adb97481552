import { ConnectError, RetriableError } from '../api/index.ts';
import type { PartitionOffset, TopicPartition } from '../api/index.ts';
import type { FetchLimits, GroupEvent, LogGroup, OutboundBatch } from '../ports/log.ts';
import type { ConsumerSettings, GroupSettings, OffsetReset } from './client-settings.ts';
import type { Cluster } from './cluster.ts';
import { Fetcher } from './fetcher.ts';
import type { OutOfRange } from './fetcher.ts';
import { GroupMembership } from './group-membership.ts';
import { commitGroupOffsets, fetchGroupOffsets } from './group-offsets.ts';
import type { CommitIdentity } from './group-offsets.ts';
import type { GroupAppends } from './group-appends.ts';
import { listOffsets } from './list-offsets.ts';
import { brokerError, codeName, codes, coordinatorMoved, passing } from './protocol-error.ts';
import { TopicSubscription } from './subscription.ts';
import type { GroupOptions } from '../ports/log.ts';
import { backoffMs, pause } from './retry.ts';
import type { Warn } from './warning.ts';

/** A member of a consumer group, and its reading. */
export class KafkaGroup implements LogGroup {
  readonly #cluster: Cluster;
  readonly #groupId: string;
  readonly #maxPollIntervalMs: number;
  readonly #reset: OffsetReset;
  readonly #readCommitted: boolean;
  readonly #fetcher: Fetcher;
  readonly #subscription: TopicSubscription;
  readonly #membership: GroupMembership;
  readonly #closing = new AbortController();
  readonly #appends: GroupAppends | undefined;
  #assigned: readonly TopicPartition[] = [];
  /** The revocation was told; the next poll carries it out. */
  #revoking = false;
  #joining: Promise<readonly PartitionOffset[]> | undefined;
  #polledAt = Date.now();
  #polling = false;

  /** `appends` is closed with it. */
  constructor(
    cluster: Cluster,
    options: GroupOptions,
    consumer: ConsumerSettings,
    group: GroupSettings,
    warn: Warn,
    appends?: GroupAppends,
  ) {
    const { clientId, groupId, topics } = options;
    this.#appends = appends;
    this.#cluster = cluster;
    this.#groupId = groupId;
    this.#maxPollIntervalMs = group.maxPollIntervalMs;
    this.#reset = consumer.offsetReset ?? 'earliest';
    this.#readCommitted = consumer.isolation === 'read_committed';
    const subscription = new TopicSubscription(cluster, groupId, topics, consumer.autoCreateTopics);
    this.#subscription = subscription;
    const outOfRange: OutOfRange = async (position) => {
      // In a topic that was made anew offsets begin anew: that is told as an assignment, not as a leap.
      if (await subscription.hasChanged()) {
        this.#membership.rejoin();
        return position.offset;
      }
      const { topic, partition, offset } = position;
      const where = `group "${groupId}", topic "${topic}", partition ${partition}`;
      warn(`${where}: offset ${offset} is no longer there; auto.offset.reset=${this.#reset}.`);
      return (await this.#startOf([position]))[0]?.offset as bigint;
    };
    this.#fetcher = new Fetcher(cluster, clientId, consumer, outOfRange, true);
    this.#membership = new GroupMembership(cluster, clientId, groupId, group, subscription, warn);
    this.#membership.onChange = () => this.#fetcher.interrupt();
    this.#membership.isStuck = () => !this.#polling && Date.now() - this.#polledAt > this.#maxPollIntervalMs;
  }

  async poll(limits: FetchLimits, signal?: AbortSignal): Promise<GroupEvent> {
    if (this.#polling) throw new ConnectError(`group "${this.#groupId}": one poll at a time.`);
    this.#polling = true;
    try {
      return await this.#poll(limits, signal);
    } finally {
      this.#polling = false;
      this.#polledAt = Date.now();
    }
  }

  async #poll(limits: FetchLimits, signal: AbortSignal | undefined): Promise<GroupEvent> {
    const deadline = Date.now() + limits.maxWaitMs;
    for (;;) {
      signal?.throwIfAborted();
      this.#throwIfClosed();
      const state = this.#membership.state;
      if (state === 'lost') {
        const lost = this.#give();
        this.#membership.acceptLoss();
        if (lost.length > 0) return { kind: 'lost', partitions: lost };
      } else if (this.#membership.fatal !== undefined) {
        throw this.#membership.fatal;
      } else if (state === 'rebalancing' && !this.#revoking && this.#assigned.length > 0) {
        this.#revoking = true;
        this.#fetcher.assign([]);
        return { kind: 'revoked', partitions: this.#assigned };
      } else if (state === 'member' && this.#joining === undefined) {
        const runs = await this.#fetcher.fetch({ maxWaitMs: Math.max(0, deadline - Date.now()), maxBytes: limits.maxBytes }, signal);
        if (runs.length > 0) return { kind: 'records', runs };
      } else {
        const assigned = await this.#join(deadline - Date.now(), signal);
        if (assigned !== undefined) return { kind: 'assigned', partitions: assigned };
      }
      if (Date.now() >= deadline && this.#membership.state !== 'lost') return { kind: 'idle' };
    }
  }

  async commit(offsets: readonly PartitionOffset[], batches: readonly OutboundBatch[] = []): Promise<void> {
    if (batches.length > 0) return this.#commitWith(offsets, batches);
    if (offsets.length === 0) return;
    const deadline = Date.now() + this.#cluster.network.apiTimeoutMs;
    for (let failures = 1; ; failures++) {
      const identity = this.#validIdentity();
      let problem: Error;
      try {
        const errorCode = await commitGroupOffsets(this.#membership.coordinator, this.#groupId, offsets, identity);
        if (errorCode === codes.none) return;
        if (this.#membership.identity.generation === identity.generation) this.#membership.noticed(errorCode);
        problem = brokerError(errorCode, `group "${this.#groupId}": storing its offsets`);
        if (invalidMember.has(errorCode)) throw this.#invalid(problem.message);
        if (!passing.has(errorCode) && !coordinatorMoved.has(errorCode)) throw problem;
      } catch (error) {
        if (!(error instanceof RetriableError) || error.cause === notValid) throw error;
        problem = error;
      }
      if (Date.now() >= deadline) throw problem;
      await pause(backoffMs(this.#cluster.network.retry, failures), this.#closing.signal);
    }
  }

  /** Transactions before whose end is unknown are settled first, by what opens the producer anew. */
  async #commitWith(offsets: readonly PartitionOffset[], batches: readonly OutboundBatch[]): Promise<void> {
    if (this.#appends === undefined) throw new ConnectError(`group "${this.#groupId}": it was opened without a way to append.`);
    const as = this.#validIdentity();
    try {
      await this.#appends.commit({ groupId: this.#groupId, coordinator: this.#membership.coordinator, as }, offsets, batches);
    } catch (error) {
      const errorCode = [...invalidMember].find((code) => codeName(code) === (error as NodeJS.ErrnoException).code);
      if (errorCode === undefined) throw error;
      if (this.#membership.identity.generation === as.generation) this.#membership.noticed(errorCode);
      throw this.#invalid((error as Error).message);
    }
  }

  /** As whom offsets are stored now. Throws while that is nobody. */
  #validIdentity(): CommitIdentity {
    this.#throwIfClosed();
    const { state, identity } = this.#membership;
    if ((state !== 'member' && state !== 'rebalancing') || (this.#joining !== undefined && this.#assigned.length === 0)) {
      throw this.#invalid('this member is not in the group at the moment');
    }
    return identity;
  }

  seek(offsets: readonly PartitionOffset[]): void {
    this.#fetcher.positions.seek(offsets);
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#fetcher.setPaused(partitions, true);
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#fetcher.setPaused(partitions, false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#fetcher.close();
    await this.#appends?.[Symbol.asyncDispose]();
    await this.#membership.close();
  }

  /** The partitions that were ours, which are not any more. */
  #give(): readonly TopicPartition[] {
    const given = this.#assigned;
    this.#assigned = [];
    this.#revoking = false;
    this.#joining = undefined;
    this.#fetcher.assign([]);
    return given;
  }

  /** Waits for the join under way, or begins one. Undefined when it takes longer. */
  async #join(waitMs: number, signal: AbortSignal | undefined): Promise<readonly PartitionOffset[] | undefined> {
    if (this.#joining === undefined) {
      this.#give();
      this.#joining = this.#joinGroup();
      this.#joining.catch(() => {});
    }
    const { joining } = { joining: this.#joining };
    const stop = new AbortController();
    const late = pause(
      Math.max(1, waitMs),
      AbortSignal.any([stop.signal, this.#closing.signal, ...(signal === undefined ? [] : [signal])]),
    );
    try {
      const assigned = await Promise.race([joining, late.then(() => undefined)]);
      if (assigned === undefined) return undefined;
      this.#joining = undefined;
      // Shared out again before it was told: join once more.
      if (this.#membership.state !== 'member') return undefined;
      this.#assigned = assigned.map(({ topic, partition }) => ({ topic, partition }));
      this.#fetcher.assign(assigned, (topic) => this.#subscription.idOf(topic));
      return assigned;
    } catch (error) {
      this.#joining = undefined;
      throw error;
    } finally {
      stop.abort();
    }
  }

  async #joinGroup(): Promise<readonly PartitionOffset[]> {
    for (let failures = 1; ; failures++) {
      const partitions = await this.#membership.join();
      try {
        return await this.#positionsOf(partitions);
      } catch (error) {
        if (!(error instanceof RetriableError) || this.#closing.signal.aborted) throw error;
        await pause(backoffMs(this.#cluster.network.retry, failures), this.#closing.signal);
      }
    }
  }

  async #positionsOf(partitions: readonly TopicPartition[]): Promise<readonly PartitionOffset[]> {
    if (partitions.length === 0) return [];
    const stored = await this.#cluster.retrying(() => fetchGroupOffsets(this.#membership.coordinator, this.#groupId, partitions));
    const without = partitions.filter(
      (each) => !stored.some(({ topic, partition }) => topic === each.topic && partition === each.partition),
    );
    return [...stored, ...(await this.#startOf(without))];
  }

  /** Where to begin without a stored offset: `auto.offset.reset`. */
  async #startOf(partitions: readonly TopicPartition[]): Promise<readonly PartitionOffset[]> {
    const [first] = partitions;
    if (first === undefined) return [];
    if (this.#reset === 'none') {
      const where = `topic "${first.topic}", partition ${first.partition}`;
      throw new ConnectError(`group "${this.#groupId}", ${where}: there is no usable offset, and auto.offset.reset=none.`, {
        hint: 'Set the offsets of the group, or auto.offset.reset to earliest or latest.',
      });
    }
    return listOffsets(this.#cluster, partitions, this.#reset, this.#readCommitted);
  }

  #invalid(why: string): RetriableError {
    return new RetriableError(`group "${this.#groupId}": offsets were not stored: ${why}`, { cause: notValid });
  }

  #throwIfClosed(): void {
    if (this.#closing.signal.aborted) throw new ConnectError(`group "${this.#groupId}": this member was closed.`);
  }
}

/** Marks the error of a commit that a repeat cannot help. */
const notValid = new Error('the membership is no longer valid');

const invalidMember: ReadonlySet<number> = new Set([
  codes.rebalanceInProgress,
  codes.unknownMemberId,
  codes.illegalGeneration,
  codes.fencedInstanceId,
]);
