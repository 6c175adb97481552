/** How far PostgreSQL may forget. */
import type { OffsetMap, SourcePosition } from '@millrace/runtime/api';

import { maxLsn, storedLsn } from '../position/lsn.ts';
import type { Lsn } from '../position/lsn.ts';
import { commitOffset } from '../position/offsets.ts';
import type { StreamDecoder } from '../stream/stream.ts';

/**
 * Confirmed is what the offset store holds, and nothing else: the last commit before the newest stored record. So
 * whoever goes on from the stored offset, Debezium included, finds the WAL from there on.
 *
 * An idle database writes WAL too, though, of which no record tells: writes to other tables and other databases of the
 * server. Once every record was handed over, everything that committed before where the stream has come to was sent.
 * That position is stored without a record, and confirmed when it is.
 */
export interface Confirmation {
  stored(offset: OffsetMap): void;
  /** What may be confirmed; undefined while nothing may. */
  readonly confirmable: Lsn | undefined;
  /**
   * The position to store where it is beyond the last one, and enough time has passed since that. `reached`: to where
   * the stream has come with every record handed over; undefined in the middle of a transaction. `again`: also where
   * it is the last one.
   */
  position(reached: Lsn | undefined, txId: number | null, us: number | null, again?: boolean): SourcePosition | undefined;
}

/** Only there does one LSN tell the whole position. */
export const isBetweenTransactions = (decoder: StreamDecoder): boolean =>
  !decoder.inTransaction && decoder.position().last === undefined && decoder.reached !== 0;

export function createConfirmation(server: string, everyMs: number): Confirmation {
  const partition = { server };
  let confirmable: Lsn | undefined;
  let offered: Lsn | undefined;
  let offeredAtMs = -Infinity;
  return {
    stored(offset) {
      const snapshotDone = offset['snapshot_completed'] === true || offset['last_snapshot_record'] === true;
      const lsn = snapshotDone ? storedLsn(offset['lsn']) : storedLsn(offset['lsn_commit']);
      if (lsn !== undefined) confirmable = confirmable === undefined ? lsn : maxLsn(confirmable, lsn);
    },
    get confirmable() {
      return confirmable;
    },
    position(reached, txId, us, again = false) {
      if (reached === undefined || reached === 0) return undefined;
      const old = (offered !== undefined && reached <= offered) || (confirmable !== undefined && reached <= confirmable);
      if (old && !again) return undefined;
      const nowMs = performance.now();
      if (nowMs - offeredAtMs < everyMs) return undefined;
      offered = reached;
      offeredAtMs = nowMs;
      return { partition, offset: commitOffset(reached, txId, us) };
    },
  };
}
