/** Which connectors and tasks this worker runs: all of them when alone, a share of them in a group. */
import type { TaskId } from './tasks.ts';

/** Connectors, and tasks of connectors. */
export interface Work {
  readonly connectors: readonly string[];
  readonly tasks: readonly TaskId[];
}

/** Everything that this worker is to run now, and its place in the group. */
export interface Assignment extends Work {
  /** Rises with each assignment; written into statuses. */
  readonly generation: number;
  readonly leader: boolean;
  /** Where the leader's REST is, with a slash at the end; this worker's own when it leads, undefined where none is known. */
  readonly leaderUrl?: string;
  /** Known to the leader alone: what is configured and given to nobody for now, since its worker is gone and may return. */
  readonly unassigned?: Work;
}

/** Attributes of `connect-worker-rebalance-metrics` and of Connect's coordinator, by Connect's names; numbers and texts. */
export type MembershipFigures = Readonly<Record<string, number | string>>;

export interface Membership extends AsyncDisposable {
  /** As statuses name this worker: host:port. */
  readonly workerId: string;
  /**
   * Resolves once this worker is in the group, or trying to get in. `onAssigned` is called with everything this
   * worker is to run, each time that changes; calls do not overlap, and the group hears of this worker's
   * progress only when one has resolved: what was taken away must have stopped by then.
   */
  start(onAssigned: (assignment: Assignment) => Promise<void>): Promise<void>;
  /** What is configured now; where it differs from what was shared out, it is shared out anew. */
  configChanged(connectors: readonly string[], tasks: readonly TaskId[]): void;
  /** The REST address of the worker that runs it; known to the leader alone. */
  ownerUrl(item: TaskId | string): string | undefined;
  /** False while the group shares out anew, or cannot be reached. */
  settled(): boolean;
  figures(): MembershipFigures;
}

/**
 * The member's side of Kafka's classic group protocol (JoinGroup, SyncGroup, Heartbeat, LeaveGroup), for groups
 * whose members mean something else by it than reading topics. What is said in it are bytes to the transport.
 */
export interface GroupTransport extends AsyncDisposable {
  /** Joins and stays in, until it is closed. Rejects with a ConfigError where it can never get in (not authorised, say). */
  start(listener: GroupListener): Promise<void>;
  /** Joins anew: at once, or at the end of the call of the listener that is under way. */
  rejoin(): void;
  /** Leaves, and stays out for so long; then joins anew. */
  leaveFor(ms: number): Promise<void>;
  /** Attributes of `connect-coordinator-metrics` that only the transport knows. */
  figures?(): MembershipFigures;
}

export interface GroupMember {
  readonly memberId: string;
  readonly metadata: Buffer;
}

/** Calls do not overlap. Heartbeats go on during all of them. */
export interface GroupListener {
  /** Before each JoinGroup: the protocols that this member speaks, the one it likes best first. */
  protocols(): Promise<readonly { readonly name: string; readonly metadata: Buffer }[]>;
  /** As leader: what each member is told, by member id. */
  share(round: {
    readonly protocol: string;
    readonly generation: number;
    readonly leaderId: string;
    readonly members: readonly GroupMember[];
  }): Promise<ReadonlyMap<string, Buffer>>;
  /** What this member was told. While it runs the group may already share out anew: that waits until it resolves. */
  shared(round: {
    readonly protocol: string;
    readonly generation: number;
    readonly memberId: string;
    readonly leaderId: string;
    readonly assignment: Buffer;
  }): Promise<void>;
  /**
   * Out of the group: unknown member, fenced, stale generation, or the coordinator has not answered for a whole
   * session. What this member ran may run elsewhere soon. It joins anew when the call resolves.
   */
  lost(why: string): Promise<void>;
}
