/** Restarts of what failed that come by themselves: of tasks, and of connectors. */
import type { Logger, RawConfig } from '../api/index.ts';
import { withRestartNote } from '../ports/restart-note.ts';
import { restartDelayMs, restartPolicy } from './restart-policy.ts';

export interface Failure {
  readonly trace: string;
  /** The reason may pass. */
  readonly passes: boolean;
  /** The connector's. */
  readonly config: RawConfig;
  /** How long it ran before. */
  readonly ranMs: number;
}

export interface RestartTimers<Id> {
  /** Plans a restart, where there is to be one. Returns what the status is to show: the trace, and what comes. */
  failed(id: Id, failure: Failure): string;
  /** None comes by itself any more, until it fails again; nor do those that there were count. */
  cancel(id: Id): void;
}

export interface RestartTimersParts<Id> {
  /** Called when the time has come, unless it was cancelled. */
  readonly due: (id: Id) => void;
  readonly logger: Logger;
  /** As the log has it: `task c-0`. Unique. */
  readonly nameOf: (id: Id) => string;
  /** The path that a person starts it by. */
  readonly pathOf: (id: Id) => string;
}

interface Restarts {
  /** In a row. */
  count: number;
  timer?: NodeJS.Timeout;
}

export function restartTimers<Id>({ due, logger, nameOf, pathOf }: RestartTimersParts<Id>): RestartTimers<Id> {
  const restarts = new Map<string, Restarts>();

  function cancel(id: Id): void {
    clearTimeout(restarts.get(nameOf(id))?.timer);
    restarts.delete(nameOf(id));
  }

  return {
    cancel,
    failed(id, { trace, passes, config, ranMs }) {
      const name = nameOf(id);
      const policy = passes ? restartPolicy(config) : undefined;
      const before = policy !== undefined && ranMs < policy.resetAfterMs ? (restarts.get(name)?.count ?? 0) : 0;
      cancel(id);
      if (policy === undefined) return trace;
      const { attempts } = policy;
      const of = attempts === Infinity ? undefined : attempts;
      if (before >= attempts) {
        const used = `${before} restart${before === 1 ? '' : 's'} did not help, and no other comes by itself (errors.restart.attempts=${attempts})`;
        logger.error(`${name}: ${used}`);
        return `${trace.trimEnd()}\n${used}. POST ${pathOf(id)} starts it anew.`;
      }
      const delayMs = restartDelayMs(policy, before);
      const timer = setTimeout(() => due(id), delayMs);
      restarts.set(name, { count: before + 1, timer });
      logger.warn(`${name}: restart ${before + 1}${of === undefined ? '' : ` of ${of}`} comes in ${delayMs} ms`);
      return withRestartNote(trace, { count: before + 1, of, at: new Date(Date.now() + delayMs).toISOString() });
    },
  };
}
