/** Passes a task's reports on, but seldom: each is a record of a compacted topic. */
import { isDeepStrictEqual } from 'node:util';

import type { TaskReport } from '../api/index.ts';

export const reportEveryMs = 5_000;

type Tell = (report: TaskReport | undefined) => void;

/** The first at once, then the latest of what came since, where it is another one than was told. */
export function seldom(tell: Tell, everyMs = reportEveryMs): Tell {
  let told: TaskReport | undefined;
  let latest: TaskReport | undefined;
  let waiting: NodeJS.Timeout | undefined;

  function pass(): void {
    waiting = undefined;
    if (isDeepStrictEqual(latest, told)) return;
    told = latest;
    tell(told);
    waiting = setTimeout(pass, everyMs).unref();
  }

  return (report) => {
    latest = report;
    if (waiting === undefined) pass();
  };
}
