/** A group whose shares a test decides. Each change of what is configured is shared out at once, by `place`. */
import type { Assignment, Membership, Work } from '../../ports/membership.ts';
import type { TaskId } from '../../ports/tasks.ts';

export interface ScriptedGroup {
  member(workerId: string): Membership;
  /** The worker that runs it; undefined leaves it with nobody. By default the first one. */
  place: (item: string) => string | undefined;
  leader: string;
  /** False: as during a rebalance; nothing is shared out meanwhile. */
  settled: boolean;
  /** What `connect-protocol` says. */
  protocol: string;
  /** Members that the group takes for gone: they are told nothing. */
  readonly gone: Set<string>;
  /** Resolves when every member has dealt with what it was told. */
  share(): Promise<void>;
  /** This member hears that it is out of the group, and that it is to run nothing. */
  lose(workerId: string): Promise<void>;
}

type Listener = (assignment: Assignment) => Promise<void>;

const nothing: Work = { connectors: [], tasks: [] };
const nameOf = (id: TaskId): string => `${id.connector}-${id.task}`;

export function scriptedGroup(): ScriptedGroup {
  const listeners = new Map<string, Listener>();
  let configured: Work = nothing;
  let generation = 0;
  let rounds: Promise<void> = Promise.resolve();

  const workOf = (worker: string | undefined): Work => ({
    connectors: configured.connectors.filter((name) => group.place(name) === worker),
    tasks: configured.tasks.filter((id) => group.place(nameOf(id)) === worker),
  });
  const urlOf = (worker: string): string => `http://${worker}/`;

  async function round(): Promise<void> {
    generation++;
    const tell = [...listeners].map(async ([worker, listener]) => {
      if (group.gone.has(worker)) return;
      const leader = worker === group.leader;
      const base = { generation, leader, leaderUrl: urlOf(group.leader), ...workOf(worker) };
      await listener(leader ? { ...base, unassigned: workOf(undefined) } : base);
    });
    await Promise.all(tell);
  }

  const group: ScriptedGroup = {
    place: () => 'w0',
    leader: 'w0',
    settled: true,
    protocol: 'SESSIONED',
    gone: new Set(),
    member: (workerId) => ({
      workerId,
      async start(listener) {
        listeners.set(workerId, listener);
      },
      configChanged(connectors, tasks) {
        if (workerId !== group.leader) return;
        const next = { connectors, tasks };
        if (JSON.stringify(next) === JSON.stringify(configured)) return;
        configured = next;
        if (group.settled) void group.share();
      },
      ownerUrl(item) {
        const worker = group.place(typeof item === 'string' ? item : nameOf(item));
        return worker === undefined ? undefined : urlOf(worker);
      },
      settled: () => group.settled,
      figures: () => ({ 'connect-protocol': group.protocol }),
      async [Symbol.asyncDispose]() {
        listeners.delete(workerId);
      },
    }),
    share: () => (rounds = rounds.then(round)),
    lose: (workerId) => (rounds = rounds.then(() => listeners.get(workerId)?.({ generation, leader: false, ...nothing }))),
  };
  return group;
}
