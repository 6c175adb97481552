import { heartbeatV4 } from '@platformatic/kafka';
import { ConfigError } from '../api/index.ts';
import type { Cluster } from './cluster.ts';
import { Coordinator } from './coordinator.ts';
import { brokerError, codes, coordinatorMoved } from './protocol-error.ts';
import { backoffMs } from './retry.ts';

export interface HeartbeatOptions {
  readonly groupId: string;
  readonly clientId: string;
  readonly sessionTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly unreachableMs: number;
  /** The group shares out anew: this member has to join. */
  readonly onRebalance: () => void;
  /** Out of the group. `forgotten`: the coordinator does not know the member id (any more). */
  readonly onOver: (why: string, forgotten: boolean) => void;
}

/** Whom the heartbeats are for. */
export interface Beating {
  readonly memberId: string;
  readonly generation: number;
  /** A JoinGroup is under way: the group may be a generation ahead of what this member knows. */
  joining: boolean;
}

/**
 * Keeps one membership alive, and watches whether it is. On a connection of its own: a JoinGroup that waits for the
 * other members holds up all that follows it on its connection, and a coordinator that fell silent during it would
 * go unnoticed for a whole rebalance. The coordinator counts heartbeats in all states of the group.
 */
export class WorkerGroupHeartbeats {
  readonly #cluster: Cluster;
  readonly #options: HeartbeatOptions;
  readonly #coordinator: Coordinator;
  #beating: Beating | undefined;
  /** When the last heartbeat that was answered was sent: the coordinator waits for the next one from then on, or from later. */
  #aliveAt = 0;
  #failures = 0;
  #next: NodeJS.Timeout | undefined;
  #silence: NodeJS.Timeout | undefined;
  #unreachable: NodeJS.Timeout | undefined;
  #sentAt: number | undefined;
  #sent = 0;
  #slowestMs = 0;

  constructor(cluster: Cluster, options: HeartbeatOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#coordinator = new Coordinator(cluster, options.clientId, options.groupId);
  }

  get beating(): boolean {
    return this.#beating !== undefined;
  }

  /** No answer for a whole session: true as soon as a process that stood still runs again, whatever it hears first. */
  get overdue(): boolean {
    return this.#beating !== undefined && performance.now() - this.#aliveAt >= this.#options.sessionTimeoutMs;
  }

  /** From a JoinGroup's answer on; the coordinator began the session anew when it gave it. */
  start(memberId: string, generation: number): void {
    this.stop();
    this.#beating = { memberId, generation, joining: false };
    this.#alive(performance.now());
    this.#beatAfter(this.#options.heartbeatMs);
  }

  joining(joining: boolean): void {
    if (this.#beating !== undefined) this.#beating.joining = joining;
  }

  /** Looks at the clock, and ends what is over. */
  check(): void {
    if (this.overdue) this.#over(`no heartbeat was answered within session.timeout.ms=${this.#options.sessionTimeoutMs}`, false);
  }

  stop(): void {
    this.#beating = undefined;
    clearTimeout(this.#next);
    clearTimeout(this.#silence);
    this.#reached();
    void this.#coordinator.forget();
  }

  figures(): Record<string, number> {
    return {
      'last-heartbeat-seconds-ago': this.#sentAt === undefined ? -1 : Math.floor((performance.now() - this.#sentAt) / 1000),
      'heartbeat-total': this.#sent,
      'heartbeat-response-time-max': Math.round(this.#slowestMs),
    };
  }

  #alive(at: number): void {
    this.#aliveAt = at;
    this.#watch();
  }

  #watch(): void {
    clearTimeout(this.#silence);
    const leftMs = this.#aliveAt + this.#options.sessionTimeoutMs - performance.now();
    this.#silence = setTimeout(
      () => {
        this.check();
        // Timers may come a fraction of a millisecond early.
        if (this.#beating !== undefined) this.#watch();
      },
      Math.max(1, leftMs),
    );
  }

  #reached(): void {
    this.#failures = 0;
    clearTimeout(this.#unreachable);
    this.#unreachable = undefined;
  }

  #beatAfter(ms: number): void {
    clearTimeout(this.#next);
    this.#next = setTimeout(() => void this.#beat(), ms);
  }

  async #beat(): Promise<void> {
    const beating = this.#beating;
    if (beating === undefined) return;
    this.check();
    if (this.#beating !== beating) return;
    const sentAt = (this.#sentAt = performance.now());
    this.#sent++;
    let failure: string | undefined;
    try {
      const { errorCode } = await this.#coordinator.ask(
        (connection) => heartbeatV4.api.async(connection, this.#options.groupId, beating.generation, beating.memberId, null),
        this.#options.sessionTimeoutMs,
      );
      if (this.#beating === beating) failure = await this.#answered(errorCode, sentAt, beating);
    } catch (error) {
      if (this.#beating === beating && error instanceof ConfigError) return this.#over(error.message, false);
      failure = (error as Error).message;
    }
    if (this.#beating !== beating) return;
    if (failure !== undefined) this.#failed(failure);
    const waitMs = this.#failures === 0 ? this.#options.heartbeatMs : backoffMs(this.#cluster.network.retry, this.#failures);
    this.#beatAfter(Math.min(this.#options.heartbeatMs, waitMs));
  }

  /** Returns why the coordinator must be looked for again, if so. */
  async #answered(errorCode: number, sentAt: number, beating: Beating): Promise<string | undefined> {
    this.check();
    if (this.#beating !== beating) return undefined;
    switch (errorCode) {
      case codes.none:
      case codes.rebalanceInProgress:
        this.#reached();
        this.#slowestMs = Math.max(this.#slowestMs, performance.now() - sentAt);
        this.#alive(sentAt);
        if (errorCode !== codes.none && !beating.joining) this.#options.onRebalance();
        return undefined;
      case codes.illegalGeneration:
        // The round that this member is joining may be over at the coordinator already.
        if (!beating.joining) this.#over('its generation is over (ILLEGAL_GENERATION)', false);
        return undefined;
      case codes.unknownMemberId:
        this.#over('the coordinator does not know this member (UNKNOWN_MEMBER_ID)', true);
        return undefined;
      case codes.fencedInstanceId:
        this.#over('another member has taken its place (FENCED_INSTANCE_ID)', true);
        return undefined;
      case codes.groupAuthorizationFailed:
        this.#over(brokerError(errorCode, `group "${this.#options.groupId}": sending a heartbeat`).message, false);
        return undefined;
    }
    const why = brokerError(errorCode, 'sending a heartbeat').message;
    if (!coordinatorMoved.has(errorCode)) return undefined;
    await this.#coordinator.noticed(errorCode);
    return why;
  }

  /**
   * As Connect, a member that cannot get to a coordinator for one heartbeat interval does not wait for its session
   * to end. Source: WorkerCoordinator.poll.
   */
  #failed(why: string): void {
    this.#failures++;
    this.#cluster.refresh([]).catch(() => {});
    const { unreachableMs } = this.#options;
    this.#unreachable ??= setTimeout(
      () => this.#over(`its coordinator was out of reach for ${unreachableMs} ms: ${why}`, false),
      unreachableMs,
    );
  }

  #over(why: string, forgotten: boolean): void {
    if (this.#beating === undefined) return;
    this.stop();
    this.#options.onOver(why.replace(/\.$/, ''), forgotten);
  }
}
