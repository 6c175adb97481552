/** What a connector's status says about it: does it do what is wanted, has it failed, or is it on its way? */
import type { RawConfig } from '../../api/index.ts';
import type { ConnectorInfo, ConnectorStatus } from './connect-api.ts';
import { keyChanges } from './plan.ts';
import type { KeyChange } from './plan.ts';

export type Standing =
  /** `state` is RUNNING, PAUSED or STOPPED; `tasks` of them in the same state. */
  | { readonly kind: 'settled'; readonly state: string; readonly tasks: number }
  | { readonly kind: 'failed'; readonly parts: readonly FailedPart[] }
  /** `isDoubtful`: everything that can be seen is as wanted, and yet it may be of the time before the change. */
  | { readonly kind: 'pending'; readonly why: string; readonly isDoubtful: boolean };

export interface FailedPart {
  /** `connector`, or `task 0`. */
  readonly part: string;
  readonly trace: string;
}

export interface Seen {
  readonly info: ConnectorInfo | undefined;
  readonly status: ConnectorStatus | undefined;
  /** Left out when they do not matter. */
  readonly taskConfigs?: readonly RawConfig[];
}

export interface Wanted {
  readonly config: RawConfig;
  /** What was changed; empty for a connector that was left as it is. */
  readonly keys: readonly KeyChange[];
}

/** Without `doubts`, what would be doubtful is believed. */
export function standingOf({ info, status, taskConfigs = [] }: Seen, wanted: Wanted, doubts = true): Standing {
  if (info === undefined) return pending('the server does not list it yet');
  if (keyChanges(info.config, wanted.config).length > 0) return pending('the server still shows another config');
  if (status === undefined) return pending('it has no status yet');
  const { connector } = status;
  if (connector.state === 'FAILED') return { kind: 'failed', parts: failedParts(status, []) };
  // What ran before a connector was stopped may go on being listed.
  if (connector.state === 'STOPPED') return { kind: 'settled', state: 'STOPPED', tasks: 0 };
  if (connector.state !== 'RUNNING' && connector.state !== 'PAUSED') return pending(`the connector is ${connector.state}`);

  const ids = info.tasks.map(({ task }) => task);
  if (connector.state === 'RUNNING' && doubts) {
    if (ids.length === 0) return doubtful('it has no tasks yet');
    const late = staleKey(taskConfigs, wanted.keys);
    if (late !== undefined) return doubtful(`its tasks still have the old value of "${late}"`);
  }
  const failed = failedParts(status, ids);
  if (failed.length > 0) return { kind: 'failed', parts: failed };
  for (const id of ids) {
    const state = status.tasks.find((task) => task.id === id)?.state ?? 'without a status';
    if (state !== connector.state) return pending(`task ${id} is ${state}`);
  }
  return { kind: 'settled', state: connector.state, tasks: ids.length };
}

const pending = (why: string): Standing => ({ kind: 'pending', why, isDoubtful: false });
const doubtful = (why: string): Standing => ({ kind: 'pending', why, isDoubtful: true });

function failedParts(status: ConnectorStatus, ids: readonly number[]): readonly FailedPart[] {
  const parts = [
    { part: 'connector', ...status.connector },
    ...status.tasks.filter(({ id }) => ids.includes(id)).map((task) => ({ part: `task ${task.id}`, ...task })),
  ];
  return parts.flatMap(({ part, state, trace }) => (state === 'FAILED' ? [{ part, trace: trace ?? '' }] : []));
}

/** Most connectors hand their config on to their tasks: a key that has its old value there says that the tasks are the old ones. */
function staleKey(taskConfigs: readonly RawConfig[], keys: readonly KeyChange[]): string | undefined {
  return keys.find(({ key, before }) => before !== undefined && taskConfigs.some((config) => config[key] === before))?.key;
}

/** What of a stack helps: its first line, and what caused it. */
export function traceLines(trace: string): readonly string[] {
  const lines = trace.split(/\r?\n/).filter((line) => line.trim() !== '');
  const [first = 'no trace in its status', ...rest] = lines;
  // A message of several lines goes on until the stack begins.
  const stack = rest.findIndex((line) => /^\s+at /.test(line));
  const more = rest.slice(0, stack < 0 ? rest.length : stack);
  const causes = rest.slice(more.length).filter((line) => /^\s*Caused by: /.test(line));
  return [first, ...more.slice(0, 3), ...causes.slice(0, 4)].map((line) => line.trim());
}
