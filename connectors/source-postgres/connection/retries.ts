/** Tries again what may pass by itself, and says so where people look: in the log and in the task's status. */
import { setTimeout as sleep } from 'node:timers/promises';

import { ConnectError } from '@millrace/runtime/api';
import type { Logger } from '@millrace/runtime/api';

import { codeOf, explain, mayPass } from './errors.ts';
import type { Settings } from '../config/settings.ts';

const firstWaitMs = 500;
/** What ran for so long was well: its next failure is a first one. */
const wellAfterMs = 60_000;

export interface RetryParts {
  readonly settings: Pick<Settings, 'slotMaxRetries' | 'slotRetryDelayMs' | 'reconnectMaxMs' | 'errorsMaxRetries'>;
  readonly log: Logger;
  readonly note: (text: string | undefined) => void;
  readonly signal: AbortSignal;
}

export interface Retries {
  /**
   * Waits before the next try: 500 ms, then twice as long each time, up to retriable.restart.connector.wait.ms. Throws
   * an error that will not pass, and one that would, after errors.max.retries of them.
   *
   * A slot that somebody else reads is tried slot.max.retries times, each slot.retry.delay.ms after the other, before
   * it counts as one failure.
   */
  wait(error: unknown): Promise<void>;
  /** It works again; the count stays until it made progress, or worked for a minute. */
  works(): void;
  /** It made progress: what fails now fails for the first time. */
  progressed(): void;
}

export function createRetries({ settings, log, note, signal }: RetryParts, doing: string): Retries {
  const { slotMaxRetries, slotRetryDelayMs, reconnectMaxMs, errorsMaxRetries } = settings;
  /** Failures that count for errors.max.retries. */
  let tries = 0;
  /** Of a slot that is in use, since the last that counted. */
  let busy = 0;
  /** Each of them. */
  let attempts = 0;
  let sinceMs = 0;
  let worksSinceMs: number | undefined;

  function forget(): void {
    tries = 0;
    busy = 0;
    attempts = 0;
  }

  function waitMs(inUse: boolean): number {
    if (inUse && busy <= slotMaxRetries) return slotRetryDelayMs;
    return Math.min(firstWaitMs * 2 ** Math.min(tries - 1, 20), reconnectMaxMs);
  }

  return {
    progressed: forget,
    works() {
      worksSinceMs = performance.now();
      note(undefined);
    },
    async wait(found) {
      const error = explain(found ?? new Error('Connection terminated by the server'), doing);
      // It was found before: names come and go with the network.
      if (!mayPass(error) && codeOf(error.cause) !== 'ENOTFOUND') throw error;
      if (worksSinceMs !== undefined && performance.now() - worksSinceMs > wellAfterMs) forget();
      worksSinceMs = undefined;
      if (attempts++ === 0) sinceMs = Date.now();
      const inUse = isSlotBusy(error);
      busy = inUse ? busy + 1 : 0;
      if (!inUse || busy > slotMaxRetries) tries++;
      if (errorsMaxRetries >= 0 && tries > errorsMaxRetries) throw givenUp(error, errorsMaxRetries);
      const ms = inUse && busy > slotMaxRetries ? reconnectMaxMs : waitMs(inUse);
      if (busy > slotMaxRetries) busy = 0;
      const at = new Date(Date.now() + ms).toISOString();
      log.warn(`${error.message} Trying again in ${ms} ms (try ${attempts}).`);
      note(`${error.message} It fails since ${new Date(sinceMs).toISOString()}; try ${attempts} comes at ${at}.`);
      await sleep(ms, undefined, { signal });
    },
  };
}

/** The message names the process that reads from it. */
const isSlotBusy = (error: Error): boolean => /is active for PID \d+/.test(error.message);

const givenUp = (error: ConnectError, tries: number): ConnectError =>
  new ConnectError(`${error.message} It did not pass in ${tries} further tries (errors.max.retries).`, { cause: error });
