/** What Connect adds for sinks, and for sources. */
import { badPattern, defineConfig } from '../api/index.ts';
import type { ConfigDef } from '../api/index.ts';
import { uniqueAliases } from './connector-config.ts';

const common = 'Common';
const errors = 'Error Handling';

function firstBadPattern(patterns: unknown): string | undefined {
  return (patterns as readonly string[]).map(badPattern).find((problem) => problem !== undefined);
}

/** Connect has these for sinks only; here sources have them too. */
export const deadLetterConfig = defineConfig({
  'errors.deadletterqueue.topic.name': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'The name of the topic to be used as the dead letter queue (DLQ) for messages that result in an error when processed by this sink connector, or its transformations or converters. The topic name is blank by default, which means that no messages are to be recorded in the DLQ.',
    group: errors,
    width: 'medium',
    displayName: 'Dead Letter Queue Topic Name',
  },
  'errors.deadletterqueue.topic.replication.factor': {
    type: 'short',
    default: 3,
    importance: 'medium',
    doc: "Replication factor used to create the dead letter queue topic when it doesn't already exist.",
    group: errors,
    width: 'medium',
    displayName: 'Dead Letter Queue Topic Replication Factor',
  },
  'errors.deadletterqueue.context.headers.enable': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc: 'If true, add headers containing error context to the messages written to the dead letter queue. All error context header keys start with `__connect.errors.`.',
    group: errors,
    width: 'medium',
    displayName: 'Enable Error Context Headers',
  },
});

/** org.apache.kafka.connect.runtime.SinkConnectorConfig. */
export const sinkConfig = defineConfig({
  topics: {
    type: 'list',
    default: [],
    importance: 'high',
    doc: 'List of topics to consume, separated by commas.',
    group: common,
    width: 'long',
    displayName: 'Topics',
  },
  'topics.regex': {
    type: 'string',
    default: '',
    rule: { kind: 'custom', check: badPattern },
    importance: 'high',
    doc: 'Regular expression giving topics to consume. Only one of topics or topics.regex should be specified.',
    group: common,
    width: 'long',
    displayName: 'Topics regex',
  },
  ...deadLetterConfig,
});

const exactlyOnce = 'Exactly Once Support';

/** org.apache.kafka.connect.runtime.SourceConnectorConfig. */
export const sourceConfig = defineConfig({
  'topic.creation.groups': {
    type: 'list',
    default: [],
    rule: { kind: 'custom', check: uniqueAliases },
    importance: 'low',
    doc: 'Groups of configurations for topics created by source connectors.',
    group: 'Topic Creation',
    width: 'long',
    displayName: 'Topic Creation Groups',
  },
  'exactly.once.support': {
    type: 'string',
    default: 'requested',
    rule: { kind: 'one-of', values: ['requested', 'required'], ignoreCase: true },
    importance: 'medium',
    doc: 'Permitted values are requested, required. If set to "required", forces a preflight check for the connector to ensure that it can provide exactly-once semantics with the given configuration.',
    group: exactlyOnce,
    width: 'short',
    displayName: 'Exactly once support',
  },
  'transaction.boundary': {
    type: 'string',
    default: 'poll',
    rule: { kind: 'one-of', values: ['interval', 'poll', 'connector'], ignoreCase: true },
    importance: 'medium',
    doc: "Permitted values are: poll, interval, connector. If set to 'poll', a new producer transaction will be started and committed for every batch of records that each task provides.",
    group: exactlyOnce,
    width: 'short',
    displayName: 'Transaction Boundary',
  },
  'transaction.boundary.interval.ms': {
    type: 'long',
    default: null,
    rule: { kind: 'range', min: 0 },
    importance: 'low',
    doc: "If 'transaction.boundary' is set to 'interval', determines the interval for producer transaction commits by connector tasks. If unset, defaults to the value of the worker-level 'offset.flush.interval.ms' property.",
    group: exactlyOnce,
    width: 'short',
    displayName: 'Transaction boundary interval',
  },
  'offsets.storage.topic': {
    type: 'string',
    default: null,
    rule: { kind: 'not-empty' },
    importance: 'low',
    doc: "The name of a separate offsets topic to use for this connector. If empty or not specified, the worker's global offsets topic name will be used.",
    group: 'offsets.topic',
    width: 'medium',
    displayName: 'Custom offsets topic for this connector',
  },
});

/** Keys of `topic.creation.<group>.` (org.apache.kafka.connect.runtime.TopicCreationConfig). */
export function topicCreationConfig(group: string, isDefault: boolean): ConfigDef {
  const base = { group: `Topic Creation: ${group}`, width: 'medium' } as const;
  const count = (doc: string, type: 'short' | 'int') => ({
    ...base,
    type,
    ...(isDefault ? {} : { default: -1 }),
    importance: 'low' as const,
    doc,
    rule: {
      kind: 'custom',
      check: (value: unknown) =>
        Number(value) === -1 || Number(value) > 0 ? undefined : 'Must be -1 (the default of the log), or positive',
    } as const,
  });
  const patterns = (doc: string) => ({
    ...base,
    type: 'list' as const,
    default: [],
    importance: 'low' as const,
    doc,
    rule: { kind: 'custom', check: firstBadPattern } as const,
  });
  return {
    ...(isDefault
      ? {}
      : {
          [`topic.creation.${group}.include`]: {
            ...patterns('Regular expressions for the names of topics of this group.'),
          },
        }),
    ...(isDefault
      ? {}
      : {
          [`topic.creation.${group}.exclude`]: patterns('Regular expressions for the names of topics that do not belong to this group.'),
        }),
    [`topic.creation.${group}.replication.factor`]: count('Replication factor of new topics; -1 takes the default of the log.', 'short'),
    [`topic.creation.${group}.partitions`]: count('Number of partitions of new topics; -1 takes the default of the log.', 'int'),
  };
}
