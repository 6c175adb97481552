/** Connectors and tasks as sets. */
import type { Work } from '../../ports/membership.ts';
import type { TaskId } from '../../ports/tasks.ts';

/** What one member is told: to stop what is revoked, and to start what is assigned; the rest it keeps. */
export interface Told {
  readonly assigned: Work;
  readonly revoked: Work;
}

export const noWork: Work = { connectors: [], tasks: [] };

/** By UTF-16 units, as Java's String.compareTo. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** As ConnectorTaskId.compareTo. */
export const compareTasks = (a: TaskId, b: TaskId): number => compareText(a.connector, b.connector) || a.task - b.task;

/** Unique, since no task number has a dash. */
export const taskKey = (id: TaskId): string => `${id.connector}-${id.task}`;

export const isIdle = (work: Work): boolean => work.connectors.length === 0 && work.tasks.length === 0;

export function workMinus(work: Work, less: Work): Work {
  const connectors = new Set(less.connectors);
  const tasks = new Set(less.tasks.map(taskKey));
  return {
    connectors: work.connectors.filter((name) => !connectors.has(name)),
    tasks: work.tasks.filter((id) => !tasks.has(taskKey(id))),
  };
}

/** Each item once. */
export function workPlus(work: Work, more: Work): Work {
  const { connectors, tasks } = workMinus(more, work);
  return { connectors: [...work.connectors, ...connectors], tasks: [...work.tasks, ...tasks] };
}

/** What a member runs once it has done what it was told. Source: WorkerCoordinator.onJoinComplete. */
export const workAfter = (before: Work, { assigned, revoked }: Told): Work => workPlus(assigned, workMinus(before, revoked));
