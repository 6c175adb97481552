/** `millrace topic`: looks into either log, and changes nothing. */
import type { Writable } from 'node:stream';

import { Command, InvalidArgumentError, Option } from 'commander';

import type { Log } from '../ports/log.ts';
import type { LogSettings } from '../worker/open-log.ts';
import { logSettings, withLogChoice } from './log-choice.ts';
import type { LogChoice } from './log-choice.ts';
import { outputTo } from './output.ts';
import type { Output } from './output.ts';
import { recordFormats } from './record-text.ts';
import type { RecordFormat } from './record-text.ts';
import { describeTopic, listTopics } from './topic-list.ts';
import { readTopic } from './topic-read.ts';
import type { ReadOptions } from './topic-read.ts';

export interface TopicDeps {
  /** Read-only where the log can be. */
  readonly openLog: (settings: LogSettings) => Promise<Log>;
  readonly stdout: Writable;
  /** Aborted when `topic read` is to end. */
  readonly untilStopped: () => AbortSignal;
}

export function topicCommand(deps: TopicDeps): Command {
  const command = new Command('topic').description('look into the topics of a log: the embedded one, or Kafka’s');
  return command.addCommand(listCommand(deps)).addCommand(describeCommand(deps)).addCommand(readCommand(deps));
}

interface ListFlags extends LogChoice {
  readonly format: 'text' | 'json';
}

const formatOption = (): Option => new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text');

function listCommand(deps: TopicDeps): Command {
  return withLogChoice(new Command('list'))
    .description('the topics there are')
    .addOption(formatOption())
    .addHelpText(
      'after',
      examples('topic list --embedded ./millrace-data/log', 'topic list --worker config/worker.properties --format json'),
    )
    .action((flags: ListFlags) => withLog(deps, flags, (log, output) => listTopics(log, output, flags)));
}

function describeCommand(deps: TopicDeps): Command {
  return withLogChoice(new Command('describe'))
    .description('partitions, offsets and settings of a topic')
    .argument('<topic>')
    .addOption(formatOption())
    .addHelpText('after', examples('topic describe orders --brokers localhost:9092'))
    .action((topic: string, flags: ListFlags) => withLog(deps, flags, (log, output) => describeTopic(log, topic, output, flags)));
}

interface ReadFlags extends LogChoice {
  readonly follow: boolean;
  readonly fromBeginning?: boolean;
  readonly fromEnd?: boolean;
  readonly offset?: bigint;
  readonly partition?: readonly number[];
  readonly max?: number;
  readonly format: RecordFormat;
  readonly isolation: 'read_committed' | 'read_uncommitted';
}

function readCommand(deps: TopicDeps): Command {
  return withLogChoice(new Command('read'))
    .description('the records of a topic, one line each; up to its end, unless --follow')
    .argument('<topic>')
    .option('-f, --follow', 'go on with what comes', false)
    .addOption(
      new Option('--from-beginning', 'begin with the first record (so it does unless told otherwise)').conflicts(['fromEnd', 'offset']),
    )
    .addOption(new Option('--from-end', 'begin with the next record to come').conflicts(['offset']))
    .addOption(new Option('--offset <n>', 'begin at this offset; -n begins n before the end of each partition').argParser(offsetOf))
    .addOption(new Option('--partition <list>', 'only these, as 0,3').argParser(numbersOf))
    .addOption(new Option('-n, --max <n>', 'stop after n records').argParser(countOf))
    .addOption(
      new Option('--format <format>', 'json: a line with everything; value; key-value: with a tab between')
        .choices(recordFormats)
        .default('json'),
    )
    .addOption(
      new Option('--isolation <level>', 'with read_uncommitted, also records of open and aborted transactions')
        .choices(['read_committed', 'read_uncommitted'])
        .default('read_committed'),
    )
    .addHelpText(
      'after',
      `${examples('topic read shop.public.orders --embedded ./millrace-data/log --max 10', 'topic read orders --brokers localhost:9092 --follow --from-end', 'topic read orders --worker worker.properties --partition 0 --offset -5 --format value')}
A line of json holds topic, partition, offset, timestamp, key, value and, where there are some, headers. Keys and
values that are JSON stand there as they are; other text as a string; other bytes as {"base64": "…"}.
`,
    )
    .action((topic: string, flags: ReadFlags) =>
      withLog(deps, flags, async (log, output) => {
        const { follow, format, isolation, partition, max } = flags;
        const from: ReadOptions['from'] = flags.offset ?? (flags.fromEnd ? 'end' : 'beginning');
        const options: ReadOptions = {
          follow,
          format,
          isolation,
          from,
          ...(partition && { partitions: partition }),
          ...(max !== undefined && { max }),
        };
        await readTopic(log, topic, output, options, deps.untilStopped());
      }),
    );
}

async function withLog(deps: TopicDeps, choice: LogChoice, work: (log: Log, output: Output) => Promise<void>): Promise<void> {
  const settings = await logSettings(choice);
  await using log = await deps.openLog(settings);
  await work(log, outputTo(deps.stdout));
}

export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  millrace ${line}\n`).join('')}`;
}

function offsetOf(text: string): bigint {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return BigInt(text);
}

function countOf(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function numbersOf(text: string): readonly number[] {
  return text.split(',').map((part) => countOf(part.trim()));
}
