import { ConfigError } from '../api/index.ts';

/** Topic configs that this log acts on, and Kafka's defaults; sizes and times -1: without bound. */
const acted: Readonly<Record<string, string>> = {
  'cleanup.policy': 'delete',
  'delete.retention.ms': '86400000',
  'max.message.bytes': '1073741824',
  'message.timestamp.type': 'CreateTime',
  'min.cleanable.dirty.ratio': '0.5',
  'min.compaction.lag.ms': '0',
  'retention.bytes': '-1',
  'retention.ms': '604800000',
};

/** Kafka's others: taken, kept and told, without effect in a log of one file. Source: org.apache.kafka.common.config.TopicConfig. */
const idle: ReadonlySet<string> = new Set([
  'compression.gzip.level',
  'compression.lz4.level',
  'compression.type',
  'compression.zstd.level',
  'file.delete.delay.ms',
  'flush.messages',
  'flush.ms',
  'follower.replication.throttled.replicas',
  'index.interval.bytes',
  'leader.replication.throttled.replicas',
  'local.retention.bytes',
  'local.retention.ms',
  'max.compaction.lag.ms',
  'message.downconversion.enable',
  'message.format.version',
  'message.timestamp.after.max.ms',
  'message.timestamp.before.max.ms',
  'message.timestamp.difference.max.ms',
  'min.insync.replicas',
  'preallocate',
  'remote.log.copy.disable',
  'remote.log.delete.on.disable',
  'remote.storage.enable',
  'segment.bytes',
  'segment.index.bytes',
  'segment.jitter.ms',
  'segment.ms',
  'unclean.leader.election.enable',
]);

const integer = /^-?\d{1,18}$/;
const valid: Readonly<Record<string, (value: string) => boolean>> = {
  'cleanup.policy': (value) => value.split(',').every((each) => ['compact', 'delete'].includes(each.trim())),
  'message.timestamp.type': (value) => value === 'CreateTime' || value === 'LogAppendTime',
  'min.cleanable.dirty.ratio': (value) => Number(value) >= 0 && Number(value) <= 1,
};

export type TopicConfig = Readonly<Record<string, string>>;

/** Throws a ConfigError for a name that Kafka would not take either. */
export function checkTopicName(name: string): void {
  if (/^[\w.-]{1,249}$/.test(name) && name !== '.' && name !== '..') return;
  throw new ConfigError(`topic "${name}": this is no name for a topic.`, {
    hint: 'Use 1 to 249 letters, digits, dots, underscores and hyphens.',
  });
}

export function checkTopicConfig(topic: string, config: TopicConfig): void {
  for (const [key, value] of Object.entries(config)) {
    if (idle.has(key)) continue;
    if (!(key in acted)) throw new ConfigError(`topic "${topic}": unknown topic config "${key}".`);
    const isValid = valid[key] ?? ((text: string) => integer.test(text));
    if (!isValid(value)) throw new ConfigError(`topic "${topic}": "${value}" is no value for ${key}.`);
  }
}

export function withDefaults(config: TopicConfig): TopicConfig {
  return { ...acted, ...config };
}

export function setting(config: TopicConfig, key: keyof typeof acted): string {
  return config[key] ?? acted[key] ?? '';
}

/** A size or a time; Infinity for -1. */
export function bound(config: TopicConfig, key: keyof typeof acted): number {
  const value = Number(setting(config, key));
  return value < 0 ? Infinity : value;
}

export function hasPolicy(config: TopicConfig, policy: 'compact' | 'delete'): boolean {
  return setting(config, 'cleanup.policy')
    .split(',')
    .some((each) => each.trim() === policy);
}
