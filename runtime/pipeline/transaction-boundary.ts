/** Where a source's transactions end. Source: org.apache.kafka.connect.runtime.ExactlyOnceWorkerSourceTask, its TransactionBoundaryManager. */
import type { SourceRecord } from '../api/index.ts';
import type { Ending, TransactionRequests } from './transaction-requests.ts';

export interface TransactionState {
  /** Records in the open transaction. */
  readonly records: number;
  /** The timer went off during the poll. */
  readonly due: boolean;
}

export interface TransactionBoundary {
  /** How often the timer goes off; by then also positions without records are committed. Undefined: never by time. */
  readonly everyMs: number | undefined;
  /** Left out where none lies between the records of one poll. */
  readonly afterRecord?: (record: SourceRecord) => Ending | undefined;
  afterPoll(state: TransactionState): Ending | undefined;
  /** When the task pauses or stops. */
  last(): Ending | undefined;
}

/** One transaction for each poll that brought records. Positions alone wait for the next one, or for `flushMs`. */
export function pollBoundary(flushMs: number): TransactionBoundary {
  return {
    everyMs: flushMs,
    afterPoll: ({ records, due }) => (records > 0 || due ? 'commit' : undefined),
    last: () => 'commit',
  };
}

/** Several polls, never a part of one. */
export function intervalBoundary(everyMs: number, flushMs: number): TransactionBoundary {
  if (everyMs <= 0) return pollBoundary(flushMs);
  return {
    everyMs,
    afterPoll: ({ due }) => (due ? 'commit' : undefined),
    last: () => 'commit',
  };
}

/** Wherever the connector says. What it left open when the task stops is not committed. */
export function connectorBoundary(requests: TransactionRequests): TransactionBoundary {
  return {
    everyMs: undefined,
    afterRecord: (record) => requests.takeRecord(record),
    afterPoll: () => requests.takeBatch(),
    last: () => requests.takeBatch(),
  };
}
