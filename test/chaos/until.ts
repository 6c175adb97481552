import { setTimeout as sleep } from 'node:timers/promises';

/** Asks until the answer is yes. An error counts as no; after so long it is thrown, or the last answer is. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, timeoutMs = 120_000, everyMs = 200): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let cause: unknown;
  for (;;) {
    try {
      if (await isSo()) return;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs / 1_000} s: ${what}`, { cause });
    await sleep(everyMs);
  }
}
