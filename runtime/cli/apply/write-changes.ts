/** Carries a plan out, one connector independent of the other. */
import type { ConnectApi } from './connect-api.ts';
import { inParallel } from './in-parallel.ts';
import type { Change } from './plan.ts';

export type Writing =
  | { readonly kind: 'written' }
  /** The server said no, or did not answer in time: `error` says which. */
  | { readonly kind: 'refused'; readonly error: string }
  /** The time was over before its turn. */
  | { readonly kind: 'untouched' };

/** Deletions come first. What fails does not keep the others from being done. */
export async function writeChanges(
  changes: readonly Change[],
  api: ConnectApi,
  deadline: AbortSignal,
  onWriting: (change: Change, writing: Writing) => void,
): Promise<void> {
  const one = async (change: Change): Promise<void> => onWriting(change, await writeChange(change, api, deadline));
  const isDeletion = ({ action }: Change): boolean => action === 'delete';
  await inParallel(changes.filter(isDeletion), one);
  await inParallel(
    changes.filter((change) => !isDeletion(change)),
    one,
  );
}

async function writeChange(change: Change, api: ConnectApi, deadline: AbortSignal): Promise<Writing> {
  if (deadline.aborted) return { kind: 'untouched' };
  try {
    if (change.action === 'delete') await api.remove(change.name);
    else {
      const state = change.action === 'create' ? change.connector.initialState : undefined;
      // Without a wish for its state PUT does, and it may arrive twice without harm.
      if (state === undefined || state === 'RUNNING') await api.put(change.name, change.config);
      else await api.create(change.name, change.config, state);
    }
    return { kind: 'written' };
  } catch (error) {
    return { kind: 'refused', error: (error as Error).message };
  }
}
