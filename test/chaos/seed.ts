import { randomInt } from 'node:crypto';

/** MILLRACE_CHAOS=full: as many and as long as the acceptance says; else a share of it that fits into every run. */
export const isFull = process.env['MILLRACE_CHAOS'] === 'full';

/** What this run's random choices follow from. Chosen anew each time, unless MILLRACE_SEED gives one. */
export const seed = Number(process.env['MILLRACE_SEED'] ?? randomInt(1_000_000));

export const seedNote = `seed ${seed} (again with MILLRACE_SEED=${seed}${isFull ? ' MILLRACE_CHAOS=full' : ''})`;

export interface Random {
  /** From 0 up to 1. */
  next(): number;
  /** A whole number of `from` … `to`, both included. */
  between(from: number, to: number): number;
}

/** Numbers that follow from the seed and the name. Source: mulberry32. */
export function createRandom(name: string, start = seed): Random {
  let state = start;
  for (const char of name) state = (Math.imul(state, 31) + char.charCodeAt(0)) | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return { next, between: (from, to) => from + Math.floor(next() * (to - from + 1)) };
}
