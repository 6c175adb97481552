import type { ConfigStore } from '../ports/stores.ts';
import { compactedTopic } from './compacted-topic.ts';
import type { CompactedTopicOptions } from './compacted-topic.ts';
import { createConfigStore } from './config-store.ts';

/**
 * The config store on Connect's `config.storage.topic`: one partition, since the order of its records counts.
 * With a `transactionalId` (Connect's is `connect-cluster-<group.id>`, KIP-618) the leader must claim its writes.
 */
export function topicConfigStore(options: Omit<CompactedTopicOptions, 'partitions' | 'exactPartitions'>): ConfigStore {
  const journal = compactedTopic({ setting: 'config.storage', ...options, partitions: 1, exactPartitions: 1 });
  return createConfigStore(journal, options.logger);
}
