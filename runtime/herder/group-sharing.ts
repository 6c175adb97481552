/**
 * What the leader of a group does: it shares out what is configured, and remembers who was given what.
 * Sources: org.apache.kafka.connect.runtime.distributed.WorkerCoordinator (onLeaderElected, LeaderState),
 * IncrementalCooperativeAssignor.performAssignment.
 */
import type { Logger } from '../api/index.ts';
import type { GroupListener, Work } from '../ports/membership.ts';
import type { ConfigStore, StatusStore } from '../ports/stores.ts';
import type { TaskId } from '../ports/tasks.ts';
import { shareEagerly } from './assignment/eager-assignor.ts';
import { decodeWorkerState, encodeShared, protocolVersionOf } from './assignment/group-protocol.ts';
import type { ProtocolVersion, SharedAssignment, WorkerState } from './assignment/group-protocol.ts';
import { createIncrementalAssignor } from './assignment/incremental-assignor.ts';
import type { Shares } from './assignment/incremental-assignor.ts';
import { noWork, taskKey } from './assignment/work.ts';

export type SharedConfigs = Pick<ConfigStore, 'offset' | 'readToEnd' | 'connectors' | 'get'>;
export type SharedStatuses = Pick<StatusStore, 'readToEnd' | 'connector' | 'task'>;

export interface GroupSharingOptions {
  readonly configStore: SharedConfigs;
  readonly statusStore: SharedStatuses;
  readonly maxDelayMs: number;
  readonly syncTimeoutMs: number;
  readonly logger: Logger;
}

export type ShareRequest = Parameters<GroupListener['share']>[0];

export interface GroupSharing {
  /** `lastCompleted`: the last generation in which this worker was told its share; -1 before the first. */
  share(round: ShareRequest, lastCompleted: number): Promise<ReadonlyMap<string, Buffer>>;
  /** Of the worker that the item was given to. */
  ownerUrl(item: TaskId | string): string | undefined;
  /** What waits for the return of its worker. */
  unassigned(): Work;
  /** Another worker leads, or this one is out of the group. */
  forget(): void;
}

/** Whom an item was given to. */
interface Owner {
  readonly url: string;
  /** The generation in which that was, or an earlier one in which the worker had it already. */
  readonly since: number;
  /** The first generation without that worker. */
  readonly lostIn?: number;
}

/** A group waits while its leader shares out: better not to know than to read on for long. */
const statusTimeoutMs = 2000;

export const itemKey = (item: TaskId | string): string => (typeof item === 'string' ? `connector ${item}` : `task ${taskKey(item)}`);
export const itemsOf = ({ connectors, tasks }: Work): readonly (TaskId | string)[] => [...connectors, ...tasks];

export function configuredWork(configStore: SharedConfigs): Work {
  const connectors = configStore.connectors();
  const tasksOf = (connector: string): TaskId[] => (configStore.get(connector)?.tasks ?? []).map((_, task) => ({ connector, task }));
  return { connectors, tasks: connectors.flatMap(tasksOf) };
}

export function createGroupSharing({ configStore, statusStore, maxDelayMs, syncTimeoutMs, logger }: GroupSharingOptions): GroupSharing {
  const assignor = createIncrementalAssignor({ maxDelayMs, now: () => performance.now(), log: (message) => logger.debug(message) });
  let owners = new Map<string, Owner>();
  let unassigned: Work = noWork;

  function forget(): void {
    assignor.reset();
    owners.clear();
    unassigned = noWork;
  }

  /**
   * Runs nowhere for certain, so that nobody need wait for its worker. Either that worker said so on its way out; in
   * the generation in which it was given the item or a later one, else it means an earlier time that it ran it; and
   * before the group was without it, else it was the leader, who says the same of a worker that crashed. Or it is
   * back, as a new member that does not run it.
   */
  function released(item: TaskId | string, generation: number, urls: ReadonlySet<string>): boolean {
    const owner = owners.get(itemKey(item));
    if (owner === undefined) return false;
    if (urls.has(owner.url)) return true;
    const status = typeof item === 'string' ? statusStore.connector(item) : statusStore.task(item);
    if (status?.state !== 'UNASSIGNED' || status.workerId !== workerIdOf(owner.url)) return false;
    return status.generation >= owner.since && status.generation < (owner.lostIn ?? generation);
  }

  /** Statuses count for what is lost alone. */
  async function readStatuses(members: ReadonlyMap<string, Work>): Promise<void> {
    const active = new Set([...members.values()].flatMap((work) => itemsOf(work).map(itemKey)));
    if (owners.keys().every((key) => active.has(key))) return;
    try {
      await statusStore.readToEnd(statusTimeoutMs);
    } catch (error) {
      logger.warn(`Sharing out the work: what departed workers said last could not be read: ${(error as Error).message}`);
    }
  }

  function remember(shares: Shares, states: ReadonlyMap<string, WorkerState>, generation: number): void {
    const next = new Map<string, Owner>();
    for (const [memberId, work] of shares.runs) {
      const url = states.get(memberId)?.url ?? '';
      const given = new Set(itemsOf(shares.told.get(memberId)?.assigned ?? noWork).map(itemKey));
      for (const key of itemsOf(work).map(itemKey)) {
        const before = owners.get(key);
        const known = before?.url === url && before.lostIn === undefined ? before.since : generation - 1;
        next.set(key, { url, since: given.has(key) ? generation : known });
      }
    }
    for (const key of itemsOf(shares.unassigned).map(itemKey)) {
      const before = owners.get(key);
      if (before !== undefined) next.set(key, { lostIn: generation, ...before });
    }
    owners = next;
    unassigned = shares.unassigned;
  }

  async function share({ protocol, generation, leaderId, members }: ShareRequest, lastCompleted: number) {
    const version = protocolVersionOf(protocol);
    const states = new Map(members.map(({ memberId, metadata }) => [memberId, decodeWorkerState(metadata)]));
    const leaderUrl = states.get(leaderId)?.url ?? '';
    const wanted = Math.max(...[...states.values()].map(({ configOffset }) => configOffset));
    const head = { leader: leaderId, leaderUrl, configOffset: wanted, error: 0 as const };

    if (configStore.offset() < wanted && !(await reaches(wanted))) {
      logger.warn(
        `Sharing out the work: another worker has read the config topic to offset ${wanted}, this one only to ${configStore.offset()}: all are told to join again.`,
      );
      const told = encodeShared(version, toldOf({ ...head, error: 1 }, noWork, noWork, 0));
      return new Map([...states.keys()].map((memberId) => [memberId, told]));
    }
    const running = new Map([...states].map(([memberId, { work }]): [string, Work] => [memberId, work ?? noWork]));
    if (version > 0) await readStatuses(running);

    // Nothing waits from here on: what is configured, and the offset that it stands for, belong together.
    const configured = configuredWork(configStore);
    const urls = new Set([...states.values()].map(({ url }) => url));
    const shares: Shares =
      version === 0
        ? eagerly(states.keys(), configured)
        : assignor.share({
            ...{ generation, lastCompletedGeneration: lastCompleted, members: running, configured },
            released: (item) => released(item, generation, urls),
          });
    remember(shares, states, generation);
    const shared = { ...head, configOffset: configStore.offset() };
    return new Map(
      [...shares.told].map(([memberId, { assigned, revoked }]) => [memberId, encode(version, shared, assigned, revoked, shares.delayMs)]),
    );
  }

  async function reaches(offset: number): Promise<boolean> {
    await configStore.readToEnd(syncTimeoutMs).catch(() => {});
    return configStore.offset() >= offset;
  }

  return {
    share,
    ownerUrl(item) {
      const owner = owners.get(itemKey(item));
      return owner?.lostIn === undefined ? owner?.url : undefined;
    },
    unassigned: () => unassigned,
    forget,
  };
}

/** As workers name themselves in statuses: host:port of their URL. */
const workerIdOf = (url: string): string => /^\w+:\/\/([^/]+)/.exec(url)?.[1] ?? url;

type Head = Pick<SharedAssignment, 'error' | 'leader' | 'leaderUrl' | 'configOffset'>;

const toldOf = (head: Head, { connectors, tasks }: Work, revoked: Work, delayMs: number): Omit<SharedAssignment, 'version'> => ({
  ...{ ...head, connectors, tasks, delayMs },
  ...{ revokedConnectors: revoked.connectors, revokedTasks: revoked.tasks },
});

const encode = (version: ProtocolVersion, head: Head, assigned: Work, revoked: Work, delayMs: number): Buffer =>
  encodeShared(version, toldOf(head, assigned, revoked, delayMs));

/** All at once: nobody runs anything when a round of version 0 begins. */
function eagerly(members: Iterable<string>, configured: Work): Shares {
  const runs = shareEagerly(members, configured);
  const told = new Map([...runs].map(([memberId, assigned]) => [memberId, { assigned, revoked: noWork }]));
  return { told, runs, unassigned: noWork, delayMs: 0 };
}
