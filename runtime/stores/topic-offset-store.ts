import type { OffsetStore } from '../ports/stores.ts';
import { compactedTopic } from './compacted-topic.ts';
import type { CompactedTopicOptions } from './compacted-topic.ts';
import { createOffsetTable } from './offset-table.ts';

/**
 * Source offsets on Connect's `offset.storage.topic` (25 partitions where it is created). On the embedded log
 * tasks write there themselves, so every read goes to the topic's end first.
 */
export function topicOffsetStore(options: Omit<CompactedTopicOptions, 'partitions'> & { readonly partitions?: number }): OffsetStore {
  const journal = compactedTopic({ ...options, partitions: options.partitions ?? 25 });
  const table = createOffsetTable();
  return {
    start: () =>
      journal.start((records) => {
        for (const { key, value, timestampMs } of records) table.apply(key, value, timestampMs);
      }),
    async read(connector, partitions) {
      await journal.readToEnd();
      return partitions.map((partition) => table.get(connector, partition));
    },
    async all(connector) {
      await journal.readToEnd();
      return table.all(connector);
    },
    write: (connector, offsets) => journal.write(table.encode(connector, offsets)),
    get atomicTopic() {
      return options.log.kind === 'embedded' ? { name: journal.topic, partitions: journal.partitions } : undefined;
    },
    [Symbol.asyncDispose]: () => journal[Symbol.asyncDispose](),
  } as OffsetStore;
}
