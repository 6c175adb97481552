import type { StatusStore } from '../ports/stores.ts';
import { compactedTopic } from './compacted-topic.ts';
import type { CompactedTopicOptions } from './compacted-topic.ts';
import { createStatusStore } from './status-store.ts';

/**
 * The status store on Connect's `status.storage.topic` (5 partitions where it is created). `shared`: other
 * workers write to it as well, see {@link createStatusStore}.
 */
export function topicStatusStore(
  options: Omit<CompactedTopicOptions, 'partitions' | 'exactPartitions' | 'transactionalId'> & {
    readonly partitions?: number;
    readonly shared?: boolean;
  },
): StatusStore {
  const { partitions = 5, shared = false, logger } = options;
  return createStatusStore(compactedTopic({ setting: 'status.storage', ...options, partitions }), { shared, logger });
}
