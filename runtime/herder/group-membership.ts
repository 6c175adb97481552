/**
 * A worker as a member of a group that shares its work out: Connect's group protocol, versions 0 (eager: all stop,
 * all is dealt anew) to 2 (incremental cooperative: only what moves stops, with signed calls between workers).
 * Sources: org.apache.kafka.connect.runtime.distributed.WorkerCoordinator, DistributedHerder.handleRebalanceCompleted;
 * KIP-415, KIP-507.
 */
import type { Logger } from '../api/index.ts';
import type { Assignment, GroupListener, GroupTransport, Membership, Work } from '../ports/membership.ts';
import { decodeShared, encodeWorkerState, protocolsFor, protocolVersionOf } from './assignment/group-protocol.ts';
import type { ProtocolMode, ProtocolVersion, SharedAssignment } from './assignment/group-protocol.ts';
import { isIdle, noWork, workAfter, workMinus } from './assignment/work.ts';
import { createGroupFigures } from './group-figures.ts';
import { configuredWork, createGroupSharing, itemKey, itemsOf } from './group-sharing.ts';
import type { SharedConfigs, SharedStatuses } from './group-sharing.ts';

export interface GroupMembershipOptions {
  /** Closed with the membership. */
  readonly transport: GroupTransport;
  /** As statuses name this worker: host:port. */
  readonly workerId: string;
  /** Of this worker's REST, as the others reach it, with a slash at the end. */
  readonly url: string;
  /** `connect.protocol` */
  readonly protocol: ProtocolMode;
  readonly configStore: SharedConfigs;
  readonly statusStore: SharedStatuses;
  /** `scheduled.rebalance.max.delay.ms` */
  readonly maxDelayMs: number;
  /** `worker.sync.timeout.ms` */
  readonly syncTimeoutMs: number;
  /** `worker.unsync.backoff.ms` */
  readonly unsyncBackoffMs: number;
  readonly logger: Logger;
}

const modes = ['eager', 'compatible', 'sessioned'] as const satisfies ProtocolMode[];
/** Between rounds that nothing new can be expected from at once. */
const pauseMs = 500;
/** How often Connect stays away for a short time only. Source: DistributedHerder.BACKOFF_RETRIES. */
const shortAbsences = 5;

export function groupMembership(options: GroupMembershipOptions): Membership {
  const { transport, workerId, url, protocol: mode, configStore, logger, maxDelayMs, syncTimeoutMs, unsyncBackoffMs } = options;
  const sharing = createGroupSharing(options);
  const figures = createGroupFigures();
  let onAssigned: (assignment: Assignment) => Promise<void> = async () => {};
  let version: ProtocolVersion = protocolsFor(mode)[0]?.version ?? 0;
  let generation = 0;
  let lastCompleted = -1;
  let leader = false;
  let leaderUrl: string | undefined;
  /** What this worker joins with: what it was told last, with all that it has. */
  let told: SharedAssignment | null = null;
  /** What it was told to run, by the last `onAssigned` that resolved. Less than it has while the config is not read that far. */
  let running: Work = noWork;
  /** What the last share was made from. */
  let shared: ReadonlySet<string> = new Set();
  let settled = false;
  let unread = false;
  let absences = 0;
  let timer: NodeJS.Timeout | undefined;

  function begin(): void {
    settled = false;
    figures.began();
  }

  function rejoin(why: string): void {
    logger.info(`Group: joins again: ${why}.`);
    begin();
    clearTimeout(timer);
    transport.rejoin();
  }

  function rejoinAfter(ms: number, why: string): void {
    clearTimeout(timer);
    // No reason for a process to live on.
    timer = setTimeout(() => rejoin(why), ms).unref();
  }

  /** Resolves when nothing runs here but this. `last`: the round needs no other one. */
  async function run(work: Work, last = false): Promise<void> {
    const { connectors, tasks } = work;
    // What is started now may have to ask the leader for something.
    if (last) settled = true;
    await onAssigned({
      ...{ generation, leader, connectors, tasks },
      ...(leaderUrl === undefined ? {} : { leaderUrl }),
      ...(leader ? { unassigned: sharing.unassigned() } : {}),
    });
    running = work;
  }

  async function abandon(): Promise<void> {
    begin();
    clearTimeout(timer);
    told = null;
    leader = false;
    leaderUrl = undefined;
    sharing.forget();
    await run(noWork);
  }

  /**
   * A member that cannot read the config topic must not hold up the others. Connect runs on what it has meanwhile, for
   * five absences at most; ours stops, since nobody tells it what became of its work. False where it had to leave.
   */
  async function catchUp(): Promise<boolean> {
    try {
      await configStore.readToEnd(syncTimeoutMs);
      absences = 0;
      return true;
    } catch (error) {
      const short = version > 0 && absences < shortAbsences ? maxDelayMs / 10 / (shortAbsences - absences) : unsyncBackoffMs;
      const awayMs = Math.round(Math.min(short, unsyncBackoffMs));
      absences = absences < shortAbsences ? absences + 1 : 0;
      unread = true;
      logger.warn(
        `Group: leaves for ${awayMs} ms, since the config topic could not be read to its end within worker.sync.timeout.ms=${syncTimeoutMs}: ${(error as Error).message}`,
      );
      await abandon();
      await transport.leaveFor(awayMs);
      return false;
    }
  }

  const listener: GroupListener = {
    async protocols() {
      begin();
      clearTimeout(timer);
      if (unread) await configStore.readToEnd(syncTimeoutMs);
      unread = false;
      if (version === 0) {
        if (!isIdle(running)) await run(noWork);
        told = null;
      }
      const state = { url, configOffset: configStore.offset(), work: told };
      return protocolsFor(mode).map((each) => ({ name: each.name, metadata: encodeWorkerState(each.version, state) }));
    },

    share: (round) => sharing.share(round, lastCompleted),

    async shared({ protocol, generation: now, memberId, leaderId, assignment }) {
      const round = decodeShared(assignment);
      version = protocolVersionOf(protocol);
      generation = lastCompleted = now;
      leader = leaderId === memberId;
      leaderUrl = round.leaderUrl;
      if (!leader) sharing.forget();
      clearTimeout(timer);

      const assigned: Work = { connectors: round.connectors, tasks: round.tasks };
      const revoked: Work = version === 0 ? noWork : { connectors: round.revokedConnectors, tasks: round.revokedTasks };
      const has = version === 0 ? assigned : workAfter(told ?? noWork, { assigned, revoked });
      logger.info(
        `Group: generation ${now}, ${modes[version]}, led by ${leader ? 'this worker' : round.leaderUrl}: ${count(has)} here (${count(assigned)} new, ${count(revoked)} taken away)` +
          (round.delayMs === 0 ? '.' : `; shares out again in ${round.delayMs} ms.`),
      );
      const left = workMinus(running, revoked);
      if (count(left) < count(running)) await run(left);
      told = { ...round, ...has };
      if (round.delayMs > 0) rejoinAfter(round.delayMs, 'the delay is over');

      const behind = configStore.offset() < round.configOffset;
      if ((behind || (leader && round.error !== 0)) && !(await catchUp())) return;
      if (round.error !== 0) return rejoinAfter(pauseMs, 'the leader could not share out');
      if (configStore.offset() < round.configOffset) return rejoinAfter(pauseMs, 'the config topic ends before what the leader has read');
      if (configStore.offset() > round.configOffset) return rejoin('the configuration has changed meanwhile');

      // Each worker has read what the leader has.
      shared = keysOf(configuredWork(configStore));
      const moves = !isIdle(revoked);
      await run(has, !moves);
      figures.completed();
      if (moves) rejoin('what was taken away here has stopped');
    },

    async lost() {
      await abandon();
    },
  };

  return {
    workerId,
    async start(assign) {
      onAssigned = assign;
      await transport.start(listener);
    },
    /**
     * Task configs that only change do not make this worker join again, as they make one of Connect's: nothing moves,
     * and the reconciler restarts what runs here. In a mixed group the others join, and find this worker with its work
     * as it is. What Connect wins by it, that tasks under the new configs seldom start before those under the old ones
     * stop elsewhere, is no promise of it either: with exactly-once the fencing of each set of task configs keeps them
     * apart, without it records may be delivered twice.
     */
    configChanged(connectors, tasks) {
      if (!settled) return;
      const now = keysOf({ connectors, tasks });
      const added = now.difference(shared).size;
      const removed = shared.difference(now).size;
      if (added + removed > 0) rejoin(`${added} connectors and tasks were added, ${removed} removed`);
    },
    ownerUrl: (item) => (settled && leader ? sharing.ownerUrl(item) : undefined),
    settled: () => settled,
    figures: () => ({
      'connect-protocol': modes[version].toUpperCase(),
      'leader-name': leaderUrl ?? '',
      epoch: generation,
      ...figures.read(),
      'assigned-connectors': told?.connectors.length ?? 0,
      'assigned-tasks': told?.tasks.length ?? 0,
      ...transport.figures?.(),
    }),
    async [Symbol.asyncDispose]() {
      settled = false;
      clearTimeout(timer);
      onAssigned = async () => {};
      await transport[Symbol.asyncDispose]();
    },
  };
}

const count = (work: Work): number => work.connectors.length + work.tasks.length;

const keysOf = (work: Work): ReadonlySet<string> => new Set(itemsOf(work).map(itemKey));
