/** How far PostgreSQL may forget. */
import type { OffsetMap } from '@millrace/runtime/api';

import { maxLsn, storedLsn } from './lsn.ts';
import type { Lsn } from './lsn.ts';

/**
 * Confirmed is what the log has acknowledged and the offset store holds: the last commit before the newest stored
 * record. An idle database writes WAL too, though, of which no record tells. Once every record that was ever
 * handed over is stored, nothing that the stream has reached can be needed again: all that committed before was
 * sent before. So that position may be confirmed as well; the stored offset is older then, which is fine, since
 * the server starts where the slot was confirmed. With heartbeats it is stored first, by the heartbeat's offset,
 * and nothing beyond what is stored is confirmed.
 */
export interface Confirmation {
  /** The newest record that is on its way. */
  handedOver(offset: OffsetMap): void;
  stored(offset: OffsetMap): void;
  /** `reached`: to where the stream has come between transactions, else undefined. */
  confirmable(reached: Lsn | undefined): Lsn | undefined;
}

export function createConfirmation(heartbeats: boolean): Confirmation {
  let newest: OffsetMap | undefined;
  let allStored = true;
  let confirmed: Lsn | undefined;
  const raise = (lsn: Lsn | undefined): void => {
    if (lsn !== undefined) confirmed = confirmed === undefined ? lsn : maxLsn(confirmed, lsn);
  };
  return {
    handedOver(offset) {
      newest = offset;
      allStored = false;
    },
    stored(offset) {
      const snapshotDone = offset['snapshot_completed'] === true || offset['last_snapshot_record'] === true;
      raise(snapshotDone ? storedLsn(offset['lsn']) : storedLsn(offset['lsn_commit']));
      if (newest !== undefined && samePlace(newest, offset)) allStored = true;
    },
    confirmable(reached) {
      if (allStored && !heartbeats) raise(reached);
      return confirmed;
    },
  };
}

const placeFields = [
  'lsn',
  'lsn_commit',
  'messageType',
  'txId',
  'millrace_row',
  'millrace_part',
  'snapshot_completed',
  'incremental_snapshot_primary_key',
];

function samePlace(a: OffsetMap, b: OffsetMap): boolean {
  if (a === b) return true;
  // The stored one may have been through JSON, where a missing number and a bigint look different.
  return placeFields.every((field) => String(a[field] ?? null) === String(b[field] ?? null));
}
