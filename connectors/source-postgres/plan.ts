/** What a start has to do, from the snapshot mode, the stored offset and the slot. */
import { ConfigError } from '@millrace/runtime/api';
import type { Logger } from '@millrace/runtime/api';

import { formatLsn } from './lsn.ts';
import type { Resume } from './offsets.ts';
import type { Settings } from './settings.ts';
import type { SlotState } from './slot.ts';
import type { SnapshotProgress } from './snapshot/progress.ts';
import type { StreamStart } from './stream.ts';

export type Plan =
  /** The tables first, from where an unfinished snapshot was, if there is one; then, unless `only`, the changes since. */
  | { readonly kind: 'snapshot'; readonly only: boolean; readonly progress: SnapshotProgress | undefined }
  | { readonly kind: 'stream'; readonly start: StreamStart; readonly createSlot: boolean }
  | { readonly kind: 'idle' };

/** Throws a ConfigError when changes that are still needed are gone. */
export function planStart(settings: Settings, resume: Resume, slot: SlotState | undefined, log: Logger): Plan {
  const { data, stream, whenGone } = settings.snapshotRules;
  if (data === 'always' || (data === 'once' && resume.phase !== 'streaming')) {
    return { kind: 'snapshot', only: !stream, progress: stream ? usableProgress(resume, slot, log) : undefined };
  }
  if (!stream) return { kind: 'idle' };
  if (resume.phase !== 'streaming') {
    if (slot?.lost) throw goneError(settings, 'lost WAL that it still needed');
    const start: StreamStart = { phase: 'streaming', from: undefined, lastCommit: undefined, last: undefined };
    return { kind: 'stream', start, createSlot: slot === undefined };
  }

  const gone = slot === undefined ? 'does not exist (any more)' : slot.lost ? 'lost WAL that it still needed' : undefined;
  if (gone !== undefined || slot === undefined) {
    if (whenGone === 'fail') throw goneError(settings, gone ?? '', resume);
    log.warn(`replication slot "${settings.slot}" ${gone}: the tables are read anew, as snapshot.mode=${settings.snapshotMode} says`);
    return { kind: 'snapshot', only: false, progress: undefined };
  }
  if (whenGone === 'snapshot' && isAhead(resume, slot)) {
    log.warn(
      `replication slot "${settings.slot}" is ahead of the stored offset, so it was made anew: the tables are read anew, as snapshot.mode=${settings.snapshotMode} says`,
    );
    return { kind: 'snapshot', only: false, progress: undefined };
  }
  warnOfGap(settings, resume, slot, log);
  return { kind: 'stream', start: startOf(resume, slot), createSlot: false };
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

/**
 * Whether the slot begins behind what was read last: then it is another one of that name. Only where nothing is
 * confirmed before it is stored does this tell it from one that was confirmed while idle.
 */
function isAhead(resume: StreamStart, slot: SlotState): boolean {
  const known = resume.lastCommit ?? resume.from;
  return known !== undefined && slot.confirmed > known;
}

function goneError(settings: Settings, what: string, resume?: StreamStart): ConfigError {
  const from = resume?.from === undefined ? '' : ` The connector would go on at ${formatLsn(resume.from)}.`;
  return new ConfigError(`replication slot "${settings.slot}" ${what}: changes that were not read yet are gone.${from}`, {
    hint: 'Set snapshot.mode=when_needed to read the tables anew, or reset the offsets of the connector.',
  });
}

// A slot that was dropped and made again stands ahead, too, and nothing tells it from one that was confirmed while idle.
function warnOfGap(settings: Settings, resume: StreamStart, slot: SlotState, log: Logger): void {
  if (resume.lastCommit === undefined || slot.confirmed <= resume.lastCommit) return;
  const message = `replication slot "${settings.slot}" is confirmed up to ${formatLsn(slot.confirmed)}, the stored offset is ${formatLsn(resume.lastCommit)}: right after idle time, but changes between are missing if the slot was made anew meanwhile`;
  if (settings.heartbeatIntervalMs > 0) log.warn(message);
  else log.debug(message);
}
