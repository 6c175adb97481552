/** What signals, incremental snapshots and notifications go by. */
import { ConfigError } from '@millrace/runtime/api';

import type { Config } from './config.ts';

export interface TableRef {
  readonly schema: string;
  readonly table: string;
}

export interface SignalSettings {
  readonly table: TableRef | undefined;
  readonly channels: ReadonlySet<string>;
  readonly pollIntervalMs: number;
  readonly file: string;
  readonly topic: string;
  readonly group: string;
  /** Whether chunks are marked in the signal table. */
  readonly marks: boolean;
  readonly closeByDelete: boolean;
  readonly chunkSize: number;
}

export interface NotificationSettings {
  /** Undefined where the channel sink is not enabled. */
  readonly topic: string | undefined;
  readonly log: boolean;
}

const channels = ['source', 'kafka', 'file'];
const outlets = ['sink', 'log'];

/** Throws a ConfigError. */
export function signalSettings(config: Config): SignalSettings {
  const table = tableRef(config['signal.data.collection']);
  return {
    table,
    channels: new Set(names(config['signal.enabled.channels'])),
    pollIntervalMs: config['signal.poll.interval.ms'],
    file: config['signal.file'],
    topic: config['signal.kafka.topic'] ?? `${config['topic.prefix']}-signal`,
    group: config['signal.kafka.groupId'],
    marks: table !== undefined && !config['read.only'],
    closeByDelete: config['incremental.snapshot.watermarking.strategy'].toUpperCase() === 'INSERT_DELETE',
    chunkSize: config['incremental.snapshot.chunk.size'],
  };
}

/** Throws a ConfigError. */
export function notificationSettings(config: Config): NotificationSettings {
  const enabled = names(config['notification.enabled.channels']);
  const topic = config['notification.sink.topic.name'];
  if (enabled.includes('sink') && !topic) {
    throw new ConfigError('notification.sink.topic.name: must be set, since notification.enabled.channels has sink.');
  }
  return { topic: enabled.includes('sink') ? (topic ?? undefined) : undefined, log: enabled.includes('log') };
}

/** What is asked for and not there: Debezium's channels of the JVM, and unknown ones. */
export function channelWarnings(config: Config): string[] {
  const { table, channels: wanted } = signalSettings(config);
  const unknown = [...wanted]
    .filter((name) => !channels.includes(name))
    .map((name) => `signal.enabled.channels: there is no channel "${name}" here; ${channels.join(', ')} are there`);
  const mute = names(config['notification.enabled.channels'])
    .filter((name) => !outlets.includes(name))
    .map((name) => `notification.enabled.channels: there is no channel "${name}" here; ${outlets.join(', ')} are there`);
  const deaf =
    table !== undefined && !wanted.has('source')
      ? ['signal.data.collection is set, but signal.enabled.channels is without source: its rows are no signals']
      : [];
  return [...unknown, ...mute, ...deaf];
}

const names = (list: readonly string[]): string[] => list.map((name) => name.trim().toLowerCase()).filter((name) => name !== '');

/** `schema.table`, parts quoted or not; of more parts the last two. */
function tableRef(text: string | null): TableRef | undefined {
  if (text === null || text.trim() === '') return undefined;
  const parts = [...text.trim().matchAll(/"((?:[^"]|"")*)"|[^".]+/g)].map(([whole, quoted]) => quoted?.replaceAll('""', '"') ?? whole);
  const [schema, table] = parts.slice(-2);
  if (schema === undefined || table === undefined)
    throw new ConfigError(`signal.data.collection: "${text}" is not of the form schema.table.`);
  return { schema, table };
}

export const isTable = (ref: TableRef | undefined, schema: string, table: string): boolean =>
  ref !== undefined && ref.table === table && ref.schema === schema;
