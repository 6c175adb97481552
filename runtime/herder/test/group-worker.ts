/** A worker that runs nothing but says that it does: the real group, the real stores, no tasks. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../api/index.ts';
import { openKafkaLog } from '../../kafka/kafka-log.ts';
import { openWorkerGroup } from '../../kafka/worker-group.ts';
import type { Assignment, Membership, Work } from '../../ports/membership.ts';
import type { ConfigStore, RunState, StatusStore } from '../../ports/stores.ts';
import type { TaskId } from '../../ports/tasks.ts';
import { topicConfigStore } from '../../stores/topic-config-store.ts';
import { topicStatusStore } from '../../stores/topic-status-store.ts';
import { groupMembership } from '../group-membership.ts';
import type { GroupMembershipOptions } from '../group-membership.ts';

export interface GroupWorker extends AsyncDisposable {
  readonly name: string;
  readonly membership: Membership;
  readonly configStore: ConfigStore;
  readonly statusStore: StatusStore;
  readonly assignments: readonly Assignment[];
  now(): Assignment;
  /** Such as `a`, `a-0`. */
  items(): readonly string[];
  readonly logged: string[];
  /** Says of everything that it has stopped, and leaves. */
  stop(): Promise<void>;
}

export interface GroupWorkerOptions extends Partial<Pick<GroupMembershipOptions, 'maxDelayMs' | 'protocol'>> {
  readonly brokers: readonly string[];
  readonly group: string;
  readonly name: string;
  readonly sessionTimeoutMs?: number;
}

export const itemNames = ({ connectors, tasks }: Work): string[] =>
  [...connectors, ...tasks.map(({ connector, task }) => `${connector}-${task}`)].toSorted();

const urlOf = (name: string): string => `http://${name}:8083/`;

export async function startGroupWorker(options: GroupWorkerOptions): Promise<GroupWorker> {
  const { brokers, group, name, sessionTimeoutMs = 6000, maxDelayMs = 60_000, protocol = 'sessioned' } = options;
  const workerId = `${name}:8083`;
  const settings = { 'bootstrap.servers': brokers.join(',') };
  const logged: string[] = [];
  const write = (message: string): void => void logged.push(message);
  const logger: Logger = { debug: write, info: write, warn: write, error: write };
  const log = await openKafkaLog(settings);
  const topic = (what: string) => ({ log, topic: `${group}-${what}`, replicationFactor: 1, clientId: name, logger });
  const configStore = topicConfigStore({ ...topic('configs'), isolation: 'read_uncommitted' });
  const statusStore = topicStatusStore({ ...topic('status'), shared: true });
  const transport = await openWorkerGroup({
    ...{ settings, groupId: group, clientId: `connect-${workerId}`, protocolType: 'connect' },
    ...{ sessionTimeoutMs, heartbeatMs: 1000, rebalanceTimeoutMs: 20_000, warn: write },
  });
  const membership = groupMembership({
    ...{ transport, workerId, url: urlOf(name), protocol, configStore, statusStore, logger },
    ...{ maxDelayMs, syncTimeoutMs: 3000, unsyncBackoffMs: 300_000 },
  });
  const assignments: Assignment[] = [];
  let running: Work = { connectors: [], tasks: [] };

  async function say(state: RunState, work: Work): Promise<void> {
    const status = { state, trace: null, workerId, generation: assignments.at(-1)?.generation ?? 0, version: null };
    await Promise.all([
      ...work.connectors.map((connector) => statusStore.putConnector(connector, status)),
      ...work.tasks.map((id) => statusStore.putTask(id, status)),
    ]);
  }

  const shareOut = (): void => {
    const names = configStore.connectors();
    const tasksOf = (connector: string): TaskId[] => (configStore.get(connector)?.tasks ?? []).map((_, task) => ({ connector, task }));
    membership.configChanged(names, names.flatMap(tasksOf));
  };
  await Promise.all([configStore.start({ connector: () => queueMicrotask(shareOut) }), statusStore.start()]);
  await membership.start(async (assignment) => {
    assignments.push(assignment);
    const before = running;
    running = assignment;
    await say('UNASSIGNED', without(before, assignment));
    await say('RUNNING', without(assignment, before));
  });

  let closed = false;
  const worker: GroupWorker = {
    ...{ name, membership, configStore, statusStore, assignments, logged },
    now: () => assignments.at(-1) ?? { generation: 0, leader: false, connectors: [], tasks: [] },
    items: () => itemNames(worker.now()),
    async stop() {
      await say('UNASSIGNED', running);
      await worker[Symbol.asyncDispose]();
    },
    async [Symbol.asyncDispose]() {
      if (closed) return;
      closed = true;
      await membership[Symbol.asyncDispose]();
      await configStore[Symbol.asyncDispose]();
      await statusStore[Symbol.asyncDispose]();
      await log[Symbol.asyncDispose]();
    },
  };
  return worker;
}

function without(work: Work, less: Work): Work {
  const gone = new Set(itemNames(less));
  return {
    connectors: work.connectors.filter((name) => !gone.has(name)),
    tasks: work.tasks.filter(({ connector, task }) => !gone.has(`${connector}-${task}`)),
  };
}

/** Says, after a while in vain, what it waited for and what was found instead. */
export async function eventually(
  what: string,
  check: () => boolean | Promise<boolean>,
  found: () => unknown,
  withinMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`gave up waiting: ${what}; found ${JSON.stringify(found(), undefined, 1)}`);
    await sleep(50);
  }
}
