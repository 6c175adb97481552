/** Runs the connector's task against a database, and collects what it hands over. */
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { Secret } from '@millrace/runtime/api';
import type { ConfigKey, OffsetMap, SourcePosition, SourceRecord, SourceTask, SourceTaskContext, Struct } from '@millrace/runtime/api';

import type { PostgresAddress } from '../../../test/services/postgres.ts';
import { config as configDef } from '../config/config.ts';
import type { Config } from '../config/config.ts';
import source from '../index.ts';

export type RawConfig = Readonly<Record<string, string>>;

/** Raw config into values, as the runtime does it, but without its checks. */
export function configValues(raw: RawConfig): Config {
  const entries = Object.entries<ConfigKey>(configDef).map(([key, def]) => {
    const text = raw[key];
    return [key, text === undefined ? (def.default ?? null) : valueOf(def, text)];
  });
  return Object.fromEntries(entries) as Config;
}

function valueOf({ type }: ConfigKey, text: string): unknown {
  switch (type) {
    case 'boolean':
      return text === 'true';
    case 'int':
    case 'short':
    case 'long':
    case 'double':
      return Number(text);
    case 'list':
      return text === '' ? [] : text.split(',').map((item) => item.trim());
    case 'password':
      return new Secret(text);
    default:
      return text;
  }
}

export function rawConfig(database: PostgresAddress, more: RawConfig = {}): RawConfig {
  return {
    'topic.prefix': 'shop',
    'database.hostname': database.host,
    'database.port': String(database.port),
    'database.user': database.user,
    'database.password': database.password,
    'database.dbname': database.database,
    'plugin.name': 'pgoutput',
    // Slots belong to the whole server: tests share one.
    'slot.name': `slot_${database.database}`,
    'publication.name': 'pub',
    'publication.autocreate.mode': 'filtered',
    'poll.interval.ms': '50',
    'slot.retry.delay.ms': '200',
    'retriable.restart.connector.wait.ms': '1000',
    ...more,
  };
}

export interface Running extends AsyncDisposable {
  readonly task: SourceTask;
  readonly records: SourceRecord[];
  readonly logs: string[];
  readonly figures: ReadonlyMap<string, number>;
  /** Polls until the records satisfy the condition; rejects after so long. */
  until(condition: (records: readonly SourceRecord[]) => boolean, withinMs?: number): Promise<SourceRecord[]>;
  /** Polls until there are so many records. */
  count(records: number, withinMs?: number): Promise<SourceRecord[]>;
  /** Tells the task that everything polled so far is stored. */
  commit(): void;
  /** What the task said of its state. */
  readonly notes: (string | undefined)[];
  /** The last position that came without a record. */
  readonly position: () => OffsetMap | undefined;
}

export interface RunOptions {
  readonly offset?: OffsetMap | undefined;
  readonly context?: Partial<SourceTaskContext>;
}

export async function runTask(raw: RawConfig, { offset, context = {} }: RunOptions = {}): Promise<Running> {
  const logs: string[] = [];
  const notes: (string | undefined)[] = [];
  const figures = new Map<string, number>();
  let moved: SourcePosition | undefined;
  const note = (level: string) => (message: string) => void logs.push(`${level}: ${message}`);
  const stop = new AbortController();
  const task = await source.start(configValues(raw), {
    connector: 'test',
    task: 0,
    rawConfig: raw,
    signal: stop.signal,
    log: { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') },
    fail: (error) => logs.push(`failed: ${error.message}`),
    note: (text) => void notes.push(text),
    setFigure: (name, value, labels) => void figures.set(labels?.['status'] ? `${name}{${labels['status']}}` : name, value),
    offsets: async () => [offset],
    ...context,
  });
  const records: SourceRecord[] = [];
  const running: Running = {
    task,
    records,
    logs,
    notes,
    figures,
    position: () => moved?.offset,
    async until(condition, withinMs = 20_000) {
      const deadline = Date.now() + withinMs;
      while (!condition(records)) {
        if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms, have ${records.length} records; log:\n${logs.join('\n')}`);
        const polled = await task.poll(stop.signal);
        records.push(...polled);
        if (polled.length > 0) moved = undefined;
        moved = task.position?.() ?? moved;
      }
      return records;
    },
    count: (wanted, withinMs) => running.until(() => records.length >= wanted, withinMs),
    commit() {
      const last = records.at(-1);
      if (last !== undefined) void task.committed?.([{ partition: last.sourcePartition, offset: last.sourceOffset }]);
      if (moved !== undefined) void task.committed?.([moved]);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await task[Symbol.asyncDispose]();
    },
  };
  return running;
}

export async function sql(database: PostgresAddress, ...statements: string[]): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: database.url });
  client.on('error', () => {});
  await client.connect();
  try {
    let result: pg.QueryResult | undefined;
    for (const statement of statements) result = await client.query(statement);
    return result as pg.QueryResult;
  } finally {
    await client.end();
  }
}

export const field = (record: SourceRecord, ...path: string[]): unknown =>
  path.reduce<unknown>((value, name) => (value as Struct | null)?.get(name) ?? null, record.value);

/** A field of the key, or undefined where the key has none of that name. */
export const keyField = (record: SourceRecord, name: string): unknown => {
  const key = record.key as Struct | null;
  return key?.schema.fields.some((one) => one.name === name) ? key.get(name) : undefined;
};

export async function waitFor(condition: () => boolean | Promise<boolean>, what: string, withinMs = 20_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms for ${what}`);
    await sleep(20);
  }
}
