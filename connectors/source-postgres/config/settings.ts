/** What the task goes by: the config's values, put into shape once. */
import { ConfigError, nameAdjuster } from '@millrace/runtime/api';
import type { AdjustmentMode, RawConfig } from '@millrace/runtime/api';

import type { Config } from './config.ts';
import { readColumnRules } from './column-rules.ts';
import type { ColumnRules } from './column-rules.ts';
import { keyRules, pattern, patterns } from './filters.ts';
import type { FilterLists, KeyRule, NameFilter, Pattern } from './filters.ts';
import { snapshotSettings } from '../snapshot/settings.ts';
import type { SnapshotSettings } from '../snapshot/settings.ts';
import { notificationSettings, signalSettings } from './signal-settings.ts';
import type { NotificationSettings, SignalSettings } from './signal-settings.ts';
import { identityRules } from '../catalog/replica-identity.ts';
import type { IdentityRule } from '../catalog/replica-identity.ts';
import { readSelectOverrides } from './select-overrides.ts';
import type { SelectOverrides } from './select-overrides.ts';
import { streamParams } from './stream-params.ts';
import { topicNaming } from './topic-naming.ts';
import type { TopicNaming } from './topic-naming.ts';
import { reselectSettings } from './reselect-settings.ts';
import type { ReselectSettings } from './reselect-settings.ts';
import { unsupportedKeys } from './unsupported.ts';
import type { ValueSettings } from '../values/value-type.ts';

export type Operation = 'c' | 'u' | 'd' | 't';

export interface Settings extends SnapshotSettings {
  readonly topicPrefix: string;
  readonly topicDelimiter: string;
  readonly database: string;
  readonly slot: string;
  readonly slotDropOnStop: boolean;
  readonly slotFailover: boolean;
  readonly slotMaxRetries: number;
  readonly slotRetryDelayMs: number;
  /** Further options of pgoutput. */
  readonly streamParams: Readonly<Record<string, string>>;
  /** Of WAL that the slot retains, before it is warned about; 0 is never. */
  readonly retainedWarnBytes: number;
  readonly lsnFlushTimeoutMs: number;
  readonly lsnFlushAction: 'fail' | 'warn' | 'ignore';
  /** A server that says nothing for so long is not there any more. */
  readonly silenceMs: number;
  readonly publication: string;
  readonly autocreate: 'all_tables' | 'filtered' | 'disabled' | 'no_tables';
  readonly viaPartitionRoot: boolean;
  readonly statusIntervalMs: number;
  readonly flushLsn: boolean;
  readonly skipped: ReadonlySet<string>;
  readonly filters: FilterLists;
  readonly messagePrefix: NameFilter;
  /** Whether transactions of that replication origin are left out. */
  readonly skipsOrigin: NameFilter;
  /** Whether there is any such. */
  readonly skipsOrigins: boolean;
  readonly keyRules: readonly KeyRule[];
  readonly columnRules: ColumnRules;
  readonly topics: TopicNaming;
  readonly adjustSchemaName: (name: string) => string;
  readonly adjustFieldName: (name: string) => string;
  readonly selectOverrides: SelectOverrides;
  readonly identities: readonly IdentityRule[];
  /** Whether updates are left out that change nothing which records show. */
  readonly skipUnchanged: boolean;
  readonly tombstones: boolean;
  readonly contextHeaders: boolean;
  readonly values: ValueSettings;
  /** Whether null stands for what PostgreSQL left out, also in NOT NULL columns. */
  readonly omittedAsNull: boolean;
  readonly maxBatchSize: number;
  readonly maxQueueSize: number;
  readonly maxQueueBytes: number;
  readonly pollIntervalMs: number;
  readonly heartbeatIntervalMs: number;
  readonly heartbeatTopicPrefix: string;
  readonly heartbeatQuery: string | null;
  readonly reconnectMaxMs: number;
  readonly signals: SignalSettings;
  readonly notifications: NotificationSettings;
  readonly transactionMetadata: boolean;
  readonly transactionTopicName: string;
  readonly xminIntervalMs: number;
  /** What happens with a value that its schema cannot hold; and with a row that cannot be published. */
  readonly onUnheld: 'fail' | 'warn' | 'skip';
  readonly onBadRow: 'fail' | 'warn' | 'skip';
  /** Which stand-ins the header names: those that Debezium writes in silence, or all. */
  readonly unavailableHeader: 'silent' | 'all' | 'none';
  readonly reselections: readonly ReselectSettings[];
  /** Of failures that may pass, in a row; -1 is without limit. */
  readonly errorsMaxRetries: number;
}

/** Throws a ConfigError for what does not go together. */
export function readSettings(config: Config, raw: RawConfig): Settings {
  const [problem] = unsupportedKeys(raw).refused;
  if (problem !== undefined) throw new ConfigError(problem.message);
  const list = (key: 'schema' | 'table' | 'column') => {
    const [include, exclude] = [`${key}.include.list`, `${key}.exclude.list`] as const;
    if (config[include] !== null && config[exclude] !== null) {
      throw new ConfigError(`${include} and ${exclude} are both set.`, { hint: 'Use one of them.' });
    }
    return { include: patterns(include, config[include]), exclude: patterns(exclude, config[exclude]) };
  };
  const signals = signalSettings(config);
  const snapshot = snapshotSettings(config);
  return {
    topicPrefix: config['topic.prefix'],
    topicDelimiter: config['topic.delimiter'],
    database: config['database.dbname'],
    slot: config['slot.name'],
    slotDropOnStop: config['slot.drop.on.stop'],
    slotFailover: config['slot.failover'],
    slotMaxRetries: config['slot.max.retries'],
    slotRetryDelayMs: config['slot.retry.delay.ms'],
    streamParams: streamParams(config['slot.stream.params']),
    retainedWarnBytes: config['millrace.slot.retained.warn.bytes'],
    lsnFlushTimeoutMs: config['lsn.flush.timeout.ms'],
    lsnFlushAction: config['lsn.flush.timeout.action'].toLowerCase() as Settings['lsnFlushAction'],
    silenceMs: config['connection.validation.timeout.ms'],
    publication: config['publication.name'],
    autocreate: config['publication.autocreate.mode'].toLowerCase() as Settings['autocreate'],
    viaPartitionRoot: config['publish.via.partition.root'],
    statusIntervalMs: config['status.update.interval.ms'],
    flushLsn: config['flush.lsn.source'],
    skipped: skippedOperations(config['skipped.operations']),
    filters: { schemas: list('schema'), tables: list('table'), columns: list('column'), signals: signals.table },
    ...snapshot,
    inSnapshot: (name) => snapshot.inSnapshot(name) && name !== (signals.table && `${signals.table.schema}.${signals.table.table}`),
    messagePrefix: prefixFilter(config),
    skipsOrigin: originFilter(config['millrace.skip.origins']),
    skipsOrigins: (config['millrace.skip.origins'] ?? []).some((entry) => entry.trim() !== ''),
    keyRules: keyRules(config['message.key.columns']),
    columnRules: readColumnRules(raw, config['column.propagate.source.type'], config['datatype.propagate.source.type']),
    topics: topicNaming(config),
    adjustSchemaName: nameAdjuster(config['schema.name.adjustment.mode'].toLowerCase() as AdjustmentMode, 'schema'),
    adjustFieldName: nameAdjuster(config['field.name.adjustment.mode'].toLowerCase() as AdjustmentMode, 'field'),
    selectOverrides: readSelectOverrides(raw),
    identities: identityRules(config['replica.identity.autoset.values']),
    skipUnchanged: config['skip.messages.without.change'],
    tombstones: config['tombstones.on.delete'],
    contextHeaders: config['extended.headers.enabled'],
    values: valueSettings(config),
    omittedAsNull: config['omitted.values'].toLowerCase() === 'null',
    maxBatchSize: config['max.batch.size'],
    maxQueueSize: config['max.queue.size'],
    maxQueueBytes: config['max.queue.size.in.bytes'],
    pollIntervalMs: config['poll.interval.ms'],
    heartbeatIntervalMs: config['heartbeat.interval.ms'],
    heartbeatTopicPrefix: config['topic.heartbeat.prefix'] ?? config['heartbeat.topics.prefix'],
    heartbeatQuery: config['heartbeat.action.query'],
    reconnectMaxMs: config['retriable.restart.connector.wait.ms'],
    signals,
    notifications: notificationSettings(config),
    transactionMetadata: config['provide.transaction.metadata'],
    transactionTopicName: config['topic.transaction'],
    xminIntervalMs: config['xmin.fetch.interval.ms'],
    onUnheld: config['event.converting.failure.handling.mode'].toLowerCase() as Settings['onUnheld'],
    onBadRow: config['event.processing.failure.handling.mode'].toLowerCase().replace('ignore', 'skip') as Settings['onBadRow'],
    unavailableHeader: headerMode(config['millrace.unavailable.header'], config['debezium.bug.compatible']),
    reselections: reselectSettings(config['post.processors'], raw),
    errorsMaxRetries: config['errors.max.retries'],
  };
}

function headerMode(mode: string | null, compatible: boolean): Settings['unavailableHeader'] {
  return mode === null ? (compatible ? 'none' : 'silent') : (mode.toLowerCase() as Settings['unavailableHeader']);
}

function valueSettings(config: Config): ValueSettings {
  const mode = <T extends string>(
    key: 'decimal.handling.mode' | 'time.precision.mode' | 'binary.handling.mode' | 'interval.handling.mode' | 'hstore.handling.mode',
  ) => config[key].toLowerCase() as T;
  return {
    decimals: mode('decimal.handling.mode'),
    times: mode('time.precision.mode'),
    binary: mode('binary.handling.mode'),
    intervals: mode('interval.handling.mode'),
    hstore: mode('hstore.handling.mode'),
    moneyFractionDigits: config['money.fraction.digits'],
    placeholder: placeholderText(config['unavailable.value.placeholder']),
    includeUnknown: config['include.unknown.datatypes'],
    compatible: config['debezium.bug.compatible'],
  };
}

function skippedOperations(list: readonly string[]): ReadonlySet<string> {
  const operations = list.map((operation) => operation.trim().toLowerCase()).filter((operation) => operation !== '');
  const wrong = operations.find((operation) => !['c', 'u', 'd', 't', 'none'].includes(operation));
  if (wrong !== undefined) throw new ConfigError(`skipped.operations: "${wrong}" is none of c, u, d, t, none.`);
  return new Set(operations);
}

function originFilter(list: readonly string[] | null): NameFilter {
  const entries = (list ?? []).map((entry) => entry.trim()).filter((entry) => entry !== '');
  const starts = entries.filter((entry) => entry.endsWith('*')).map((entry) => entry.slice(0, -1));
  return (name) => entries.includes(name) || starts.some((start) => name.startsWith(start));
}

function prefixFilter(config: Config): NameFilter {
  const [include, exclude] = (['message.prefix.include.list', 'message.prefix.exclude.list'] as const).map((key) =>
    (config[key] ?? []).map((text) => pattern(key, text)),
  ) as [Pattern[], Pattern[]];
  return (prefix) => (include.length > 0 ? include.some((regex) => regex.test(prefix)) : !exclude.some((regex) => regex.test(prefix)));
}

/** Debezium's `hex:` before the bytes of it. */
const placeholderText = (given: string): string => (given.startsWith('hex:') ? Buffer.from(given.slice(4), 'hex').toString() : given);
