import { ConnectError } from '../api/index.ts';
import type { SourceRecord, TransactionContext } from '../api/index.ts';

export type Ending = 'commit' | 'abort';

/** What a connector asked for and the loop has not done yet. Source: org.apache.kafka.connect.runtime.WorkerTransactionContext. */
export interface TransactionRequests {
  readonly context: TransactionContext;
  /** What was asked for this record. Throws, so that the task fails, where both were: either would lose something. */
  takeRecord(record: SourceRecord): Ending | undefined;
  /** As {@link takeRecord}, for the poll as a whole. */
  takeBatch(): Ending | undefined;
}

export function transactionRequests(): TransactionRequests {
  const records = new Map<SourceRecord, Set<Ending>>();
  const batch = new Set<Ending>();

  function ask(ending: Ending, record: SourceRecord | undefined): void {
    if (record === undefined) return void batch.add(ending);
    const asked = records.get(record);
    if (asked === undefined) records.set(record, new Set([ending]));
    else asked.add(ending);
  }

  return {
    context: {
      commitTransaction: (record) => ask('commit', record),
      abortTransaction: (record) => ask('abort', record),
    },
    takeRecord(record) {
      const asked = records.get(record);
      if (asked === undefined) return undefined;
      records.delete(record);
      if (asked.size > 1) {
        throw new ConnectError(
          `Connector requested both commit and abort of same record against topic/partition ${record.topic}/${record.partition}`,
        );
      }
      return [...asked][0];
    },
    takeBatch() {
      const asked = [...batch];
      batch.clear();
      if (asked.length > 1) throw new ConnectError('Connector requested both commit and abort of same transaction');
      return asked[0];
    },
  };
}
