/** For tests: a log with one transactional producer, and what a reader of committed records sees of it. */
import { readRecords } from '../../batch/record-reader.ts';
import type { AppendedBatch, OutboundBatch, TransactionalProducer } from '../../ports/log.ts';
import { Gate } from '../gate.ts';

export interface SeenTransaction {
  readonly values: readonly (string | null)[];
  /** Of the offsets topic, `key value`. */
  readonly offsets: readonly string[];
}

export interface TransactionalLog {
  readonly producer: TransactionalProducer;
  /** One for each commit, in order. */
  readonly seen: SeenTransaction[];
  /** `append N`, `commit`, `abort`, in the order in which they began; N is the number of records. */
  readonly calls: string[];
  /** Closed, commits wait. */
  readonly commits: Gate;
  /** What the next calls reject with. */
  failure: { append?: Error; commit?: Error };
}

export const offsetsTopic = 'offsets';

export function transactionalLog(): TransactionalLog {
  let open: { values: (string | null)[]; offsets: string[] } = { values: [], offsets: [] };
  let baseOffset = 0n;
  const log: TransactionalLog = {
    seen: [],
    calls: [],
    commits: new Gate(true),
    failure: {},
    producer: {
      async append(batches: readonly OutboundBatch[]): Promise<AppendedBatch[]> {
        log.calls.push(`append ${batches.reduce((sum, { records }) => sum + records, 0)}`);
        if (log.failure.append !== undefined) throw log.failure.append;
        return batches.map(({ topic, partition, buffer, length, records }) => {
          for (const { key, value } of readRecords(Buffer.from(buffer), length, 0n)) {
            if (topic === offsetsTopic) open.offsets.push(`${key} ${value}`);
            else open.values.push(value?.toString() ?? null);
          }
          const at = baseOffset;
          baseOffset += BigInt(records);
          return { topic, partition, buffer, baseOffset: at };
        });
      },
      async commitTransaction() {
        log.calls.push('commit');
        await log.commits.passed();
        // A producer that has failed stays failed.
        const failure = log.failure.append ?? log.failure.commit;
        if (failure !== undefined) throw failure;
        log.seen.push(open);
        open = { values: [], offsets: [] };
      },
      async abortTransaction() {
        log.calls.push('abort');
        open = { values: [], offsets: [] };
      },
      async [Symbol.asyncDispose]() {},
    },
  };
  return log;
}
