/** The one place that says whether a slot still has everything that comes after a position. */
import { ConfigError } from '@millrace/runtime/api';

import { formatLsn } from '../position/lsn.ts';
import type { Lsn } from '../position/lsn.ts';
import type { Resume } from '../position/offsets.ts';
import type { Settings } from '../config/settings.ts';

/** Where a stream is to go on. */
type StreamStart = Extract<Resume, { phase: 'streaming' }>;

/** What has to be known of a slot, and of its server, to judge it. */
export interface SlotFacts {
  /** What was confirmed: the server sends nothing that committed before. */
  readonly confirmed: Lsn;
  /** The WAL that it needs is gone; or it was invalidated for another reason. */
  readonly lost: boolean;
  /** PostgreSQL's word for why (`wal_removed`, `idle_timeout`, …), from 17 on. */
  readonly reason?: string | undefined;
  /** The end of the server's WAL; undefined where more of it may come from elsewhere. */
  readonly walEnd?: Lsn | undefined;
}

/**
 * - `missing`: it was dropped, or never was.
 * - `lost`: it is there, but invalidated.
 * - `ahead`: it is confirmed beyond the position: it was made anew, or moved by somebody.
 * - `other-wal`: the server's WAL ends before the position: it is another server, or lost what it had.
 */
export type SlotProblemKind = 'missing' | 'lost' | 'ahead' | 'other-wal';

export interface SlotProblem {
  readonly kind: SlotProblemKind;
  /** Completes `replication slot "x" …`. */
  readonly found: string;
  /** Where the slot itself would go on, where it can. */
  readonly slotAt?: Lsn;
}

/**
 * What keeps a stream from going on at `resume` with nothing left out; undefined where it can go on. Without a
 * `resume`, whether the slot can be read at all.
 *
 * Nothing is ever confirmed that the offset topic does not hold. So a slot that is confirmed beyond the stored offset
 * is not the slot that was read, or was moved by hand: what committed between will not be sent.
 */
function slotProblem(slot: SlotFacts, resume: StreamStart | undefined): SlotProblem | undefined {
  if (slot.lost) {
    const why = slot.reason === undefined ? '' : ` (invalidated by PostgreSQL: ${slot.reason})`;
    return { kind: 'lost', found: `lost WAL that it still needed${why}` };
  }
  const stored = resume?.lastCommit ?? resume?.from ?? resume?.last?.lsn;
  if (stored === undefined) return undefined;
  if (slot.walEnd !== undefined && stored > slot.walEnd) {
    return {
      kind: 'other-wal',
      found: `is on a server whose WAL ends at ${formatLsn(slot.walEnd)}, before the stored offset: it is not the server that was read, or it lost what that one had`,
    };
  }
  if (slot.confirmed > stored) {
    return {
      kind: 'ahead',
      found: `is confirmed up to ${formatLsn(slot.confirmed)}, beyond the stored offset: it was made anew, or moved`,
      slotAt: slot.confirmed,
    };
  }
  return undefined;
}

/** The slot, from which a stream can go on at `resume`, or begin anywhere. Throws a SlotUnusableError. */
export function soundSlot<T extends SlotFacts>(
  slot: T | undefined,
  resume: StreamStart | undefined,
  settings: Pick<Settings, 'slot' | 'slotDropOnStop'>,
): T {
  if (slot === undefined) throw new SlotUnusableError(settings, { kind: 'missing', found: 'does not exist (any more)' }, resume);
  const problem = slotProblem(slot, resume);
  if (problem !== undefined) throw new SlotUnusableError(settings, problem, resume);
  return slot;
}

/** Changes are gone: a person has to act, or `snapshot.mode=when_needed` reads the tables anew. */
export class SlotUnusableError extends ConfigError {
  readonly problem: SlotProblem;

  constructor({ slot, slotDropOnStop }: Pick<Settings, 'slot' | 'slotDropOnStop'>, problem: SlotProblem, resume: StreamStart | undefined) {
    const stored = resume?.lastCommit ?? resume?.from ?? resume?.last?.lsn;
    const from = stored === undefined ? '' : ` The connector would go on at ${formatLsn(stored)}.`;
    super(`replication slot "${slot}" ${problem.found}: changes that were not read yet are gone.${from}`, {
      hint: hintFor(problem, slotDropOnStop),
    });
    this.problem = problem;
  }
}

function hintFor({ kind, slotAt }: SlotProblem, dropsOnStop: boolean): string {
  const anew = 'Set snapshot.mode=when_needed to read the tables anew, or reset the offsets of the connector';
  if (kind === 'missing' && dropsOnStop) return `slot.drop.on.stop=true drops it at every stop. ${anew}, and leave that key out.`;
  if (kind === 'lost')
    return `${anew}. Raise max_slot_wal_keep_size (and idle_replication_slot_timeout, from PostgreSQL 18 on) to keep it from happening again.`;
  if (kind === 'ahead')
    return `${anew}. To go on from the slot, without what lies between, alter the offset to {"lsn": ${slotAt}, "lsn_commit": ${slotAt}}.`;
  if (kind === 'other-wal') return `Check database.hostname; after a failover, see docs/failover.md. ${anew}.`;
  return `${anew}.`;
}
