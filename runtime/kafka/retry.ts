import { setTimeout as sleep } from 'node:timers/promises';

export interface BackoffSettings {
  readonly initialMs: number;
  readonly maxMs: number;
}

/** How long to wait after so many failures in a row: doubling, with a fifth of chance (KIP-580). */
export function backoffMs({ initialMs, maxMs }: BackoffSettings, failures: number): number {
  if (failures <= 0) return 0;
  const grown = Math.min(maxMs, initialMs * 2 ** Math.min(failures - 1, 20));
  return Math.max(1, Math.round(grown * (0.8 + Math.random() * 0.4)));
}

const longestTimerMs = 2_147_483_647;

/** Waits for the promise, but no longer than so; never rejects. */
export async function within(ms: number, promise: Promise<unknown> | undefined): Promise<void> {
  const over = new AbortController();
  const settled = (): void => over.abort();
  promise?.then(settled, settled);
  if (promise !== undefined) await pause(Math.min(ms, longestTimerMs), over.signal);
}

/** Waits, or returns early when the signal comes. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {});
}
