/** How often, and when, a task that failed for a reason that may pass is started anew: `errors.restart.*` of its connector. */
import type { RawConfig } from '../api/index.ts';

export interface RestartPolicy {
  /** Restarts in a row; Infinity for no limit. */
  readonly attempts: number;
  readonly delayMs: number;
  readonly delayMaxMs: number;
  /** After a run of so long the count begins anew. */
  readonly resetAfterMs: number;
}

/** Undefined where failed tasks are left to people. Defaults as in the table that configs are checked by. */
export function restartPolicy(config: RawConfig): RestartPolicy | undefined {
  const number = (name: string, fallback: number): number => {
    const value = Number(config[`errors.restart.${name}`]?.trim() || fallback);
    return Number.isFinite(value) ? value : fallback;
  };
  const attempts = number('attempts', 0);
  if (attempts === 0) return undefined;
  return {
    attempts: attempts < 0 ? Infinity : attempts,
    delayMs: number('delay.ms', 1_000),
    delayMaxMs: number('delay.max.ms', 300_000),
    resetAfterMs: number('reset.after.ms', 600_000),
  };
}

/** Each twice the one before, up to the longest; of that, between half and all, so that tasks do not come back in one moment. */
export function restartDelayMs({ delayMs, delayMaxMs }: RestartPolicy, before: number, random: () => number = Math.random): number {
  const longest = Math.min(delayMaxMs, delayMs * 2 ** Math.min(before, 40));
  return Math.ceil(longest * (0.5 + random() / 2));
}
