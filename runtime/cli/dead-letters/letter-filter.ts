/** Which letters a command means. */
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';

import { ConfigError } from '../../api/index.ts';

const states = ['new', 'failed', 'superseded', 'discarded', 'resubmitted', 'overtaken'];

export interface FilterFlags {
  readonly partition?: string;
  readonly fromOffset?: string;
  readonly toOffset?: string;
  readonly stage?: string;
  readonly exception?: string;
  readonly message?: string;
  readonly topic?: string;
  readonly originPartition?: string;
  readonly key?: string;
  readonly since?: string;
  readonly until?: string;
  readonly state?: string;
}

const filterNames = [
  ...(['partition', 'fromOffset', 'toOffset', 'stage', 'exception', 'message', 'topic', 'originPartition'] as const),
  ...(['key', 'since', 'until', 'state'] as const),
];

export function withFilter(command: Command): Command {
  return command
    .addOption(new Option('--state <list>', `of these states: ${states.join(', ')}`).argParser(statesOf))
    .option('--stage <stage>', 'that failed at this stage, such as VALUE_CONVERTER')
    .option('--exception <text>', 'whose exception’s class has this in its name')
    .option('--message <text>', 'whose exception’s message has this in it')
    .option('--topic <topic>', 'that came from this topic')
    .option('--origin-partition <n>', 'that came from this partition of it')
    .option('--key <key>', 'with this key')
    .option('--since <time>', 'of records from this time on, such as 2026-01-31T12:00:00Z')
    .option('--until <time>', 'of records before this time')
    .option('--partition <n>', 'in this partition of the dead-letter topic')
    .option('--from-offset <n>', 'from this offset of it on')
    .option('--to-offset <n>', 'up to this offset of it');
}

export function filterOf(flags: FilterFlags): Record<string, string> {
  return Object.fromEntries(filterNames.flatMap((name) => (flags[name] === undefined ? [] : [[name, flags[name]]])));
}

export interface Place {
  readonly partition: number;
  readonly offset: number;
}

export function placesOf(texts: readonly string[]): Place[] {
  return texts.map((text) => {
    const [, partition, offset] = /^(\d+):(\d+)$/.exec(text) ?? [];
    if (partition === undefined || offset === undefined) {
      throw new ConfigError(`"${text}" is no letter: write PARTITION:OFFSET, as \`dead-letters list\` shows them, such as 0:17.`);
    }
    return { partition: Number(partition), offset: Number(offset) };
  });
}

function statesOf(text: string): string {
  const unknown = text.split(',').find((each) => !states.includes(each.trim().toLowerCase()));
  if (unknown !== undefined) throw new InvalidArgumentError(`"${unknown}" is none of ${states.join(', ')}.`);
  return text;
}
