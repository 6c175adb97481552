/** Runs the connectors' tasks against a database, as the runtime would. */
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { RetriableError, noHeaders } from '@millrace/runtime/api';
import type { ConfigDef, PartitionOffset, RecordPlace, Schema, SinkRecord, SinkTask } from '@millrace/runtime/api';

import type { PostgresAddress } from '../../../test/services/postgres.ts';
import debezium from '../debezium.ts';
import confluent from '../index.ts';
import { readRaw } from '../raw-config.ts';

export type RawConfig = Readonly<Record<string, string>>;

let connectors = 0;

/** Of a connector of its own, unless `more` names one. */
export function rawConfig(database: PostgresAddress, more: RawConfig = {}): RawConfig {
  return {
    name: `sink_${++connectors}`,
    'connection.url': `jdbc:postgresql://${database.host}:${database.port}/${database.database}`,
    'connection.user': database.user,
    'connection.username': database.user,
    'connection.password': database.password,
    'retry.backoff.ms': '50',
    'flush.retry.delay.ms': '50',
    ...more,
  };
}

export interface Reported {
  readonly record: SinkRecord;
  readonly error: Error;
}

export interface Running extends AsyncDisposable {
  readonly task: SinkTask;
  readonly reported: Reported[];
  readonly logs: string[];
  readonly seeks: PartitionOffset[];
  readonly failures: Error[];
  /** Puts the records, and resolves when they are in the target. */
  write(...records: readonly SinkRecord[]): Promise<void>;
  /** What may be committed of these. */
  safe(...offsets: readonly PartitionOffset[]): Promise<readonly PartitionOffset[]>;
}

export interface RunOptions {
  readonly flavour?: 'confluent' | 'debezium';
  readonly task?: number;
  readonly topicIds?: Readonly<Record<string, string>>;
  /** Partitions and where they begin; by default partition 0 of topic t, at 0. */
  readonly open?: readonly PartitionOffset[];
  /** Bad records are tolerated by default. */
  readonly tolerate?: boolean;
}

export const at = (partition: number, offset: number | bigint, topic = 't'): PartitionOffset => ({
  topic,
  partition,
  offset: BigInt(offset),
});

export async function runSink(raw: RawConfig, options: RunOptions = {}): Promise<Running> {
  const { flavour = 'confluent', task: number = 0, topicIds = {}, open = [at(0, 0)], tolerate = true } = options;
  const [reported, logs, seeks, failures]: [Reported[], string[], PartitionOffset[], Error[]] = [[], [], [], []];
  const note = (level: string) => (message: string) => void logs.push(`${level}: ${message}`);
  const plugin = flavour === 'confluent' ? confluent : debezium;
  const start = plugin.start as (values: never, context: Parameters<typeof confluent.start>[1]) => Promise<SinkTask>;
  const task = await start(readRaw(plugin.config as ConfigDef, raw) as never, {
    connector: raw['name'] ?? 'sink',
    task: number,
    rawConfig: raw,
    signal: new AbortController().signal,
    log: { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') },
    fail: (error) => void failures.push(error),
    assignment: () => open,
    topicId: (topic) => topicIds[topic] ?? `id of ${topic}`,
    seek: (offsets) => void seeks.push(...offsets),
    pause: () => {},
    resume: () => {},
    requestCommit: () => {},
    overtaken: async () => {},
    async report(record, error) {
      if (!tolerate) throw error;
      reported.push({ record, error });
    },
  });
  await task.open?.(open);
  return {
    task,
    reported,
    logs,
    seeks,
    failures,
    async write(...records) {
      for (let from = 0; from < records.length; from += 500) await putAgain(task, records.slice(from, from + 500));
      await task.preCommit?.(open);
    },
    safe: async (...offsets) => (await task.preCommit?.(offsets)) ?? [],
    [Symbol.asyncDispose]: () => task[Symbol.asyncDispose](),
  };
}

/** As the runtime does with a RetriableError: the same records once more. */
async function putAgain(task: SinkTask, records: readonly SinkRecord[]): Promise<void> {
  for (;;) {
    try {
      return await task.put(records);
    } catch (error) {
      if (!(error instanceof RetriableError)) throw error;
      await sleep(20);
    }
  }
}

export interface RecordParts {
  readonly topic?: string;
  readonly partition?: number;
  readonly key?: unknown;
  readonly keySchema?: Schema | null;
  readonly valueSchema?: Schema | null;
  readonly headers?: SinkRecord['headers'];
  readonly originalTopic?: string;
  readonly resubmitted?: RecordPlace;
}

export function record(offset: number | bigint, value: unknown, parts: RecordParts = {}): SinkRecord {
  const schemaOf = (thing: unknown): Schema | null => (thing as { schema?: Schema } | null)?.schema ?? null;
  const { topic = 't', partition = 0, key = null, keySchema = schemaOf(key), valueSchema = schemaOf(value), headers = noHeaders } = parts;
  return {
    topic,
    partition,
    offset: BigInt(offset),
    key,
    keySchema,
    value,
    valueSchema,
    headers,
    timestamp: 1,
    timestampType: 'CreateTime',
    ...(parts.originalTopic === undefined ? {} : { originalTopic: parts.originalTopic }),
    ...(parts.resubmitted === undefined ? {} : { resubmitted: parts.resubmitted }),
  };
}

export async function sql<T extends pg.QueryResultRow>(database: PostgresAddress, ...statements: string[]): Promise<T[]> {
  const client = new pg.Client({ connectionString: database.url });
  client.on('error', () => {});
  await client.connect();
  try {
    let result: pg.QueryResult<T> | undefined;
    for (const statement of statements) result = await client.query<T>(statement);
    return result?.rows ?? [];
  } finally {
    await client.end();
  }
}

/** The rows as texts of their columns, for short assertions. */
export async function rows(database: PostgresAddress, query: string): Promise<string[]> {
  const found = await sql<{ line: string }>(database, `select row_to_json(q)::text as line from (${query}) q`);
  return found.map(({ line }) => line);
}
