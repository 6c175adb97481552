/** Workers of one group in memory: a coordinator that runs rounds when it is told to, over our own port. */
import assert from 'node:assert/strict';
import type { Logger } from '../../api/index.ts';
import { RetriableError } from '../../api/index.ts';
import type { Assignment, GroupListener, GroupMember, Membership, Work } from '../../ports/membership.ts';
import type { ConnectorEntry, RunState, RunStatus } from '../../ports/stores.ts';
import type { TaskId } from '../../ports/tasks.ts';
import { decodeWorkerState } from '../assignment/group-protocol.ts';
import type { WorkerState } from '../assignment/group-protocol.ts';
import { groupMembership } from '../group-membership.ts';
import type { GroupMembershipOptions } from '../group-membership.ts';

export interface TestWorker {
  readonly name: string;
  readonly membership: Membership;
  /** What `onAssigned` was called with. */
  readonly assignments: Assignment[];
  /** Of the last assignment, such as `a a-0`, sorted. */
  runs(): string;
  /** What it joined with last. */
  joinedWith(): WorkerState;
  /** How long it stays away; undefined while it does not. */
  awayMs(): number | undefined;
  /** How much of the config it has read; it reads on when it is told to, or has to. */
  seen: number;
  unreadable: boolean;
  /** Awaited by each `onAssigned`. */
  working: () => Promise<void>;
  readonly logged: string[];
}

export interface TestGroup {
  /** In order, over all workers: `A runs a a-0` when an `onAssigned` resolved. */
  readonly events: string[];
  readonly statuses: Map<string, RunStatus>;
  generation(): number;
  /** The number of tasks of each connector, read at once by all workers whose `follows` is not false. */
  configure(connectors: Readonly<Record<string, number>>, follows?: (worker: TestWorker) => boolean): void;
  join(name: string, options?: Partial<GroupMembershipOptions>): Promise<TestWorker>;
  /** Called in each round when the leader has shared out, and nobody was told yet. */
  onShared: () => void;
  /** One round of all members; they join in the order in which they came. */
  round(): Promise<void>;
  /** Rounds for as long as anybody asks for one. */
  settle(): Promise<void>;
  asked(worker: TestWorker): boolean;
  /** As the coordinator, put it out: it hears of it, and comes back as a new member. */
  lose(worker: TestWorker): Promise<void>;
  /** In good order, with the last words of what it ran. */
  leave(worker: TestWorker): Promise<void>;
  /** It is not heard of any more. */
  crash(worker: TestWorker): void;
  status(item: string, state: RunState, workerId: string, generation: number): void;
}

interface Seat {
  readonly worker: TestWorker;
  readonly listener: GroupListener;
  memberId: string;
  asks: boolean;
  state: WorkerState;
}

export const urlOf = (name: string): string => `http://${name}:8083/`;
export const workerIdOf = (name: string): string => `${name}:8083`;
const itemsOf = ({ connectors, tasks }: Work): string[] => [...connectors, ...tasks.map(({ connector, task }) => `${connector}-${task}`)];

export function createTestGroup(): TestGroup {
  const events: string[] = [];
  const statuses = new Map<string, RunStatus>();
  const history: Readonly<Record<string, number>>[] = [{}];
  const workers = new Set<TestWorker>();
  const seats = new Map<TestWorker, Seat>();
  let generation = 0;
  let members = 0;

  function configsOf(worker: TestWorker): GroupMembershipOptions['configStore'] {
    const now = (): Readonly<Record<string, number>> => history[worker.seen] ?? {};
    return {
      offset: () => worker.seen,
      async readToEnd() {
        if (worker.unreadable) throw new RetriableError('the end was not reached');
        worker.seen = history.length - 1;
      },
      connectors: () => Object.keys(now()),
      get: (name): ConnectorEntry | undefined => {
        const tasks = now()[name];
        return tasks === undefined ? undefined : { name, properties: {}, target: 'STARTED', tasks: new Array(tasks).fill({}) };
      },
    };
  }

  function tell(worker: TestWorker): void {
    const config = history[worker.seen] ?? {};
    const tasks = Object.entries(config).flatMap(([connector, count]) =>
      Array.from({ length: count }, (_, task): TaskId => ({ connector, task })),
    );
    worker.membership.configChanged(Object.keys(config), tasks);
  }

  const seatOf = (worker: TestWorker): Seat => {
    const seat = seats.get(worker);
    assert.ok(seat !== undefined, `${worker.name} is in the group`);
    return seat;
  };

  const group: TestGroup = {
    events,
    statuses,
    generation: () => generation,
    onShared: () => {},
    configure(connectors, follows = () => true) {
      history.push(connectors);
      for (const worker of workers) {
        if (!follows(worker)) continue;
        worker.seen = history.length - 1;
        tell(worker);
      }
    },
    async join(name, options = {}) {
      const logged: string[] = [];
      const write = (message: string): void => void logged.push(message);
      const logger: Logger = { debug: write, info: write, warn: write, error: write };
      const assignments: Assignment[] = [];
      let awayMs: number | undefined;
      const membership = groupMembership({
        transport: {
          async start(listener) {
            seats.set(worker, {
              worker,
              listener,
              memberId: `${name}-${++members}`,
              asks: true,
              state: { url: '', configOffset: -1, work: null },
            });
          },
          rejoin: () => void (seatOf(worker).asks = true),
          async leaveFor(ms) {
            awayMs = ms;
          },
          async [Symbol.asyncDispose]() {
            seats.delete(worker);
          },
        },
        ...{ workerId: workerIdOf(name), url: urlOf(name), protocol: 'sessioned', logger },
        configStore: {
          offset: () => configs.offset(),
          readToEnd: (ms) => configs.readToEnd(ms),
          connectors: () => configs.connectors(),
          get: (key) => configs.get(key),
        },
        statusStore: {
          async readToEnd() {},
          connector: (key) => statuses.get(key),
          task: ({ connector, task }) => statuses.get(`${connector}-${task}`),
        },
        ...{ maxDelayMs: 60_000, syncTimeoutMs: 1000, unsyncBackoffMs: 300_000 },
        ...options,
      });
      const worker: TestWorker = {
        ...{ name, membership, assignments, logged, seen: history.length - 1, unreadable: false, working: async () => {} },
        runs: () =>
          itemsOf(assignments.at(-1) ?? { connectors: [], tasks: [] })
            .toSorted()
            .join(' '),
        joinedWith: () => seatOf(worker).state,
        awayMs: () => awayMs,
      };
      const configs = configsOf(worker);
      workers.add(worker);
      await membership.start(async (assignment) => {
        assignments.push(assignment);
        await worker.working();
        events.push(`${name} runs ${worker.runs()}`.trim());
      });
      return worker;
    },
    async round() {
      generation++;
      const present = [...seats.values()];
      const offers = await Promise.all(
        present.map(async (seat) => {
          seat.asks = false;
          return seat.listener.protocols();
        }),
      );
      const protocol = offers[0]?.find(({ name }) => offers.every((offer) => offer.some((other) => other.name === name)))?.name ?? '';
      const all = present.map(({ memberId }, index): GroupMember => {
        const metadata = offers[index]?.find(({ name }) => name === protocol)?.metadata ?? Buffer.alloc(0);
        return { memberId, metadata };
      });
      for (const [index, seat] of present.entries()) seat.state = decodeWorkerState(all[index]?.metadata ?? Buffer.alloc(0));
      const leader = present[0];
      if (leader === undefined) return;
      const leaderId = leader.memberId;
      const round = { protocol, generation, leaderId };
      const shares = await leader.listener.share({ ...round, members: all });
      group.onShared();
      await Promise.all(
        present.map(({ listener, memberId }) =>
          listener.shared({ ...round, memberId, assignment: shares.get(memberId) ?? Buffer.alloc(0) }),
        ),
      );
    },
    async settle() {
      for (let rounds = 0; [...seats.values()].some(({ asks }) => asks); rounds++) {
        assert.ok(rounds < 50, 'rounds come to an end');
        await group.round();
      }
    },
    asked: (worker) => seatOf(worker).asks,
    async lose(worker) {
      const seat = seatOf(worker);
      await seat.listener.lost('a test says so');
      // The order of joining decides who leads: who comes back comes last.
      seats.delete(worker);
      seats.set(worker, { ...seat, memberId: `${worker.name}-${++members}`, asks: true });
    },
    async leave(worker) {
      const last = worker.assignments.at(-1);
      for (const item of itemsOf(last ?? { connectors: [], tasks: [] })) {
        group.status(item, 'UNASSIGNED', workerIdOf(worker.name), last?.generation ?? 0);
      }
      await worker.membership[Symbol.asyncDispose]();
      group.crash(worker);
    },
    crash(worker) {
      workers.delete(worker);
      seats.delete(worker);
      for (const seat of seats.values()) seat.asks = true;
    },
    status(item, state, workerId, at) {
      statuses.set(item, { state, trace: null, workerId, generation: at, version: null });
    },
  };
  return group;
}
