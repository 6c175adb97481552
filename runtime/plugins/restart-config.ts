/** Keys of our own: whether, and how, a failed task is started again by itself. */
import { defineConfig } from '../api/index.ts';
import type { ConfigProblem, RawConfig } from '../api/index.ts';
import { parseConfig } from './config-validation.ts';

const prefix = 'errors.restart.';
const group = 'Error Handling';
/** What a timer of Node counts to: 24 days. */
const longestMs = 2 ** 31 - 1;

export const restartConfig = defineConfig({
  [`${prefix}attempts` as const]: {
    type: 'int',
    default: 0,
    rule: { kind: 'range', min: -1 },
    importance: 'medium',
    doc: 'How many times in a row a task that failed for a reason that may pass (a connection, an answer 5xx, a lock) is started again by itself. The default is 0: it stays FAILED until somebody restarts it. Use -1 for no limit.',
    group,
    width: 'short',
    displayName: 'Restarts of Failed Tasks',
  },
  [`${prefix}delay.ms` as const]: {
    type: 'long',
    default: 1_000,
    rule: { kind: 'range', min: 1, max: longestMs },
    importance: 'low',
    doc: 'The wait in milliseconds before the first restart; each further one is twice as long, and shortened by up to a half at random.',
    group,
    width: 'medium',
    displayName: 'Delay of the First Restart',
  },
  [`${prefix}delay.max.ms` as const]: {
    type: 'long',
    default: 300_000,
    rule: { kind: 'range', min: 1, max: longestMs },
    importance: 'low',
    doc: 'The longest wait in milliseconds before a restart.',
    group,
    width: 'medium',
    displayName: 'Maximum Delay of Restarts',
  },
  [`${prefix}reset.after.ms` as const]: {
    type: 'long',
    default: 600_000,
    rule: { kind: 'range', min: 1 },
    importance: 'low',
    doc: 'A task that ran for so many milliseconds is taken to be well again: restarts are counted anew.',
    group,
    width: 'medium',
    displayName: 'Restarts Are Counted Anew After',
  },
});

/** What cannot be meant. */
export function restartProblems(raw: RawConfig): ConfigProblem[] {
  const { values } = parseConfig(restartConfig, raw);
  const [first, longest] = [`${prefix}delay.ms`, `${prefix}delay.max.ms`].map((key) => values[key]);
  if (typeof first !== 'number' || typeof longest !== 'number' || first <= longest) return [];
  const key = raw[`${prefix}delay.ms`] === undefined ? `${prefix}delay.max.ms` : `${prefix}delay.ms`;
  const message = `${prefix}delay.ms=${first}: the first wait is longer than the longest, ${prefix}delay.max.ms=${longest}. Set both.`;
  return [{ key, message }];
}

/** A sentence for each key that has no effect, since nothing is started again. */
export function restartWarnings(raw: RawConfig): string[] {
  const { values } = parseConfig(restartConfig, raw);
  if (values[`${prefix}attempts`] !== 0) return [];
  return Object.keys(restartConfig)
    .filter((key) => key !== `${prefix}attempts` && raw[key] !== undefined)
    .map((key) => `${key}=${raw[key]} has no effect: failed tasks are not started again by themselves without ${prefix}attempts.`);
}
