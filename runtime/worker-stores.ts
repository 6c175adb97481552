/** Where a worker keeps what it knows. */
import type { Logging } from './logging/logging.ts';
import type { ConfigStore, OffsetStore, StatusStore } from './ports/stores.ts';
import type { StoreTopic, WorkerSettings } from './settings/worker-settings.ts';
import { memoryConfigStore } from './stores/config-store.ts';
import { fileOffsetStore } from './stores/file-offset-store.ts';
import { memoryStatusStore } from './stores/status-store.ts';
import { topicConfigStore } from './stores/topic-config-store.ts';
import { topicOffsetStore } from './stores/topic-offset-store.ts';
import { topicStatusStore } from './stores/topic-status-store.ts';
import type { LogThreadHost } from './worker/log-thread-host.ts';

export interface WorkerStores {
  readonly configStore: ConfigStore;
  readonly statusStore: StatusStore;
  readonly offsetStore: OffsetStore;
}

/** Connect's standalone habit on Kafka: memory, and a file for offsets. */
export function localStores(offsetFile: string): WorkerStores {
  return { configStore: memoryConfigStore(), statusStore: memoryStatusStore(), offsetStore: fileOffsetStore(offsetFile) };
}

/** Compacted topics. With a group, other workers write to them as well. */
export function topicStores(
  topics: NonNullable<WorkerSettings['stores']>,
  { group, exactlyOnce }: WorkerSettings,
  { log }: LogThreadHost,
  logging: Logging,
): WorkerStores {
  const options = ({ topic, partitions, replicationFactor, config }: StoreTopic) => ({
    log,
    topic,
    partitions,
    replicationFactor,
    topicConfig: config,
    clientId: `${group?.id ?? 'millrace'}-${topic}`,
    // As Connect has it: a transaction that hangs holds up readers of committed records alone.
    ...(group !== undefined && exactlyOnce !== 'enabled' && { isolation: 'read_uncommitted' as const }),
    logger: logging.logger('millrace.stores'),
  });
  // Connect's own, so that a leader of either kind fences the one before it (KIP-618).
  const leader = group === undefined || exactlyOnce === 'disabled' ? {} : { transactionalId: `connect-cluster-${group.id}` };
  return {
    configStore: topicConfigStore({ ...options(topics.config), ...leader }),
    statusStore: topicStatusStore({ ...options(topics.status), shared: group !== undefined }),
    offsetStore: topicOffsetStore(options(topics.offset)),
  };
}
