/**
 * Creates a store's topic where it is missing, and checks one that is there. Sources:
 * org.apache.kafka.connect.storage.KafkaTopicBasedBackingStore, TopicAdmin#verifyTopicCleanupPolicyOnlyCompact.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError, RetriableError } from '../api/index.ts';
import type { Logger } from '../api/index.ts';
import type { Log } from '../ports/log.ts';

export interface CompactedTopicSetup {
  readonly log: Log;
  readonly topic: string;
  /** Of the topic where it must be created. */
  readonly partitions: number;
  /** Of the topic where it must be created; -1: the log's default. Left out: 3, as in Connect. */
  readonly replicationFactor?: number;
  /** Further topic configs, such as Connect's `config.storage.min.insync.replicas` without its prefix. */
  readonly topicConfig?: Readonly<Record<string, string>>;
  /** What the worker's keys for this topic begin with, such as `config.storage`: named where the person must act. */
  readonly setting?: string;
  readonly logger: Logger;
  /** The topic must have exactly this many partitions, also where it exists already. */
  readonly exactPartitions?: number;
  /** How long creating the topic, and one read to the end, may take; after it, a RetriableError. */
  readonly readTimeoutMs?: number;
}

/** Returns the partition count. Throws a ConfigError for a topic that would lose records, or their order. */
export async function ensureCompactedTopic(setup: CompactedTopicSetup): Promise<number> {
  const { topic, exactPartitions } = setup;
  const created = (await partitionsOf(setup)) === undefined && (await create(setup));
  const partitions = await whenKnown(setup);
  if (exactPartitions !== undefined && partitions !== exactPartitions) {
    throw new ConfigError(
      `topic ${topic}${setBy(setup, 'topic')} has ${partitions} partitions, and needs exactly ${exactPartitions}: the order of its records counts.`,
      { hint: `Name another topic${inSetting(setup, 'topic')}, or delete this one if nothing of value is in it.` },
    );
  }
  if (!created) await checkCleanupPolicy(setup);
  return partitions;
}

export async function partitionsOf({ log, topic }: CompactedTopicSetup): Promise<number | undefined> {
  const partitions = (await log.describeTopics([topic]))[0]?.partitions ?? 0;
  return partitions > 0 ? partitions : undefined;
}

/** Returns whether this call created it: another worker may be faster. */
async function create(setup: CompactedTopicSetup): Promise<boolean> {
  const { log, topic, partitions, replicationFactor = 3, topicConfig, logger, readTimeoutMs = 60_000 } = setup;
  // The cleanup policy is not the person's to choose.
  const spec = { name: topic, partitions, replicationFactor, config: { ...topicConfig, 'cleanup.policy': 'compact' } };
  let warned = false;
  for (const deadline = performance.now() + readTimeoutMs; ; await sleep(500)) {
    try {
      return (await log.createTopics([spec])).length > 0;
    } catch (cause) {
      const message = messageOf(cause);
      if (!message.includes('INVALID_REPLICATION_FACTOR')) throw cause;
      // Brokers may still be on their way up.
      const problem = `topic ${topic}: it cannot be created with ${replicationFactor} replicas, the cluster has too few brokers.`;
      const hint = `Set ${keyOf(setup, 'replication.factor')} to at most the number of brokers (1 for a single one).`;
      if (performance.now() > deadline) throw new ConfigError(problem, { hint, cause });
      if (!warned) logger.warn(`${problem} ${hint} Trying again for ${readTimeoutMs} ms.`);
      warned = true;
    }
  }
}

/** A fresh topic takes a moment until every broker knows it. */
async function whenKnown(setup: CompactedTopicSetup): Promise<number> {
  const { topic, readTimeoutMs = 60_000 } = setup;
  for (const deadline = performance.now() + readTimeoutMs; ; await sleep(100)) {
    const found = await partitionsOf(setup);
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new RetriableError(`topic ${topic} was created, but the log still does not know it.`);
  }
}

async function checkCleanupPolicy(setup: CompactedTopicSetup): Promise<void> {
  const { log, topic, logger } = setup;
  let config: Readonly<Record<string, string>>;
  try {
    config = await log.topicConfig(topic);
  } catch (error) {
    // Whoever may not read a topic's config may still run on it.
    if (!/AUTHORIZATION_FAILED|UNSUPPORTED_VERSION/.test(messageOf(error))) throw error;
    logger.info(`topic ${topic}: its cleanup.policy could not be checked to be "compact": ${messageOf(error)}`);
    return;
  }
  const policies = new Set((config['cleanup.policy'] ?? 'delete').split(',').map((each) => each.trim()));
  if (policies.size === 1 && policies.has('compact')) return;
  throw new ConfigError(
    `topic ${topic}${setBy(setup, 'topic')} has cleanup.policy=${[...policies].join(',')}. It must be compact alone: ` +
      'otherwise what the worker must remember is deleted in time, and the cluster does not come up again as it was.',
    { hint: `Set cleanup.policy=compact on the topic, or name another one${inSetting(setup, 'topic')}.` },
  );
}

const keyOf = ({ setting }: CompactedTopicSetup, key: string): string =>
  setting === undefined ? `its ${key} in the worker config` : `${setting}.${key} in the worker config`;
const setBy = (setup: CompactedTopicSetup, key: string): string => (setup.setting === undefined ? '' : ` (${setup.setting}.${key})`);
const inSetting = (setup: CompactedTopicSetup, key: string): string =>
  setup.setting === undefined ? ' in the worker config' : ` in ${setup.setting}.${key}`;

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
