/** What end-to-end tests ask of a worker and its files, and wait for. */
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ConnectorStatus, MillraceServer } from '../services/millrace.ts';

/** Asks again and again; an error counts as no. Throws with `what` and the last answer after a minute. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  const deadline = Date.now() + 60_000;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`gave up waiting for: ${what}`, { cause: last });
    await sleep(50);
  }
}

type TaskStatus = ConnectorStatus['tasks'][number];

/** The status of the connector's first task once it is as wanted. */
export async function taskStatus(worker: MillraceServer, name: string, wanted: (task: TaskStatus) => boolean): Promise<TaskStatus> {
  let last: unknown;
  try {
    return await eventually(`the task of ${name}`, async () => {
      const { tasks } = await worker.status(name);
      last = tasks[0];
      return tasks[0] !== undefined && wanted(tasks[0]) && tasks[0];
    });
  } catch (cause) {
    throw new Error(`the task of ${name} is ${JSON.stringify(last)}\n${worker.logTail()}`, { cause });
  }
}

export const isRunning = ({ state, trace }: TaskStatus): boolean => state === 'RUNNING' && trace === undefined;

export function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
}

export async function untilLines(file: string, wanted: (lines: readonly string[]) => boolean): Promise<string[]> {
  return eventually(`lines in ${file}`, () => {
    const lines = linesOf(file);
    return wanted(lines) && lines;
  });
}

/** Waits until the sink's offset of its one partition is committed. */
export async function untilCommitted(worker: MillraceServer, sink: string, offset: number): Promise<void> {
  await eventually(`offset ${offset} of ${sink}`, async () => {
    const { offsets } = (await worker.request('GET', `/connectors/${sink}/offsets`)) as { offsets: { offset: { kafka_offset: number } }[] };
    return offsets.length === 1 && offsets[0]?.offset.kafka_offset === offset;
  });
}

export interface FileFlow {
  readonly topic: string;
  readonly target: string;
  /** Writes a line at the source's end, and resolves when it has come out at the sink's. */
  passes(line: string): Promise<void>;
  /** Everything that was written so far, in order. */
  readonly written: readonly string[];
}

/** A file source and a file sink, with a topic between them. */
export async function startFileFlow(worker: MillraceServer, name: string, extra: Readonly<Record<string, string>> = {}): Promise<FileFlow> {
  const source = join(worker.folder, `${name}-in.txt`);
  const target = join(worker.folder, `${name}-out.txt`);
  const topic = `${name}-lines`;
  const written: string[] = [];
  appendFileSync(source, '');
  await worker.put(`${name}-source`, { 'connector.class': 'FileStreamSource', file: source, topic, ...extra });
  await worker.put(`${name}-sink`, { 'connector.class': 'FileStreamSink', file: target, topics: topic, ...extra });
  return {
    topic,
    target,
    written,
    async passes(line) {
      appendFileSync(source, `${line}\n`);
      written.push(line);
      await untilLines(target, (lines) => lines.includes(line));
    },
  };
}

/** Names of the worker's threads, as far as the system tells: 15 characters of them. */
export function threadNames(pid: number): string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync(`/proc/${pid}/task`).flatMap((id) => {
    try {
      return [readFileSync(`/proc/${pid}/task/${id}/comm`, 'utf8').trim()];
    } catch {
      return []; // it has just ended
    }
  });
}

/** A figure of Connect's, by the end of its Prometheus name; of the worker where no connector is named. */
export async function metric(worker: MillraceServer, name: string, connector?: string, task = 0): Promise<number | undefined> {
  const text = await (await fetch(`${worker.url}/metrics`)).text();
  const labels = connector === undefined ? '' : `{connector="${connector}",task="${task}"}`;
  const line = text.split('\n').find((each) => each.startsWith(`kafka_connect_${name}${labels} `));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ')));
}
