/** Source offsets in one compacted topic: read into a table, written plainly or in a transaction. */
import type { RawConfig } from '../api/index.ts';
import type { OffsetsTopic } from '../ports/stores.ts';
import { compactedTopic } from './compacted-topic.ts';
import type { CompactedTopicOptions } from './compacted-topic.ts';
import { offsetBatches } from './offset-batches.ts';
import { createOffsetTable } from './offset-table.ts';
import type { OffsetTable, RawOffset } from './offset-table.ts';

export interface OffsetTransaction {
  readonly transactionalId: string;
  readonly clientId: string;
  readonly overrides: RawConfig | undefined;
}

export interface TopicOffsets extends AsyncDisposable {
  /** Its partitions are known once it was started. */
  readonly topic: OffsetsTopic;
  readonly table: OffsetTable;
  start(): Promise<void>;
  /** Resolves once the table holds all that was committed before the call. */
  readToEnd(): Promise<void>;
  /** Durable, and in the table, when it resolves. */
  write(records: readonly RawOffset[], transaction?: OffsetTransaction): Promise<void>;
}

export type TopicOffsetsOptions = Omit<CompactedTopicOptions, 'partitions'> & { readonly partitions?: number };

/** Longer than a transaction that was left open lives by default (`transaction.timeout.ms`): nothing after it can be read before. */
const readTimeoutMs = 90_000;

export function openTopicOffsets(options: TopicOffsetsOptions): TopicOffsets {
  // Every read goes to the end first, and that of a task only after its predecessors were fenced, their transactions with them.
  const journal = compactedTopic({ readTimeoutMs, startsBeforeOpen: true, ...options, partitions: options.partitions ?? 25 });
  const table = createOffsetTable();

  async function writeTransaction(records: readonly RawOffset[], transaction: OffsetTransaction): Promise<void> {
    const { transactionalId, clientId, overrides } = transaction;
    await using producer = await options.log.openTransactionalProducer({
      transactionalId,
      clientId,
      ...(overrides === undefined ? {} : { overrides }),
    });
    try {
      await producer.append(offsetBatches({ name: journal.topic, partitions: journal.partitions }, records));
      await producer.commitTransaction();
    } catch (error) {
      await producer.abortTransaction().catch(() => {});
      throw error;
    }
    await journal.readToEnd();
  }

  return {
    get topic() {
      return { name: journal.topic, partitions: journal.partitions };
    },
    table,
    start: () =>
      journal.start((records) => {
        for (const { key, value, timestampMs } of records) if (key.length > 0) table.apply(key, value, timestampMs);
      }),
    readToEnd: () => journal.readToEnd(),
    async write(records, transaction) {
      if (records.length === 0) return;
      if (transaction === undefined) await journal.write(records);
      else await writeTransaction(records, transaction);
    },
    [Symbol.asyncDispose]: () => journal[Symbol.asyncDispose](),
  };
}
