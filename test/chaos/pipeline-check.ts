/** Waits until a pipeline has caught up with what was done, and says what is wrong then. */
import { checkChanges, checkPresence } from './change-check.ts';
import type { CheckOptions, CheckReport, FileReport, History } from './change-check.ts';
import { changesOf } from './change.ts';
import type { ArrivedChange } from './change.ts';
import { until } from './chaos-pipeline.ts';
import type { ChaosPipeline } from './chaos-pipeline.ts';

export interface Outcome {
  readonly expected: number;
  readonly topic: CheckReport;
  readonly file: FileReport & { readonly torn: number };
  readonly changes: readonly ArrivedChange[];
}

/**
 * Resolves when everything has arrived, in the topic and in the file, or after `timeoutMs`: the outcome tells.
 * Once it looks complete it is looked at again, for what may still come.
 */
export async function settle(pipeline: ChaosPipeline, history: History, options: CheckOptions = {}, timeoutMs = 180_000): Promise<Outcome> {
  let found: Outcome | undefined;
  await until(
    'all changes have arrived',
    async () => (found = await look(pipeline, history, options)).file.problems.length + found.topic.problems.length === 0,
    timeoutMs,
    1_000,
  ).catch(() => undefined);
  const before = found?.topic.arrived ?? 0;
  await until('nothing more comes', async () => (await pipeline.reader.count(pipeline.topic)) === before, 5_000).catch(() => undefined);
  return look(pipeline, history, options);
}

async function look({ reader, topic, readFile }: ChaosPipeline, history: History, options: CheckOptions): Promise<Outcome> {
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
export function summary({ expected, topic, file }: Outcome): string {
  const inTopic = `topic: ${topic.arrived} records, ${topic.repeats} repeats in ${topic.rewinds} steps back`;
  return `${expected} changes; ${inTopic}; file: ${file.lines} lines, ${file.doubles} doubles, ${file.torn} torn`;
}
