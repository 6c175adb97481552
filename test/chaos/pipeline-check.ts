/** Waits until a pipeline has caught up with what was done, and says what is wrong then. */
import { setTimeout as sleep } from 'node:timers/promises';

import { checkChanges, checkPresence } from './change-check.ts';
import type { CheckOptions, CheckReport, FileReport, History } from './change-check.ts';
import { changesOf } from './change.ts';
import type { ArrivedChange } from './change.ts';
import type { ChaosPipeline } from './chaos-pipeline.ts';

const quietMs = 2_000;

export interface Outcome {
  readonly expected: number;
  readonly topic: CheckReport;
  readonly file: FileReport & { readonly torn: number };
  readonly changes: readonly ArrivedChange[];
  /** From the end of the load until nothing more came, and how often it was looked at. */
  readonly settledMs: number;
  readonly looks: number;
}

/**
 * Resolves when everything has arrived, in the topic and in the file, or after `timeoutMs`: the outcome tells.
 * It looks whenever nothing came for a while, so that it sees what comes too often as well.
 */
export async function settle(pipeline: ChaosPipeline, history: History, options: CheckOptions = {}, timeoutMs = 180_000): Promise<Outcome> {
  const begin = Date.now();
  const deadline = begin + timeoutMs;
  for (let looks = 1; ; looks++) {
    await quiet(pipeline, deadline);
    const settledMs = Date.now() - begin;
    const outcome = await look(pipeline, history, options);
    if (outcome.topic.problems.length + outcome.file.problems.length === 0 || Date.now() > deadline)
      return { ...outcome, settledMs, looks };
  }
}

async function quiet({ reader, topic, fileBytes }: ChaosPipeline, deadline: number): Promise<void> {
  let before = '';
  for (let since = Date.now(); Date.now() - since < quietMs && Date.now() < deadline; await sleep(200)) {
    const now = `${await reader.count(topic)} ${fileBytes()}`;
    if (now !== before) since = Date.now();
    before = now;
  }
}

async function look(
  { reader, topic, readFile }: ChaosPipeline,
  history: History,
  options: CheckOptions,
): Promise<Omit<Outcome, 'settledMs' | 'looks'>> {
  const changes = changesOf(await reader.read(topic));
  const inTopic = checkChanges(changes, history, options);
  const { changes: inFile, tombstones, torn } = readFile();
  const whole = options.snapshot === true ? changes : [...history.values()].flat();
  const expected = whole.filter(({ operation }) => operation !== 'tombstone');
  const file = checkPresence(inFile, expected);
  const missing = whole.length - expected.length - tombstones;
  const problems = missing > 0 ? [...file.problems, `${missing} tombstones are lost`] : file.problems;
  return { expected: whole.length, topic: inTopic, file: { ...file, problems, torn }, changes };
}

/** The figures, as a line for people. */
export function summary({ expected, topic, file, settledMs, looks }: Outcome): string {
  const inTopic = `topic: ${topic.arrived} records, ${topic.repeats} repeats in ${topic.rewinds} steps back`;
  return `${expected} changes; ${inTopic}; file: ${file.lines} lines, ${file.doubles} doubles, ${file.torn} torn; quiet ${settledMs} ms after the load, at look ${looks}`;
}
