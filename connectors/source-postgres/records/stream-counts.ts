/** Counted where rows are decoded: plain fields, since that is the busiest place. */
export interface StreamCounts {
  created: number;
  updated: number;
  deleted: number;
  /** Rows that the filters left out. */
  filtered: number;
  /** Everything else that became a record: truncates and messages. */
  others: number;
  /** Rows that could not be published: left out, or the end of the task. */
  erroneous: number;
  transactions: number;
  lastTxId: number | null;
  /** When the last one that ended was committed, and how long after that it was read here. */
  lagMs: number;
  /** When the last event came; -1 before the first. */
  lastEventMs: number;
}

export const noCounts = (): StreamCounts => ({
  created: 0,
  updated: 0,
  deleted: 0,
  filtered: 0,
  others: 0,
  erroneous: 0,
  transactions: 0,
  lastTxId: null,
  lagMs: -1,
  lastEventMs: -1,
});
