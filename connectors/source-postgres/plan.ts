/** What a start has to do, from the snapshot mode, the stored offset and the slot. */
import { ConfigError } from '@millrace/runtime/api';
import type { Logger } from '@millrace/runtime/api';

import { formatLsn } from './lsn.ts';
import type { Resume } from './offsets.ts';
import type { Settings } from './settings.ts';
import type { SlotState } from './slot.ts';
import type { StreamStart } from './stream.ts';

export type Plan =
  /** The tables first; then, unless `only`, the changes since. */
  | { readonly kind: 'snapshot'; readonly only: boolean }
  | { readonly kind: 'stream'; readonly start: StreamStart; readonly createSlot: boolean }
  | { readonly kind: 'idle' };

/** Throws a ConfigError when changes that are still needed are gone. */
export function planStart(settings: Settings, resume: Resume, slot: SlotState | undefined, log: Logger): Plan {
  const { snapshotMode: mode } = settings;
  if (mode === 'initial_only') return resume.phase === 'streaming' ? { kind: 'idle' } : { kind: 'snapshot', only: true };
  if (mode === 'always') return { kind: 'snapshot', only: false };
  if (resume.phase !== 'streaming') {
    if (mode !== 'no_data') return { kind: 'snapshot', only: false };
    if (slot?.lost) throw goneError(settings, 'lost WAL that it still needed');
    const start: StreamStart = { phase: 'streaming', from: undefined, lastCommit: undefined, last: undefined };
    return { kind: 'stream', start, createSlot: slot === undefined };
  }

  const gone = slot === undefined ? 'does not exist (any more)' : slot.lost ? 'lost WAL that it still needed' : undefined;
  if (gone !== undefined || slot === undefined) {
    if (mode !== 'when_needed') throw goneError(settings, gone ?? '', resume);
    log.warn(`replication slot "${settings.slot}" ${gone}: the tables are read anew, as snapshot.mode=when_needed says`);
    return { kind: 'snapshot', only: false };
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
