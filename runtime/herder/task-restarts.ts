/** Restarts of failed tasks that come by themselves. */
import type { Logger, RawConfig } from '../api/index.ts';
import { withRestartNote } from '../ports/restart-note.ts';
import type { TaskId } from '../ports/tasks.ts';
import { taskName } from './herder-context.ts';
import { restartDelayMs, restartPolicy } from './restart-policy.ts';

export interface TaskFailure {
  readonly trace: string;
  /** The reason may pass. */
  readonly passes: boolean;
  /** The connector's. */
  readonly config: RawConfig;
  /** How long it ran before. */
  readonly ranMs: number;
}

export interface TaskRestarts {
  /** Plans a restart, where there is to be one. Returns what the status is to show: the trace, and what comes. */
  failed(id: TaskId, failure: TaskFailure): string;
  /** None comes by itself any more, until it fails again; nor do those that there were count. */
  cancel(id: TaskId): void;
}

interface Restarts {
  /** In a row. */
  count: number;
  timer?: NodeJS.Timeout;
}

/** `due` is called when the time has come, unless it was cancelled. */
export function createTaskRestarts(due: (id: TaskId) => void, logger: Logger): TaskRestarts {
  const restarts = new Map<string, Restarts>();

  function cancel(id: TaskId): void {
    clearTimeout(restarts.get(taskName(id))?.timer);
    restarts.delete(taskName(id));
  }

  return {
    cancel,
    failed(id, { trace, passes, config, ranMs }) {
      const name = taskName(id);
      const policy = passes ? restartPolicy(config) : undefined;
      const before = policy !== undefined && ranMs < policy.resetAfterMs ? (restarts.get(name)?.count ?? 0) : 0;
      cancel(id);
      if (policy === undefined) return trace;
      const { attempts } = policy;
      const of = attempts === Infinity ? undefined : attempts;
      if (before >= attempts) {
        const used = `${before} restart${before === 1 ? '' : 's'} did not help, and no other comes by itself (errors.restart.attempts=${attempts})`;
        logger.error(`task ${name}: ${used}`);
        return `${trace.trimEnd()}\n${used}. ${byHand(id)}`;
      }
      const delayMs = restartDelayMs(policy, before);
      const timer = setTimeout(() => due(id), delayMs);
      restarts.set(name, { count: before + 1, timer });
      logger.warn(`task ${name}: restart ${before + 1}${of === undefined ? '' : ` of ${of}`} comes in ${delayMs} ms`);
      return withRestartNote(trace, { count: before + 1, of, at: new Date(Date.now() + delayMs).toISOString() });
    },
  };
}

function byHand({ connector, task }: TaskId): string {
  return `POST /connectors/${encodeURIComponent(connector)}/tasks/${task}/restart starts it anew.`;
}
