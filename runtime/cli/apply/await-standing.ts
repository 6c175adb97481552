/** Waits until the folder's connectors do what is wanted, or have failed for good, or the time is over. */
import { setTimeout as sleep } from 'node:timers/promises';

import { ConnectError } from '../../api/index.ts';
import type { ConnectApi } from './connect-api.ts';
import { standingOf } from './standing.ts';
import type { Standing, Wanted } from './standing.ts';

export interface Awaited extends Wanted {
  readonly name: string;
  /** Changed: what is seen first may be what was before. */
  readonly how: 'created' | 'changed' | 'unchanged';
}

export type Outcome = Exclude<Standing, { kind: 'pending' }> | { readonly kind: 'timeout'; readonly why: string };

interface Watch {
  readonly awaited: Awaited;
  last: Standing;
  /** How many looks in a row saw the same kind. */
  times: number;
  /** Since when what is seen has been doubtful, in milliseconds since the clock's origin. */
  doubtfulSince: number | undefined;
  wasRestarted: boolean;
}

const betweenLooksMs = 500;
/** A status is written a moment after what it tells of. */
const looksUntilBelieved = { created: 2, changed: 3, unchanged: 1 } as const;
/** A connector may have no tasks for good, or tasks that keep an old value for good. */
const longestDoubtMs = 10_000;

/** Calls `onOutcome` once for each. Rejects only with what a person must act on, such as credentials that are refused. */
export async function awaitStanding(
  awaited: readonly Awaited[],
  api: ConnectApi,
  deadline: AbortSignal,
  onOutcome: (name: string, outcome: Outcome) => void,
): Promise<void> {
  const nothing: Standing = { kind: 'pending', why: 'its status was not seen', isDoubtful: false };
  const watches = new Set<Watch>(
    awaited.map((one) => ({ awaited: one, last: nothing, times: 0, doubtfulSince: undefined, wasRestarted: false })),
  );
  try {
    while (watches.size > 0) {
      const [infos, statuses] = [await api.infos(), await api.statuses()];
      for (const watch of watches) {
        const { name, keys } = watch.awaited;
        const [info, status] = [infos.get(name), statuses.get(name)];
        const taskConfigs = keys.length > 0 && info !== undefined ? await taskConfigsOf(api, name) : [];
        note(watch, (doubts) => standingOf({ info, status, taskConfigs }, watch.awaited, doubts));
        const outcome = await outcomeOf(watch, api);
        if (outcome === undefined) continue;
        watches.delete(watch);
        onOutcome(name, outcome);
      }
      if (watches.size > 0) await sleep(betweenLooksMs, undefined, { signal: deadline });
    }
  } catch (error) {
    if (!deadline.aborted) throw error;
    for (const { awaited: one, last } of watches) {
      const why =
        last.kind === 'pending' ? last.why : last.kind === 'failed' ? 'it had failed a moment ago' : `it was ${last.state} a moment ago`;
      onOutcome(one.name, { kind: 'timeout', why });
    }
  }
}

/** None while the connector is being deleted by somebody else. */
async function taskConfigsOf(api: ConnectApi, name: string): ReturnType<ConnectApi['taskConfigs']> {
  try {
    return await api.taskConfigs(name);
  } catch (error) {
    if (error instanceof ConnectError && (error as { status?: number }).status === 404) return [];
    throw error;
  }
}

function note(watch: Watch, look: (doubts: boolean) => Standing): void {
  let standing = look(true);
  if (standing.kind === 'pending' && standing.isDoubtful) {
    watch.doubtfulSince ??= performance.now();
    if (performance.now() - watch.doubtfulSince > longestDoubtMs) standing = look(false);
  } else watch.doubtfulSince = undefined;
  watch.times = standing.kind === watch.last.kind ? watch.times + 1 : 1;
  watch.last = standing;
}

async function outcomeOf(watch: Watch, api: ConnectApi): Promise<Outcome | undefined> {
  const { last, times, awaited } = watch;
  if (last.kind === 'pending' || times < looksUntilBelieved[awaited.how]) return undefined;
  // A task that failed before the change may not have been started again by it, or its old failure is still shown.
  if (last.kind === 'failed' && awaited.how === 'changed' && !watch.wasRestarted) {
    watch.wasRestarted = true;
    watch.times = 0;
    if (await api.restartFailed(awaited.name)) return undefined;
  }
  return last;
}
