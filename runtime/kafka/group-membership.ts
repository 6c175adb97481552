import { heartbeatV4, joinGroupV9, leaveGroupV5, syncGroupV5 } from '@platformatic/kafka';
import { RetriableError } from '../api/index.ts';
import type { TopicPartition } from '../api/index.ts';
import type { GroupSettings } from './client-settings.ts';
import type { Cluster } from './cluster.ts';
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './consumer-protocol.ts';
import { Coordinator } from './coordinator.ts';
import type { CommitIdentity } from './group-offsets.ts';
import { brokerError, codes, coordinatorMoved } from './protocol-error.ts';
import { assignRanges } from './range-assignor.ts';
import { backoffMs, pause } from './retry.ts';
import type { TopicSubscription } from './subscription.ts';
import type { Warn } from './warning.ts';

const protocolType = 'consumer';
const protocolName = 'range';
const leaveTimeoutMs = 5000;

type JoinAnswer = Awaited<ReturnType<typeof joinGroupV9.api.async>>;

/**
 * Out of the group; in it; in it while it wants to share out anew; or put out of it by the coordinator.
 */
export type MembershipState = 'out' | 'member' | 'rebalancing' | 'lost';

/** One member of a classic consumer group (KIP-62, eager rebalancing): joins, sends heartbeats, leaves. */
export class GroupMembership {
  readonly coordinator: Coordinator;
  readonly #cluster: Cluster;
  readonly #groupId: string;
  readonly #settings: GroupSettings;
  readonly #subscription: TopicSubscription;
  readonly #warn: Warn;
  readonly #closing = new AbortController();
  #state: MembershipState = 'out';
  #memberId = '';
  #generation = -1;
  #timer: NodeJS.Timeout | undefined;
  #fatal: Error | undefined;
  /** Called when the state changed by what the coordinator said. */
  onChange: () => void = () => {};
  /** Asked at each heartbeat: true when the caller has not polled for too long. */
  isStuck: () => boolean = () => false;

  constructor(cluster: Cluster, clientId: string, groupId: string, settings: GroupSettings, subscription: TopicSubscription, warn: Warn) {
    this.coordinator = new Coordinator(cluster, clientId, groupId);
    this.#cluster = cluster;
    this.#groupId = groupId;
    this.#settings = settings;
    this.#subscription = subscription;
    this.#warn = warn;
  }

  get state(): MembershipState {
    return this.#state;
  }

  /** Why this member can never come back, if so (another one has its `group.instance.id`). */
  get fatal(): Error | undefined {
    return this.#fatal;
  }

  get identity(): CommitIdentity {
    return { generation: this.#generation, memberId: this.#memberId, instanceId: this.#settings.instanceId };
  }

  /** Joins, waits for the others, and resolves with what this member is to read. Waits out whatever may pass. */
  async join(): Promise<readonly TopicPartition[]> {
    clearTimeout(this.#timer);
    for (let failures = 1; ; failures++) {
      if (this.#closing.signal.aborted) throw new RetriableError(`group "${this.#groupId}": this member was closed.`);
      try {
        const assigned = await this.#joinOnce();
        if (assigned !== undefined) {
          this.#state = 'member';
          this.#beatLater();
          return assigned;
        }
      } catch (error) {
        if (!(error instanceof RetriableError) || this.#closing.signal.aborted) throw error;
        if (failures === 3) this.#warn(`group "${this.#groupId}": cannot be joined yet: ${error.message}`);
        await pause(backoffMs(this.#cluster.network.retry, failures), this.#closing.signal);
      }
    }
  }

  /** To be called with the error code of a commit. */
  noticed(errorCode: number): void {
    if (this.#state !== 'member' && this.#state !== 'rebalancing') return;
    switch (errorCode) {
      case codes.rebalanceInProgress:
        return this.#become('rebalancing');
      case codes.unknownMemberId:
        this.#memberId = '';
        return this.#become('lost');
      case codes.illegalGeneration:
        return this.#become('lost');
      case codes.fencedInstanceId:
        this.#fatal = brokerError(errorCode, `group "${this.#groupId}": another member has group.instance.id=${this.#settings.instanceId}`);
        return this.#become('lost');
      case codes.groupAuthorizationFailed:
        this.#fatal = brokerError(errorCode, `group "${this.#groupId}": sending a heartbeat`);
        return this.#become('lost');
    }
  }

  /** Shares out anew: the topics are not what they were. */
  rejoin(): void {
    if (this.#state === 'member') this.#become('rebalancing');
  }

  /** What was lost is told to the caller: it may join again. */
  acceptLoss(): void {
    if (this.#state === 'lost') this.#state = 'out';
  }

  /** Leaves, so that the others need not wait for the session to time out; a static member stays in. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    this.#state = 'out';
    // A JoinGroup under way would hold up all that follows it on its connection.
    await this.coordinator.forget();
    if (this.#memberId !== '' && this.#settings.instanceId === null) await this.#leave('the consumer is being closed').catch(() => {});
    await this.coordinator.forget();
  }

  async #joinOnce(): Promise<readonly TopicPartition[] | undefined> {
    const { sessionTimeoutMs, maxPollIntervalMs, instanceId } = this.#settings;
    const metadata = encodeSubscription(await this.#subscription.topics());
    const timeoutMs = Math.max(this.#cluster.network.requestTimeoutMs, maxPollIntervalMs + 5000);
    const joined = await this.coordinator.ask(
      (connection) =>
        joinGroupV9.api.async(
          connection,
          this.#groupId,
          sessionTimeoutMs,
          maxPollIntervalMs,
          this.#memberId,
          instanceId,
          protocolType,
          [{ name: protocolName, metadata }],
          '',
        ),
      timeoutMs,
    );
    if (joined.errorCode === codes.memberIdRequired) this.#memberId = joined.memberId;
    if (joined.errorCode !== codes.none) return this.#refused(joined.errorCode, 'joining');
    this.#memberId = joined.memberId;
    this.#generation = joined.generationId;

    const assignments = joined.leader === joined.memberId ? await this.#assign(joined) : [];
    const synced = await this.coordinator.ask(
      (connection) =>
        syncGroupV5.api.async(
          connection,
          this.#groupId,
          this.#generation,
          this.#memberId,
          instanceId,
          protocolType,
          protocolName,
          assignments,
        ),
      timeoutMs,
    );
    if (synced.errorCode !== codes.none) return this.#refused(synced.errorCode, 'getting its partitions');
    return decodeAssignment(synced.assignment);
  }

  /** As leader: shares out all partitions of all topics that members want. */
  async #assign(joined: JoinAnswer): Promise<{ memberId: string; assignment: Buffer }[]> {
    const members = joined.members.map(({ memberId, groupInstanceId, metadata }) => ({
      memberId,
      instanceId: groupInstanceId ?? null,
      topics: decodeSubscription(metadata as Buffer).topics,
    }));
    const topics = new Set(members.flatMap((member) => member.topics));
    await this.#cluster.refresh(topics);
    const assigned = assignRanges(members, (topic) => this.#cluster.topic(topic)?.leaders.length ?? 0);
    return [...assigned].map(([memberId, partitions]) => ({ memberId, assignment: encodeAssignment(partitions) }));
  }

  /** Undefined to join again at once; throws otherwise. */
  async #refused(errorCode: number, doing: string): Promise<undefined> {
    await this.coordinator.noticed(errorCode);
    switch (errorCode) {
      case codes.unknownMemberId:
        this.#memberId = '';
        return undefined;
      case codes.memberIdRequired:
      case codes.rebalanceInProgress:
      case codes.illegalGeneration:
        return undefined;
    }
    const error = brokerError(errorCode, `group "${this.#groupId}": ${doing}`);
    if (errorCode === codes.fencedInstanceId) this.#fatal = error;
    throw errorCode === codes.groupMaxSizeReached ? new RetriableError(error.message) : error;
  }

  #beatLater(): void {
    clearTimeout(this.#timer);
    if (this.#closing.signal.aborted) return;
    this.#timer = setTimeout(() => void this.#beat(), this.#settings.heartbeatMs);
  }

  async #beat(): Promise<void> {
    const generation = this.#generation;
    const current = (): boolean => this.#generation === generation && (this.#state === 'member' || this.#state === 'rebalancing');
    if (!current()) return;
    if (this.isStuck()) {
      this.#warn(`group "${this.#groupId}": left, since nothing was polled for max.poll.interval.ms=${this.#settings.maxPollIntervalMs}.`);
      this.#become('lost');
      await this.#leave('max.poll.interval.ms exceeded').catch(() => {});
      this.#memberId = '';
      return;
    }
    try {
      const { errorCode } = await this.coordinator.ask((connection) =>
        heartbeatV4.api.async(connection, this.#groupId, generation, this.#memberId, this.#settings.instanceId),
      );
      if (!current()) return;
      if (coordinatorMoved.has(errorCode)) await this.coordinator.noticed(errorCode);
      else this.noticed(errorCode);
    } catch {
      // No answer: the coordinator is looked for again at the next heartbeat, and decides whether we are still in.
    }
    if (this.#state === 'member') this.#subscription.check(() => this.rejoin());
    if (current()) this.#beatLater();
  }

  async #leave(reason: string): Promise<void> {
    const members = [{ memberId: this.#memberId, groupInstanceId: this.#settings.instanceId, reason }];
    await this.coordinator.ask((connection) => leaveGroupV5.api.async(connection, this.#groupId, members), leaveTimeoutMs);
  }

  #become(state: MembershipState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.onChange();
  }
}
