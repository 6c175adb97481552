/** What a start has to do, from the snapshot mode, the stored offset and the slot. */
import type { Logger } from '@millrace/runtime/api';

import type { Resume } from './position/offsets.ts';
import type { Settings } from './config/settings.ts';
import { SlotUnusableError, soundSlot } from './slot/slot-problem.ts';
import type { SlotState } from './slot/slot.ts';
import type { SnapshotProgress } from './position/progress.ts';
import type { StreamStart } from './stream/stream-parts.ts';

export type Plan =
  /** The tables first, from where an unfinished snapshot was, if there is one; then, unless `only`, the changes since. */
  | { readonly kind: 'snapshot'; readonly only: boolean; readonly progress: SnapshotProgress | undefined }
  | { readonly kind: 'stream'; readonly start: StreamStart; readonly createSlot: boolean }
  | { readonly kind: 'idle' };

/** Throws a ConfigError when changes that are still needed are gone. */
export function planStart(settings: Settings, resume: Resume, slot: SlotState | undefined, log: Logger): Plan {
  const { data, stream } = settings.snapshotRules;
  if (data === 'always' || (data === 'once' && resume.phase !== 'streaming')) {
    return { kind: 'snapshot', only: !stream, progress: stream ? usableProgress(resume, slot, log) : undefined };
  }
  if (!stream) return { kind: 'idle' };
  if (resume.phase !== 'streaming') {
    if (slot !== undefined) soundSlot(slot, undefined, settings);
    const start: StreamStart = { phase: 'streaming', from: undefined, lastCommit: undefined, last: undefined };
    return { kind: 'stream', start, createSlot: slot === undefined };
  }
  try {
    return { kind: 'stream', start: startOf(resume, soundSlot(slot, resume, settings)), createSlot: false };
  } catch (error) {
    if (!(error instanceof SlotUnusableError)) throw error;
    return planWithout(error, settings, log);
  }
}

/** What to do where the slot cannot be gone on with, at the start or later. Throws the error unless the mode has a way out. */
export function planWithout(error: SlotUnusableError, { slot, snapshotMode, snapshotRules }: Settings, log: Logger): Plan {
  if (snapshotRules.whenGone !== 'snapshot') throw error;
  log.warn(`replication slot "${slot}" ${error.problem.found}: the tables are read anew, as snapshot.mode=${snapshotMode} says`);
  return { kind: 'snapshot', only: false, progress: undefined };
}

/**
 * After a snapshot at `from` the slot may stand further back, when it is older than the snapshot. Then `from`
 * counts as a commit, so that offsets say where the stream must not start before.
 */
export function startOf(resume: StreamStart, slot: SlotState): StreamStart {
  const older = resume.lastCommit === undefined && resume.from !== undefined && slot.confirmed < resume.from;
  return older ? { ...resume, lastCommit: resume.from } : resume;
}

/** What an unfinished snapshot can be gone on with: the slot must still give all changes since its moment. */
function usableProgress(resume: Resume, slot: SlotState | undefined, log: Logger): SnapshotProgress | undefined {
  const progress = resume.phase === 'snapshot' ? resume.progress : undefined;
  if (progress === undefined) return undefined;
  if (slot !== undefined && !slot.lost && slot.confirmed <= progress.lsn) return progress;
  log.warn('the snapshot starts again: the replication slot does not hold the changes since it was begun (any more)');
  return undefined;
}
