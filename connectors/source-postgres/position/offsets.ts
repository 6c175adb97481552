/**
 * Where the connector stands, as it is stored: Debezium's own fields, so that either can go on where the other
 * stopped, and two of ours where a position must be told within one LSN.
 *
 * | field | meaning |
 * | --- | --- |
 * | lsn, lsn_proc | the WAL position of the record; between transactions see `commitOffset` |
 * | lsn_commit | where the last commit before it ended; absent in the very first transaction |
 * | txId, ts_usec | the record's transaction, and when that committed |
 * | messageType | BEGIN (with transaction metadata), INSERT, UPDATE, DELETE, TRUNCATE, MESSAGE, or COMMIT between transactions |
 * | transaction_… | with transaction metadata: the transaction, and how many events of each table it had so far |
 * | millrace_row | rows before this one at the same LSN (COPY writes many in one WAL record); absent when 0 |
 * | millrace_snapshot | in a snapshot's rows: what was read, so that it can go on (`snapshot/progress.ts`) |
 * | millrace_part | the record of that row: 1 a tombstone, 2 the create of a changed key, or a truncate's n-th table; absent when 0 |
 *
 * Transactions come in the order of their commits, and rows within one in the order of their LSN. So going on
 * means: start the stream at lsn_commit, whereupon the server leaves out every transaction that committed before;
 * in the transaction txId, drop what is not beyond (lsn, row, part). LSNs of different transactions are never
 * compared, since a long transaction holds low LSNs after others committed at higher ones.
 */
import type { OffsetMap } from '@millrace/runtime/api';

import { storedLsn } from './lsn.ts';
import type { Lsn } from './lsn.ts';
import { readProgress } from './progress.ts';
import type { SnapshotProgress } from './progress.ts';

/** Numbers whose order is the order of parts. */
export const parts = { first: 0, tombstone: 1, create: 2 } as const;

/** The row of a transaction's BEGIN, which comes before all others. */
export const beginRow = -1;

/** A record's place in its transaction. */
export interface Place {
  readonly txId: number | null;
  readonly lsn: Lsn;
  readonly row: number;
  readonly part: number;
  /** With provide.transaction.metadata: how many events its transaction had up to there, for each table. */
  readonly counts?: ReadonlyMap<string, number>;
}

/** What a stored offset says. */
export type Resume =
  | { readonly phase: 'none' }
  /** A snapshot that did not end: it goes on, where it says how far it came, else starts again. */
  | { readonly phase: 'snapshot'; readonly progress?: SnapshotProgress }
  | {
      readonly phase: 'streaming';
      /** Where the stream starts; undefined leaves it to the slot. */
      readonly from: Lsn | undefined;
      /** The last commit before the record. */
      readonly lastCommit: Lsn | undefined;
      /** The last record that was stored, when it was one of a transaction. */
      readonly last: Place | undefined;
    };

export function readOffset(offset: OffsetMap | undefined): Resume {
  const lsn = storedLsn(offset?.['lsn']);
  if (offset === undefined || lsn === undefined) return { phase: 'none' };
  if (offset['snapshot'] !== undefined && offset['snapshot'] !== null) {
    if (offset['snapshot_completed'] !== true && offset['last_snapshot_record'] !== true) {
      const progress = readProgress(offset);
      return progress === undefined ? { phase: 'snapshot' } : { phase: 'snapshot', progress };
    }
    return { phase: 'streaming', from: lsn, lastCommit: undefined, last: undefined };
  }
  const lastCommit = storedLsn(offset['lsn_commit']);
  const messageType = offset['messageType'];
  if (messageType === 'COMMIT') return { phase: 'streaming', from: lastCommit ?? lsn, lastCommit: lastCommit ?? lsn, last: undefined };
  // Debezium's offset after a start without a snapshot: where the slot stood.
  if (messageType === undefined || messageType === null)
    return { phase: 'streaming', from: lastCommit ?? lsn, lastCommit, last: undefined };
  const txId = storedLsn(offset['txId']);
  return {
    phase: 'streaming',
    from: lastCommit,
    lastCommit,
    last: {
      txId: txId === undefined ? null : Number(txId),
      lsn,
      row: messageType === 'BEGIN' ? beginRow : Number(offset['millrace_row'] ?? 0),
      part: Number(offset['millrace_part'] ?? 0),
      ...storedCounts(offset),
    },
  };
}

/** In offsets, before the name of a table: how many of its events the transaction had so far. */
export const countPrefix = 'transaction_data_collection_order_';

function storedCounts(offset: OffsetMap): { counts?: ReadonlyMap<string, number> } {
  const counts = Object.entries(offset).filter(([name]) => name.startsWith(countPrefix));
  if (counts.length === 0) return {};
  return { counts: new Map(counts.map(([name, count]) => [name.slice(countPrefix.length), Number(count)])) };
}

/** Whether a place of the same transaction lies behind another. */
export function isBeyond(lsn: Lsn, row: number, part: number, than: Place): boolean {
  if (lsn !== than.lsn) return lsn > than.lsn;
  if (row !== than.row) return row > than.row;
  return part > than.part;
}

/**
 * The offset between two transactions: everything that committed before `end` is done. Its `lsn` is one less, where no
 * record of the WAL begins: a row of a transaction that was open then may stand at `end` itself, and Debezium would take
 * that row for the one that was stored, and leave out what came before it in its transaction (WalPositionLocator).
 */
export function commitOffset(end: Lsn, txId: number | null, us: number | null): OffsetMap {
  return {
    lsn_proc: end,
    messageType: 'COMMIT',
    lsn_commit: end,
    lsn: typeof end === 'bigint' ? end - 1n : end - 1,
    ...(txId === null ? {} : { txId }),
    ...(us === null ? {} : { ts_usec: us }),
  };
}

/** The offset of a snapshot's rows; `last` that of its very last one. */
export function snapshotOffset(lsn: Lsn, txId: number, us: number, last: boolean): OffsetMap {
  return { last_snapshot_record: last, lsn, txId, ts_usec: us, snapshot: 'INITIAL', snapshot_completed: last };
}
