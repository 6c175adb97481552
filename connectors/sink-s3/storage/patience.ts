/** Requests that are repeated until they succeed, are refused for good, or are given up. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectError } from '@millrace/runtime/api';
import type { Logger } from '@millrace/runtime/api';
import { describeError, isNoSuchUpload, isPassing } from './store-error.ts';

export interface PatienceSettings {
  /** Attempts after the first that follow soon. */
  readonly retries: number;
  readonly backoffMs: number;
  /** Between the attempts after those. */
  readonly laterMs: number;
}

export interface Patience {
  /**
   * Tries until it works. Rejects with a ConnectError for a refusal that time does not heal, with the error itself
   * for an upload that is gone, and with an AbortError.
   */
  until<T>(what: string, attempt: () => Promise<T>, signal: AbortSignal): Promise<T>;
  /** The last error, while the quick attempts are used up and no request has succeeded since. */
  failing(): Error | undefined;
}

const longestBackoffMs = 60_000;

export function patience({ retries, backoffMs, laterMs }: PatienceSettings, connector: string, log: Logger): Patience {
  let failing: Error | undefined;

  const waitMs = (attempt: number): number => {
    if (attempt >= retries) return Math.max(laterMs, 1);
    return Math.random() * Math.min(longestBackoffMs, backoffMs * 2 ** attempt);
  };

  return {
    failing: () => failing,
    async until(what, attempt, signal) {
      for (let failures = 0; ; failures++) {
        signal.throwIfAborted();
        try {
          const result = await attempt();
          failing = undefined;
          return result;
        } catch (error) {
          if (signal.aborted || isNoSuchUpload(error)) throw error;
          if (error instanceof ConnectError) throw error;
          if (!isPassing(error)) {
            throw new ConnectError(`connector ${connector}: ${what} was refused: ${describeError(error)}.`, {
              cause: error,
              hint: 'Check the bucket, its region and the rights of these credentials; then restart the task.',
            });
          }
          if (failures >= retries) {
            if (failures === retries)
              log.warn(`${what} failed ${failures + 1} times, and is tried on every ${laterMs} ms: ${describeError(error)}`);
            failing = error as Error;
          }
        }
        await sleep(waitMs(failures), undefined, { signal });
      }
    },
  };
}
