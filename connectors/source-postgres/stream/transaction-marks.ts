/** The transaction that is being read, and the records that mark its beginning and end. */
import type { Lsn } from '../position/lsn.ts';
import { beginRow, commitOffset } from '../position/offsets.ts';
import type { Place } from '../position/offsets.ts';
import type { RecordQueue } from '../records/queue.ts';
import type { RecordContext } from '../records/records.ts';
import { rowOffset } from '../records/row-records.ts';
import type { OffsetParts } from '../records/row-place.ts';

export interface OpenTransaction {
  /** Of its first record. */
  readonly lsn: Lsn;
  readonly offset: OffsetParts;
  readonly scope: readonly unknown[];
  readonly skipped: boolean;
  /** Of one that is an echo, nothing is wanted but its end. */
  echo: boolean;
  /** Whether its beginning was told, or is not to be. */
  begun: boolean;
}

/** Parts that a place has done of which everything was emitted. */
export const allDone = Number.MAX_SAFE_INTEGER;

/** The last that was emitted of a transaction, which is at that row; undefined when nothing was. */
export function placeIn(
  { lsn, begun, offset: { txId, tally } }: OpenTransaction,
  at: { readonly lsn: Lsn; readonly row: number },
): Place | undefined {
  const counts = tally === undefined ? {} : { counts: tally.counts };
  if (at.row >= 0) return { txId, lsn: at.lsn, row: at.row, part: allDone, ...counts };
  return begun && tally !== undefined ? { txId, lsn, row: beginRow, part: allDone, ...counts } : undefined;
}

/** With provide.transaction.metadata; without, it writes nothing. */
export class TransactionMarks {
  readonly #context: RecordContext;
  readonly #queue: RecordQueue;
  readonly #topic: string;

  constructor(context: RecordContext, queue: RecordQueue, topic: string) {
    this.#context = context;
    this.#queue = queue;
    this.#topic = topic;
  }

  /** Only with the first thing that is in it: before that, a message may yet say that it is an echo. */
  begin(open: OpenTransaction): void {
    const { tally, us } = open.offset;
    if (open.begun || open.echo || tally === undefined) return;
    open.begun = true;
    const offset = rowOffset(open.offset, 'BEGIN', open.lsn, 0, 0);
    this.#queue.push(tally.begin(this.#context, this.#topic, open.lsn, us, offset), 64);
  }

  end(open: OpenTransaction, endLsn: Lsn): void {
    const { tally, txId, us } = open.offset;
    if (open.echo || tally === undefined) return;
    this.begin(open);
    this.#queue.push(tally.end(this.#context, this.#topic, endLsn, us, commitOffset(endLsn, txId, us)), 64);
  }
}
