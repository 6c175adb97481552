/** What every connector's config has, whatever it connects. */
import { defineConfig } from '../api/index.ts';
import { restartConfig } from './restart-config.ts';

const common = 'Common';
const errors = 'Error Handling';

/** `plugin.version` and its like (KIP-891). */
export const onlyVersion = 'there is one version of each plugin';

/** A rule for lists of names that other keys are made of. */
export function uniqueAliases(value: unknown): string | undefined {
  const aliases = value as readonly string[];
  if (new Set(aliases).size !== aliases.length) return 'Duplicate alias provided.';
  return aliases.includes('') ? 'An alias must not be empty' : undefined;
}

/** org.apache.kafka.connect.runtime.ConnectorConfig, and restarts, which are ours. */
export const commonConfig = defineConfig({
  name: {
    type: 'string',
    importance: 'high',
    doc: 'Globally unique name to use for this connector.',
    group: common,
    width: 'medium',
    displayName: 'Connector name',
    rule: {
      kind: 'custom',
      check: (value) =>
        value === ''
          ? 'String may not be empty'
          : /[\u0000-\u001f\u007f]/.test(String(value))
            ? 'String may not contain control sequences but had the following ASCII chars'
            : undefined,
    },
  },
  'connector.class': {
    type: 'string',
    importance: 'high',
    doc: 'Name or alias of the class for this connector: the JVM class it stands in for, its simple name with or without "Connector", or our own name for it, such as source-postgres.',
    group: common,
    width: 'long',
    displayName: 'Connector class',
  },
  'connector.plugin.version': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'Version of the connector. Accepted for compatibility; there is one version of each plugin.',
    noEffect: onlyVersion,
    group: common,
    width: 'medium',
    displayName: 'Connector version',
  },
  'tasks.max': {
    type: 'int',
    default: 1,
    rule: { kind: 'range', min: 1 },
    importance: 'high',
    doc: 'Maximum number of tasks to use for this connector.',
    group: common,
    width: 'short',
    displayName: 'Tasks max',
  },
  'tasks.max.enforce': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: '(Deprecated) Whether to enforce that the tasks.max property is respected by the connector.',
    group: common,
    width: 'short',
    displayName: 'Enforce tasks max',
  },
  'key.converter': converterKey(
    'Key converter class',
    "Converter class used to convert between Kafka Connect format and the serialized form that is written to the log, for keys. The worker's when left out.",
  ),
  'key.converter.plugin.version': versionKey('Key converter version'),
  'value.converter': converterKey(
    'Value converter class',
    "Converter class used to convert between Kafka Connect format and the serialized form that is written to the log, for values. The worker's when left out.",
  ),
  'value.converter.plugin.version': versionKey('Value converter version'),
  'header.converter': converterKey(
    'Header converter class',
    "HeaderConverter class used to convert between Kafka Connect format and the serialized form of header values. The worker's when left out.",
  ),
  'header.converter.plugin.version': versionKey('Header converter version'),
  transforms: {
    type: 'list',
    default: [],
    rule: { kind: 'custom', check: uniqueAliases },
    importance: 'low',
    doc: 'Aliases for the transformations to be applied to records.',
    group: 'Transforms',
    width: 'long',
    displayName: 'Transforms',
  },
  predicates: {
    type: 'list',
    default: [],
    rule: { kind: 'custom', check: uniqueAliases },
    importance: 'low',
    doc: 'Aliases for the predicates used by transformations.',
    group: 'Predicates',
    width: 'long',
    displayName: 'Predicates',
  },
  'config.action.reload': {
    type: 'string',
    default: 'restart',
    rule: { kind: 'one-of', values: ['none', 'restart'], ignoreCase: true },
    importance: 'low',
    // Both values do the same: nothing that the config providers give expires, as with Kafka's own providers.
    doc: "The action that should be taken on the connector when changes in external configuration providers result in a change in the connector's configuration properties.",
    group: common,
    width: 'medium',
    displayName: 'Reload Action',
  },
  'errors.retry.timeout': {
    type: 'long',
    default: 0,
    rule: { kind: 'range', min: -1 },
    importance: 'medium',
    doc: 'The maximum duration in milliseconds that a failed operation will be reattempted. The default is 0, which means no retries will be attempted. Use -1 for infinite retries.',
    group: errors,
    width: 'medium',
    displayName: 'Retry Timeout for Errors',
  },
  'errors.retry.delay.max.ms': {
    type: 'long',
    default: 60_000,
    rule: { kind: 'range', min: 1 },
    importance: 'medium',
    doc: 'The maximum duration in milliseconds between consecutive retry attempts. Jitter will be added to the delay once this limit is reached to prevent thundering herd issues.',
    group: errors,
    width: 'medium',
    displayName: 'Maximum Delay Between Retries for Errors',
  },
  'errors.tolerance': {
    type: 'string',
    default: 'none',
    rule: { kind: 'one-of', values: ['none', 'all'], ignoreCase: true },
    importance: 'medium',
    doc: "Behavior for tolerating errors during connector operation. 'none' is the default value and signals that any error will result in an immediate connector task failure; 'all' changes the behavior to skip over problematic records.",
    group: errors,
    width: 'short',
    displayName: 'Error Tolerance',
  },
  'errors.log.enable': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc: "If true, write each error and the details of the failed operation and problematic record to the application log. This is 'false' by default, so that only errors that are not tolerated are reported.",
    group: errors,
    width: 'short',
    displayName: 'Log Errors',
  },
  'errors.log.include.messages': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc: 'Whether to include in the log the record that resulted in a failure. For sink records, the topic, partition, offset, and timestamp will be logged. For source records, the key and value (and their schemas), all headers, and the timestamp, topic, partition, source partition, and source offset will be logged.',
    group: errors,
    width: 'short',
    displayName: 'Log Error Details',
  },
  ...restartConfig,
});

function converterKey(displayName: string, doc: string) {
  return { type: 'class', default: null, importance: 'low', doc, group: common, width: 'short', displayName } as const;
}

function versionKey(displayName: string) {
  return {
    type: 'string',
    default: null,
    importance: 'low',
    doc: 'Accepted for compatibility; there is one version of each plugin.',
    noEffect: onlyVersion,
    group: common,
    width: 'short',
    displayName,
  } as const;
}
