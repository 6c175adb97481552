import type { Assignment, Membership } from '../ports/membership.ts';
import type { TaskId } from '../ports/tasks.ts';

/** Membership for one: this worker runs everything, and leads. `workerId` is host:port, as statuses show it. */
export function singleMembership(workerId: string): Membership {
  let generation = 0;
  let connectors: readonly string[] = [];
  let tasks: readonly TaskId[] = [];
  let onAssigned: ((assignment: Assignment) => Promise<void>) | undefined;

  async function assign(): Promise<void> {
    await onAssigned?.({ generation: ++generation, leader: true, connectors, tasks });
  }

  return {
    workerId,
    async start(listener) {
      onAssigned = listener;
      await assign();
    },
    configChanged(nextConnectors, nextTasks) {
      connectors = nextConnectors;
      tasks = nextTasks;
      // The herder reports its own failures.
      void assign().catch(() => {});
    },
    ownerUrl: () => undefined,
    settled: () => true,
    figures: () => ({}),
    async [Symbol.asyncDispose]() {
      onAssigned = undefined;
    },
  };
}
