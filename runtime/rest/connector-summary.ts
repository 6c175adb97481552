/**
 * Of ours alone: how a connector fares as a whole. Connect's own `state` of a connector stays RUNNING while all of its
 * tasks are FAILED, and clients rely on the fields that there are.
 */
import type { ConnectorStateInfo, TaskReports } from '../ports/herder.ts';
import { restartNoteOf } from '../ports/restart-note.ts';

export const summaryStates = ['healthy', 'degraded', 'failed', 'paused', 'stopped', 'unassigned'] as const;
export type SummaryState = (typeof summaryStates)[number];

export interface ConnectorSummary {
  readonly state: SummaryState;
  /** How many tasks are in each of Connect's states, in lower case; states without tasks are left out. */
  readonly tasks: Readonly<Record<string, number>>;
  /** Where it is neither healthy nor as it is wanted: who is not well, and why, in one line. */
  readonly cause?: string;
  /** Of a connector or tasks that failed, and are to be started again by themselves; left out where there are none. */
  readonly restarts?: readonly PendingRestart[];
  /** How far the work of its tasks is, by number, where the connector says so. */
  readonly reports?: TaskReports;
}

export interface PendingRestart {
  /** Left out: the connector itself. */
  readonly task?: number;
  /** Which one in a row it will be, from 1. */
  readonly count: number;
  /** Of so many; left out where there is no limit. */
  readonly of?: number;
  /** ISO 8601. */
  readonly at: string;
}

/**
 * `failed`: the connector itself, or every task. `degraded`: some tasks failed, are not placed, restart or do not answer,
 * or there are none. `unassigned`: no worker runs any of it. `paused` and `stopped` are wanted states.
 */
export function connectorSummary({ connector, tasks }: ConnectorStateInfo, reports: TaskReports = {}): ConnectorSummary {
  const counts: Record<string, number> = {};
  for (const { state } of tasks) counts[state.toLowerCase()] = (counts[state.toLowerCase()] ?? 0) + 1;
  const restarts = [...pendingRestart(connector), ...tasks.flatMap((task) => pendingRestart(task, task.id))];
  const of = (state: SummaryState, cause?: string): ConnectorSummary => ({
    state,
    tasks: counts,
    ...(cause !== undefined && { cause }),
    ...(restarts.length > 0 && { restarts }),
    ...(Object.keys(reports).length > 0 && { reports }),
  });

  if (connector.state === 'FAILED') return of('failed', causeOf('connector', 'FAILED', connector.trace));
  if (connector.state === 'STOPPED') return of('stopped');
  const failed = tasks.find((task) => task.state === 'FAILED');
  if (failed) {
    const all = tasks.every((task) => task.state === 'FAILED');
    return of(all ? 'failed' : 'degraded', causeOf(`task ${failed.id}`, 'FAILED', failed.trace));
  }
  if (connector.state === 'UNASSIGNED' && tasks.every((task) => task.state === 'UNASSIGNED')) {
    return of('unassigned', causeOf('connector', 'UNASSIGNED', connector.trace));
  }
  if (connector.state === 'PAUSED') return of('paused');
  if (connector.state !== 'RUNNING') return of('degraded', causeOf('connector', connector.state, connector.trace));
  if (tasks.length === 0) return of('degraded', 'it has no tasks');
  const unwell = tasks.find((task) => task.state !== 'RUNNING' || task.trace !== undefined);
  if (unwell === undefined) return of('healthy');
  const nowhere = tasks.every((task) => task.state === 'UNASSIGNED');
  return of(nowhere ? 'unassigned' : 'degraded', causeOf(`task ${unwell.id}`, unwell.state, unwell.trace));
}

function pendingRestart({ state, trace }: ConnectorStateInfo['connector'], task?: number): PendingRestart[] {
  const note = state === 'FAILED' ? restartNoteOf(trace) : undefined;
  if (note === undefined) return [];
  const { count, of, at } = note;
  return [{ ...(task !== undefined && { task }), count, ...(of !== undefined && { of }), at }];
}

/** The innermost cause that a trace names says most; without one, its first line. */
function causeOf(who: string, state: string, trace: string | undefined): string {
  const lines = trace?.split('\n') ?? [];
  const line = (lines.findLast((each) => each.startsWith('Caused by: ')) ?? lines[0] ?? '').replace(/^Caused by: /, '').trim();
  return line === '' ? `${who} is ${state}` : `${who}: ${line}`;
}
