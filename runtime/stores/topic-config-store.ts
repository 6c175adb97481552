import type { ConfigStore } from '../ports/stores.ts';
import { compactedTopic } from './compacted-topic.ts';
import type { CompactedTopicOptions } from './compacted-topic.ts';
import { createConfigStore } from './config-store.ts';

/** The config store on Connect's `config.storage.topic`: one partition, since the order of its records counts. */
export function topicConfigStore(options: Omit<CompactedTopicOptions, 'partitions' | 'exactPartitions'>): ConfigStore {
  return createConfigStore(compactedTopic({ ...options, partitions: 1, exactPartitions: 1 }));
}
