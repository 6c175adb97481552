/** Where a row stands in the stream, and what of it was emitted. */
import type { Lsn } from '../position/lsn.ts';
import type { TransactionTally } from './transaction-metadata.ts';

/** Parts that a place of which nothing was emitted has done. */
export const nothingDone = -1;

/** Where a row stands. */
export interface RowPlace {
  readonly lsn: Lsn;
  readonly row: number;
  /** Parts up to this one were emitted before a restart; `nothingDone` when none was. */
  readonly done: number;
  readonly scopes: readonly (readonly unknown[])[];
  readonly transaction: OffsetParts;
}

/** What the offsets of all rows of one transaction share. */
export interface OffsetParts {
  readonly lastCommit: Lsn | undefined;
  readonly txId: number | null;
  readonly us: number;
  /** With provide.transaction.metadata; each record of a row takes its number from it. */
  readonly tally?: TransactionTally | undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Before the first row. */
export const firstPlace = (): Mutable<RowPlace> => ({
  lsn: 0,
  row: -1,
  done: nothingDone,
  scopes: [],
  transaction: { lastCommit: undefined, txId: null, us: 0 },
});
