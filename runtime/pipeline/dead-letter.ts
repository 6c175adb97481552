/**
 * What becomes of a record that is skipped: its key, value, headers and timestamp as they were, and, where that is
 * wanted, headers that say where it stood and why it failed.
 * Source: org.apache.kafka.connect.runtime.errors.DeadLetterQueueReporter.
 */
import { ConfigError, ConnectError, DataError, RetriableError } from '../api/index.ts';
import type { RawConfig, TopicPartition } from '../api/index.ts';
import type { RawHeader } from '../batch/record-reader.ts';
import type { StageError } from './stage-error.ts';

export interface DeadLetterSettings {
  readonly topic: string;
  /** Of the topic, where it has to be made; -1: the log's default. */
  readonly replicationFactor: number;
  readonly contextHeaders: boolean;
  readonly connector: string;
  readonly task: number;
}

export interface DeadLetter {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RawHeader[];
  /** Milliseconds since 1970. */
  readonly timestamp: number;
}

/** Where a record stood: in the topic that a sink read, or on its way to the one that a source writes (offset -1). */
export interface LetterPlace extends TopicPartition {
  readonly offset: bigint;
}

/** Undefined where there is to be no dead-letter queue. */
export function deadLetterSettings(config: RawConfig, connector: string, task: number): DeadLetterSettings | undefined {
  const topic = config['errors.deadletterqueue.topic.name']?.trim() ?? '';
  if (topic === '' || config['errors.tolerance']?.trim().toLowerCase() !== 'all') return undefined;
  return {
    topic,
    replicationFactor: Number(config['errors.deadletterqueue.topic.replication.factor']?.trim() ?? 3),
    contextHeaders: config['errors.deadletterqueue.context.headers.enable']?.trim().toLowerCase() === 'true',
    connector,
    task,
  };
}

const prefix = '__connect.errors.';

/** The headers that say what happened. One that the record has already (it was a dead letter before) stays as it is. */
export function withContext(
  headers: readonly RawHeader[],
  { connector, task }: DeadLetterSettings,
  { topic, partition, offset }: LetterPlace,
  failure: StageError,
): readonly RawHeader[] {
  const error = failure.cause;
  const context: [string, string][] = [
    ['topic', topic],
    ['partition', String(partition)],
    ['offset', String(offset)],
    ['connector.name', connector],
    ['task.id', String(task)],
    ['stage', failure.stage],
    ['class.name', failure.executing],
    ['exception.class.name', jvmName(error)],
    ['exception.message', failure.message],
    ['exception.stacktrace', stackOf(error)],
  ];
  const present = new Set(headers.map(({ key }) => key));
  const added = context.filter(([key]) => !present.has(prefix + key));
  return [...headers, ...added.map(([key, value]) => ({ key: prefix + key, value: Buffer.from(value) }))];
}

const longestBytes: Readonly<Record<string, number>> = { 'exception.message': 1000, 'exception.stacktrace': 2000 };

/** The same letter with the ends of its long headers cut off: for a record that is nearly as large as the log takes. */
export function shortened(letter: DeadLetter): DeadLetter {
  const headers = letter.headers.map(({ key, value }) => {
    const longest = key.startsWith(prefix) ? longestBytes[key.slice(prefix.length)] : undefined;
    return { key, value: longest === undefined || value === null ? value : value.subarray(0, longest) };
  });
  return { ...letter, headers };
}

/** Connect's name of the kind of error, for programs that sort dead letters by it; our own name for any other. */
function jvmName(error: unknown): string {
  if (error instanceof DataError) return 'org.apache.kafka.connect.errors.DataException';
  if (error instanceof RetriableError) return 'org.apache.kafka.connect.errors.RetriableException';
  if (error instanceof ConfigError) return 'org.apache.kafka.common.config.ConfigException';
  if (error instanceof ConnectError) return 'org.apache.kafka.connect.errors.ConnectException';
  return error instanceof Error ? error.name : typeof error;
}

const causesShown = 8;

function stackOf(error: unknown, depth = 0): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause === undefined || depth === causesShown ? own : `${own}\nCaused by: ${stackOf(error.cause, depth + 1)}`;
}
