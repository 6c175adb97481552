/** Looks at the slot from beside the stream: what it retains, whether it is still usable, what of it was confirmed. */
import { RetriableError } from '@millrace/runtime/api';
import type { ConnectError, Logger } from '@millrace/runtime/api';

import type { Connector } from '../connection/connection.ts';
import { explain } from '../connection/errors.ts';
import { formatLsn } from '../position/lsn.ts';
import type { Lsn } from '../position/lsn.ts';
import { judgeSlot, lookAtSlot } from './session-start.ts';
import type { Settings } from '../config/settings.ts';
import type { SlotState } from './slot.ts';
import { SqlLink } from '../connection/sql-link.ts';

const longestPauseMs = 5_000;
const shortestPauseMs = 200;

export interface SlotWatchParts {
  readonly settings: Settings;
  readonly connector: Connector;
  readonly log: Logger;
  readonly note: (text: string | undefined) => void;
  readonly seen: (slot: SlotState) => void;
  /** What the server was told is safe. */
  readonly confirmable: () => Lsn | undefined;
  /** The stream cannot go on, or not so. */
  readonly failed: (error: ConnectError) => void;
}

/** Looks every five seconds, or each status.update.interval.ms where that is less, until it is disposed of. */
export function watchSlot(parts: SlotWatchParts): AsyncDisposable {
  const { settings, log, failed } = parts;
  // Of its own, so that nothing that takes long is in its way.
  const sql = new SqlLink(parts.connector);
  const flush = createFlushCheck(parts);
  const threshold = createThreshold(parts);
  const pauseMs = Math.max(shortestPauseMs, Math.min(longestPauseMs, settings.statusIntervalMs));
  let over = false;
  let looking = false;

  async function look(): Promise<void> {
    const told = settings.flushLsn ? parts.confirmable() : undefined;
    const found = await lookAtSlot({ settings, sql });
    if (over) return;
    let slot: SlotState;
    try {
      slot = judgeSlot(found, undefined, settings);
    } catch (error) {
      return failed(error as ConnectError);
    }
    parts.seen(slot);
    threshold(slot);
    flush(slot, told);
  }

  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    look()
      .catch((error: unknown) => log.debug(explain(error, `look at replication slot "${settings.slot}"`).message))
      .finally(() => (looking = false));
  }, pauseMs);
  return {
    async [Symbol.asyncDispose]() {
      over = true;
      clearInterval(timer);
      sql.drop();
    },
  };
}

function createThreshold({ settings, log, note }: SlotWatchParts): (slot: SlotState) => void {
  const { slot: name, retainedWarnBytes } = settings;
  let warned = false;
  return ({ retainedBytes, unconfirmedBytes, walStatus, safeBytes }) => {
    const inDanger = walStatus === 'unreserved' || (safeBytes !== null && safeBytes <= 0);
    const above = retainedWarnBytes > 0 && retainedBytes > retainedWarnBytes;
    if (!above && !inDanger) {
      if (warned) log.info(`replication slot "${name}" retains ${sizeOf(retainedBytes)} of WAL, no more than it may`);
      warned = false;
      return note(undefined);
    }
    const text =
      `replication slot "${name}" retains ${sizeOf(retainedBytes)} of WAL` +
      (above ? `, above millrace.slot.retained.warn.bytes (${sizeOf(retainedWarnBytes)})` : '') +
      (inDanger ? ', beyond max_slot_wal_keep_size: it is lost at the next checkpoint' : '') +
      `. ${reasonFor(retainedBytes, unconfirmedBytes)}`;
    if (!warned) log.warn(text);
    warned = true;
    note(text);
  };
}

const reasonFor = (retained: number, unconfirmed: number): string =>
  unconfirmed > retained / 2
    ? `${sizeOf(unconfirmed)} were not read, or not stored, yet: the connector lags behind.`
    : 'All but a little was read and stored: a transaction that runs long holds the rest (see xact_start in pg_stat_activity, and pg_prepared_xacts).';

/** lsn.flush.timeout.ms: what the server was told is to be seen in the slot by then. */
function createFlushCheck({ settings, log, failed }: SlotWatchParts): (slot: SlotState, told: Lsn | undefined) => void {
  const { slot: name, lsnFlushTimeoutMs, lsnFlushAction } = settings;
  let waiting: { readonly lsn: Lsn; readonly sinceMs: number; said: boolean } | undefined;
  return ({ confirmed }, told) => {
    if (waiting !== undefined && confirmed >= waiting.lsn) waiting = undefined;
    if (told !== undefined && confirmed < told) waiting ??= { lsn: told, sinceMs: performance.now(), said: false };
    if (waiting === undefined || waiting.said || performance.now() - waiting.sinceMs < lsnFlushTimeoutMs) return;
    waiting.said = true;
    const text = `replication slot "${name}" was told that ${formatLsn(waiting.lsn)} is safe, and stands at ${formatLsn(confirmed)} after ${lsnFlushTimeoutMs} ms (lsn.flush.timeout.ms).`;
    if (lsnFlushAction === 'fail') {
      waiting = undefined;
      failed(new RetriableError(text));
    } else if (lsnFlushAction === 'warn') log.warn(text);
  };
}

export function sizeOf(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${Math.round((bytes / 1024 ** power) * 10) / 10} ${units[power]}`;
}
