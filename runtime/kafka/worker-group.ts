import { ConfigError, RetriableError } from '../api/index.ts';
import type { GroupListener, GroupTransport, MembershipFigures } from '../ports/membership.ts';
import { networkSettings } from './client-settings.ts';
import { Cluster } from './cluster.ts';
import { Coordinator } from './coordinator.ts';
import { codes } from './protocol-error.ts';
import { backoffMs, pause } from './retry.ts';
import type { Settings } from './setting-values.ts';
import type { Warn } from './warning.ts';
import { WorkerGroupHeartbeats } from './worker-group-heartbeats.ts';
import { joinGroup, leaveGroup, leaveTimeoutMs, refusal, syncGroup } from './worker-group-requests.ts';
import type { JoinAnswer, WorkerGroupIdentity } from './worker-group-requests.ts';

export interface WorkerGroupOptions {
  /** The worker's own, as in Connect's file: without a prefix, as Connect's group member takes them. */
  readonly settings: Settings;
  readonly groupId: string;
  readonly clientId: string;
  readonly protocolType: 'connect';
  readonly sessionTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly rebalanceTimeoutMs: number;
  /** After so long without a way to the coordinator the membership counts as lost; Connect's: heartbeatMs. */
  readonly unreachableMs?: number;
  readonly warn: Warn;
}

/**
 * A member of a group of Kafka's classic protocol (KIP-62, KIP-394), on connections of its own. Rejects with a
 * ConfigError when the settings cannot work, and with a RetriableError when no broker answers within
 * `default.api.timeout.ms`. Sources: org.apache.kafka.clients.consumer.internals.AbstractCoordinator,
 * org.apache.kafka.connect.runtime.distributed.WorkerCoordinator.
 */
export async function openWorkerGroup(options: WorkerGroupOptions): Promise<GroupTransport> {
  const { sessionTimeoutMs, heartbeatMs } = options;
  if (heartbeatMs >= sessionTimeoutMs) {
    throw new ConfigError(`heartbeat.interval.ms=${heartbeatMs} must be less than session.timeout.ms=${sessionTimeoutMs}.`);
  }
  const cluster = new Cluster(await networkSettings(options.settings), options.clientId);
  try {
    await cluster.retrying(() => cluster.clusterId());
  } catch (error) {
    cluster.close();
    throw error;
  }
  return new WorkerGroup(cluster, options);
}

class WorkerGroup implements GroupTransport {
  readonly #cluster: Cluster;
  readonly #options: WorkerGroupOptions;
  readonly #identity: WorkerGroupIdentity;
  readonly #coordinator: Coordinator;
  readonly #heartbeats: WorkerGroupHeartbeats;
  readonly #begun = Promise.withResolvers<void>();
  #trying = false;
  #closed = false;
  /** Ends what the loop waits for: the membership was lost or given up. */
  #interruption = new AbortController();
  #wake = Promise.withResolvers<void>();
  #rejoin = true;
  #loss: string | undefined;
  #awayUntil = 0;
  #memberId = '';
  #failedRounds = 0;

  constructor(cluster: Cluster, options: WorkerGroupOptions) {
    const { groupId, clientId, sessionTimeoutMs, heartbeatMs, unreachableMs = heartbeatMs } = options;
    this.#cluster = cluster;
    this.#options = options;
    this.#identity = { ...options, requestTimeoutMs: cluster.network.requestTimeoutMs };
    this.#coordinator = new Coordinator(cluster, clientId, groupId);
    this.#heartbeats = new WorkerGroupHeartbeats(cluster, {
      ...{ groupId, clientId, sessionTimeoutMs, heartbeatMs, unreachableMs },
      onRebalance: () => this.rejoin(),
      onOver: (why, forgotten) => this.#lose(why, forgotten),
    });
  }

  start(listener: GroupListener): Promise<void> {
    void this.#run(listener);
    return this.#begun.promise;
  }

  rejoin(): void {
    this.#rejoin = true;
    this.#wake.resolve();
  }

  async leaveFor(ms: number): Promise<void> {
    this.#heartbeats.stop();
    // Not before it has left: a JoinGroup that is cut off leaves a member behind that all others wait for.
    this.#awayUntil = performance.now() + leaveTimeoutMs + ms;
    this.rejoin();
    this.#interruption.abort();
    await this.#leave('it stays away for a while');
    this.#awayUntil = performance.now() + ms;
    this.#interruption.abort();
  }

  figures(): MembershipFigures {
    return { ...this.#heartbeats.figures(), 'failed-rebalance-total': this.#failedRounds };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#begun.resolve();
    this.#wake.resolve();
    this.#heartbeats.stop();
    this.#interruption.abort();
    await this.#leave('the worker is being closed');
    this.#cluster.close();
  }

  async #run(listener: GroupListener): Promise<void> {
    for (let failures = 0; !this.#closed;) {
      // What interrupted the last turn is dealt with in this one.
      this.#interruption = new AbortController();
      const awayMs = this.#awayUntil - performance.now();
      try {
        if (this.#loss !== undefined) await this.#tellLoss(listener);
        else if (awayMs > 0) await pause(awayMs, this.#interruption.signal);
        else if (this.#rejoin) {
          this.#rejoin = false;
          if (await this.#round(listener)) failures = 0;
          else this.#rejoin = true;
        } else {
          await this.#wake.promise;
          this.#wake = Promise.withResolvers();
        }
      } catch (error) {
        this.#rejoin = true;
        this.#failedRounds++;
        if (!this.#interrupted()) await this.#failed(error as Error, ++failures);
      }
    }
  }

  async #failed(error: Error, failures: number): Promise<void> {
    const { groupId, heartbeatMs, warn } = this.#options;
    if (error instanceof ConfigError && !this.#trying) {
      this.#begun.reject(error);
      return this[Symbol.asyncDispose]();
    }
    this.#try();
    // What passes by itself mostly has passed by the third time.
    const passes = error instanceof RetriableError;
    if (failures === (passes ? 3 : 1)) warn(`group "${groupId}": this worker cannot join yet, and tries on: ${error.message}`);
    this.#cluster.refresh([]).catch(() => {});
    await pause(passes ? backoffMs(this.#cluster.network.retry, failures) : heartbeatMs, this.#interruption.signal);
  }

  /** From here on nothing makes this member give up. */
  #try(): void {
    this.#trying = true;
    this.#begun.resolve();
  }

  /** `forgotten`: the coordinator does not know the member id (any more). */
  #lose(why: string, forgotten: boolean): undefined {
    if (forgotten) this.#memberId = '';
    this.#heartbeats.stop();
    this.#loss = why;
    this.rejoin();
    this.#interruption.abort();
    // A JoinGroup under way would be answered into the void.
    void this.#coordinator.forget();
  }

  async #tellLoss(listener: GroupListener): Promise<void> {
    const why = this.#loss as string;
    this.#options.warn(`group "${this.#options.groupId}": this worker is out of it: ${why}. It stops its work, and joins again.`);
    await this.#bounded('stopping all work', () => listener.lost(why));
    // Where that failed it is told again: what may still run here must not be given to others by this worker's joining.
    this.#loss = undefined;
  }

  /** Something came between that makes the round under way void. */
  #interrupted(): boolean {
    this.#heartbeats.check();
    return this.#interruption.signal.aborted;
  }

  /** Rejects at once when the round under way has become void. */
  async #answered<T>(answer: Promise<T>): Promise<T> {
    const { promise: ended, reject } = Promise.withResolvers<never>();
    const end = (): void => reject(new RetriableError('the membership ended meanwhile.'));
    const { signal } = this.#interruption;
    signal.addEventListener('abort', end);
    try {
      const value = await Promise.race([answer, ended]);
      if (this.#interrupted()) return await ended;
      return value;
    } finally {
      signal.removeEventListener('abort', end);
    }
  }

  /** Joins, shares out as leader, and tells what this member is given. False where that has to begin again. */
  async #round(listener: GroupListener): Promise<boolean> {
    const protocols = await this.#bounded('getting ready to join', () => listener.protocols());
    if (this.#interrupted()) return false;
    const joined = await this.#join(protocols);
    if (joined === undefined) return false;
    const { generationId: generation, memberId, leader: leaderId, members } = joined;
    const protocol = joined.protocolName ?? '';

    let shares: ReadonlyMap<string, Buffer> = new Map();
    if (leaderId === memberId) {
      shares = await this.#bounded('sharing out', () => listener.share({ protocol, generation, leaderId, members }));
      if (this.#interrupted()) return false;
    }
    const assignment = await this.#sync(joined, shares);
    if (assignment === undefined) return false;
    await this.#bounded('taking its share', () => listener.shared({ protocol, generation, memberId, leaderId, assignment }));
    return true;
  }

  /** Undefined to begin again at once. */
  async #join(protocols: readonly { readonly name: string; readonly metadata: Buffer }[]): Promise<JoinAnswer | undefined> {
    this.#heartbeats.joining(true);
    try {
      const joined = await this.#answered(joinGroup(this.#coordinator, this.#identity, this.#memberId, protocols));
      switch (joined.errorCode) {
        case codes.none:
          this.#try();
          this.#memberId = joined.memberId;
          this.#heartbeats.start(joined.memberId, joined.generationId);
          return joined;
        case codes.memberIdRequired:
          this.#try();
          this.#memberId = joined.memberId;
          return undefined;
        case codes.unknownMemberId:
        case codes.fencedInstanceId:
          if (this.#heartbeats.beating) return this.#lose('the coordinator does not know this member', true);
          this.#memberId = '';
          return undefined;
      }
      await this.#coordinator.noticed(joined.errorCode);
      throw refusal(joined.errorCode, this.#options.groupId, 'joining');
    } finally {
      this.#heartbeats.joining(false);
    }
  }

  /** Undefined to begin again at once. */
  async #sync(joined: JoinAnswer, shares: ReadonlyMap<string, Buffer>): Promise<Buffer | undefined> {
    const { errorCode, assignment } = await this.#answered(syncGroup(this.#coordinator, this.#identity, joined, shares));
    switch (errorCode) {
      case codes.none:
        return assignment;
      case codes.rebalanceInProgress:
        return undefined;
      case codes.illegalGeneration:
        return this.#lose('its generation is over', false);
      case codes.unknownMemberId:
      case codes.fencedInstanceId:
        return this.#lose('the coordinator does not know this member', true);
    }
    await this.#coordinator.noticed(errorCode);
    throw refusal(errorCode, this.#options.groupId, 'getting its share');
  }

  /** Says so where the listener takes longer than the group waits for a member to join. */
  async #bounded<T>(doing: string, call: () => Promise<T>): Promise<T> {
    const { groupId, rebalanceTimeoutMs, warn } = this.#options;
    const late = `${doing} has taken longer than rebalance.timeout.ms=${rebalanceTimeoutMs}`;
    const timer = setTimeout(() => warn(`group "${groupId}": ${late}: the group shares out anew without this worker.`), rebalanceTimeoutMs);
    try {
      return await call();
    } finally {
      clearTimeout(timer);
    }
  }

  /** So that the others need not wait for the session to time out. */
  async #leave(reason: string): Promise<void> {
    const memberId = this.#memberId;
    this.#memberId = '';
    // A JoinGroup under way would hold up all that follows it on its connection.
    void this.#coordinator.forget();
    if (memberId !== '') await leaveGroup(this.#coordinator, this.#options.groupId, memberId, reason);
  }
}
