/** What the tests put into a task, and a context that records what the task does. */
import { noHeaders } from '@millrace/runtime/api';
import type { Logger, RawConfig, SinkRecord, SinkTask, SinkTaskContext } from '@millrace/runtime/api';

import { parseConfig } from '../../../runtime/plugins/config-validation.ts';
import type { Config } from '../config.ts';
import plugin from '../index.ts';

export function record(offset: number, fields: Partial<SinkRecord> = {}): SinkRecord {
  return {
    topic: 't',
    partition: 0,
    keySchema: null,
    key: `k${offset}`,
    valueSchema: null,
    value: { n: offset },
    timestamp: 1_700_000_000_000,
    headers: noHeaders,
    offset: BigInt(offset),
    timestampType: 'CreateTime',
    ...fields,
  };
}

export function valuesOf(raw: RawConfig): Config {
  const { values, problems } = parseConfig(plugin.config, { 'connection.url': 'http://127.0.0.1:1', ...raw });
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('; '));
  return values as unknown as Config;
}

export interface StartedTask extends SinkTask {
  readonly figures: Record<string, number>;
  readonly reported: { readonly record: SinkRecord; readonly error: Error }[];
  /** Offsets where resubmitted records stood first, and what stands in their place. */
  readonly overtaken: string[];
  readonly lines: string[];
  readonly failed: Promise<Error>;
  readonly stop: AbortController;
  /** Puts all in batches of 500, again and again where it is told to, and commits until all of it is written. */
  write(records: readonly SinkRecord[]): Promise<void>;
}

export interface TaskOptions {
  readonly topicId?: (topic: string) => string;
  /** Refuses what is reported, as `errors.tolerance=none` does. */
  readonly intolerant?: boolean;
}

export async function startTask(raw: RawConfig, options: TaskOptions = {}): Promise<StartedTask> {
  const figures: Record<string, number> = {};
  const reported: StartedTask['reported'] = [];
  const overtaken: string[] = [];
  const lines: string[] = [];
  const failed = Promise.withResolvers<Error>();
  const stop = new AbortController();
  const line = (message: string): void => void lines.push(message);
  const log: Logger = { debug() {}, info: line, warn: line, error: line };
  const topics = raw['topics']?.split(',') ?? ['t'];
  const context: SinkTaskContext = {
    connector: 'c',
    task: 0,
    rawConfig: raw,
    signal: stop.signal,
    log,
    fail: failed.resolve,
    setFigure: (name, value) => {
      figures[name] = value;
    },
    assignment: () => topics.map((topic) => ({ topic, partition: 0 })),
    topicId: options.topicId ?? ((topic) => `id-of-${topic}`),
    seek() {},
    pause() {},
    resume() {},
    requestCommit() {},
    overtaken: async (late, reason) => void overtaken.push(`${late.resubmitted?.offset}: ${reason}`),
    async report(bad, error) {
      reported.push({ record: bad, error });
      if (options.intolerant === true) throw error;
    },
  };
  const task = await plugin.start(valuesOf(raw), context);
  async function write(records: readonly SinkRecord[]): Promise<void> {
    for (let at = 0; at < records.length; at += 500) {
      for (;;) {
        try {
          await task.put(records.slice(at, at + 500));
          break;
        } catch (error) {
          if ((error as Error).name !== 'RetriableError') throw error;
        }
      }
    }
    const last = records.at(-1);
    if (last === undefined) return;
    const wanted = { topic: last.topic, partition: last.partition, offset: last.offset + 1n };
    while ((await task.preCommit?.([wanted]))?.[0]?.offset !== wanted.offset);
  }
  return { ...task, figures, reported, overtaken, lines, failed: failed.promise, stop, write };
}
