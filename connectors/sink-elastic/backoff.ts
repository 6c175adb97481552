const longestMs = 60_000;

/** How long to wait before the retry of that number (from 1): random, below twice the last one's bound, a minute at most. */
export function backoffMs(retry: number, baseMs: number, random: () => number = Math.random): number {
  return random() * Math.min(longestMs, baseMs * 2 ** Math.min(retry, 30));
}
