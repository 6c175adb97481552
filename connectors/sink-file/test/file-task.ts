/** A task of the sink, started as the runtime does it, and records for it. */
import { noHeaders } from '@millrace/runtime/api';
import type { RawConfig, Schema, SinkRecord, SinkTask, SinkTaskContext } from '@millrace/runtime/api';
import { config } from '../config.ts';
import type { FileSinkConfig } from '../config.ts';
import plugin from '../index.ts';

export interface Told {
  readonly level: 'info' | 'warn';
  readonly message: string;
}

export interface Surroundings {
  readonly raw?: RawConfig;
  /** By topic; others have the id of their name. */
  readonly topicIds?: Readonly<Record<string, string>>;
  readonly told?: Told[];
  readonly fail?: (error: Error) => void;
}

export const defaults = Object.fromEntries(
  Object.entries(config).map(([key, { default: value }]) => [key, value]),
) as unknown as FileSinkConfig;

export function startTask(
  values: Partial<FileSinkConfig>,
  { raw = {}, topicIds = {}, told = [], fail }: Surroundings = {},
): Promise<SinkTask> {
  const context = {
    connector: 'files',
    task: 0,
    rawConfig: raw,
    signal: new AbortController().signal,
    topicId: (topic: string) => topicIds[topic] ?? topic,
    fail: fail ?? ((error: Error) => console.error(error)),
    log: {
      debug() {},
      info: (message: string) => void told.push({ level: 'info', message }),
      warn: (message: string) => void told.push({ level: 'warn', message }),
      error: console.error,
    },
  };
  return plugin.start({ ...defaults, ...values }, context as unknown as SinkTaskContext);
}

export interface TaskAt extends AsyncDisposable {
  readonly task: SinkTask;
  /** Puts lines of these offsets, `line 5` for 5, as records of partition 0 of topic `t`. */
  put(from: number, to: number): Promise<void>;
  /** Gives the offset to commit. */
  commit(next: number): Promise<number>;
}

/** With partition 0 of topic `t` opened where the group stands. */
export async function startAt(offset: number, values: Partial<FileSinkConfig>, surroundings: Surroundings = {}): Promise<TaskAt> {
  const task = await startTask(values, surroundings);
  const place = { topic: 't', partition: 0 };
  await task.open?.([{ ...place, offset: BigInt(offset) }]);
  return {
    task,
    put: (from, to) => task.put(Array.from({ length: to - from }, (_, i) => record(`line ${from + i}`, { offset: from + i }))),
    async commit(next) {
      const [given] = (await task.preCommit?.([{ ...place, offset: BigInt(next) }])) ?? [];
      return Number(given?.offset);
    },
    [Symbol.asyncDispose]: () => task[Symbol.asyncDispose](),
  };
}

export const linesUpTo = (to: number, from = 0): string => Array.from({ length: to - from }, (_, i) => `line ${from + i}\n`).join('');

interface RecordPlace {
  readonly offset?: number;
  readonly topic?: string;
  readonly partition?: number;
  readonly valueSchema?: Schema | null;
}

export function record(value: unknown, { offset = 0, topic = 't', partition = 0, valueSchema = null }: RecordPlace = {}): SinkRecord {
  return {
    topic,
    partition,
    keySchema: null,
    key: null,
    valueSchema,
    value,
    timestamp: 1,
    headers: noHeaders,
    offset: BigInt(offset),
    timestampType: 'CreateTime',
  };
}
