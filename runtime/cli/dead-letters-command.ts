/** `millrace dead-letters`: looks into a connector's dead letters, and resubmits or discards them, by a worker's REST API. */
import type { Writable } from 'node:stream';

import { Command, InvalidArgumentError, Option } from 'commander';

import { ConfigError, ConnectError } from '../api/index.ts';
import { createConnectClient } from './apply/connect-client.ts';
import type { ConnectClient } from './apply/connect-client.ts';
import { editOf, withEdit } from './dead-letters/letter-edit.ts';
import type { EditFlags } from './dead-letters/letter-edit.ts';
import { filterOf, placesOf, withFilter } from './dead-letters/letter-filter.ts';
import type { FilterFlags } from './dead-letters/letter-filter.ts';
import { letterLine, letterText, reportLine } from './dead-letters/letter-text.ts';
import type { ShownLetter, ShownOutcome } from './dead-letters/letter-text.ts';
import { outputTo } from './output.ts';
import type { Output } from './output.ts';
import { credentialsOf, withCredentials, withTimeout, withUrl } from './server-choice.ts';
import type { ServerChoice } from './server-choice.ts';
import { examples } from './topic-command.ts';

export interface DeadLettersDeps {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends the command line with this code, without a message. */
  readonly exitWith: (code: number) => void;
}

/** Letters were left as they are, since only --force would do. */
const heldBack = 3;
const pageLimit = 1_000;
const batchLimit = 10_000;
/** Of letters that are named, in one request. */
const namedLimit = 1_000;

interface Flags extends ServerChoice {
  readonly format: 'text' | 'json';
}

interface SelectionFlags extends Flags, FilterFlags {
  readonly all: boolean;
  readonly dryRun: boolean;
}

interface Report {
  readonly letters: readonly ShownOutcome[];
  readonly dryRun: boolean;
  readonly next: string | null;
}

export function deadLettersCommand(deps: DeadLettersDeps): Command {
  const command = new Command('dead-letters').description('list, look into, resubmit and discard the dead letters of a connector');
  return command
    .addCommand(listCommand(deps))
    .addCommand(showCommand(deps))
    .addCommand(resubmitCommand(deps))
    .addCommand(discardCommand(deps));
}

const onServer = (command: Command): Command =>
  withCredentials(withTimeout(withUrl(command), 3_600_000, '1h')).addOption(
    new Option('--format <format>', 'how to print; json: a line for each letter').choices(['text', 'json']).default('text'),
  );

function listCommand(deps: DeadLettersDeps): Command {
  return onServer(withFilter(new Command('list').description('the letters, one line each').argument('<connector>')))
    .addOption(new Option('-n, --limit <n>', 'at most so many').default(100).argParser(countOf))
    .option('--check', 'look whether new ones are superseded, which reads the topics that they came from', false)
    .addHelpText(
      'after',
      examples('dead-letters list orders-sink --state new --stage VALUE_CONVERTER', 'dead-letters list orders-sink --format json'),
    )
    .action(async (connector: string, flags: Flags & FilterFlags & { readonly limit: number; readonly check: boolean }) => {
      const { client, output } = await opened(flags, deps);
      let left = flags.limit;
      for (let after: string | null = ''; after !== null && left > 0 && !output.closed.aborted;) {
        const query = new URLSearchParams({ ...filterOf(flags), limit: String(Math.min(left, pageLimit)), check: String(flags.check) });
        if (after !== '') query.set('after', after);
        const page = (await client.request('GET', `${pathOf(connector)}?${query}`)) as { letters: ShownLetter[]; next: string | null };
        for (const letter of page.letters) await output.write(flags.format === 'json' ? jsonLine(letter) : letterLine(letter));
        left -= page.letters.length;
        after = page.next;
      }
    });
}

function showCommand(deps: DeadLettersDeps): Command {
  return onServer(
    new Command('show').description('everything of one letter').argument('<connector>').argument('<letter>', 'PARTITION:OFFSET'),
  )
    .addHelpText('after', examples('dead-letters show orders-sink 0:17'))
    .action(async (connector: string, text: string, flags: Flags) => {
      const { client, output } = await opened(flags, deps);
      const [{ partition, offset }] = placesOf([text]) as [{ partition: number; offset: number }];
      const letter = (await client.request('GET', `${pathOf(connector)}/${partition}/${offset}`)) as ShownLetter;
      await output.write(flags.format === 'json' ? jsonLine(letter) : letterText(letter));
    });
}

const withSelection = (command: Command): Command =>
  onServer(withFilter(command.argument('<connector>').argument('[letters...]', 'PARTITION:OFFSET; or choose them by options')))
    .option('--all', 'all that nothing became of yet', false)
    .option('--dry-run', 'only say what would become of them', false);

const codes = `
Exit codes: 0 done, 1 a letter failed, or the request did, 2 something is wrong with the command, 3 letters were left as they
are, since a later record of their key has overtaken them, or it cannot be known whether one has: --force resubmits them.
`;

function resubmitCommand(deps: DeadLettersDeps): Command {
  return withEdit(withSelection(new Command('resubmit').description('put letters back, each once at most')))
    .addOption(
      new Option('--to <target>', 'topic: where they came from; sink: straight to this connector alone')
        .choices(['topic', 'sink'])
        .default('topic'),
    )
    .option('--force', 'superseded, discarded and overtaken ones too', false)
    .addHelpText(
      'after',
      `${examples('dead-letters resubmit orders-sink --all --dry-run', 'dead-letters resubmit orders-sink --stage TASK_PUT --to sink', 'dead-letters resubmit orders-sink 0:17 --new-value-file fixed.json')}${codes}`,
    )
    .action(
      async (
        connector: string,
        letters: string[],
        flags: SelectionFlags & EditFlags & { readonly to: string; readonly force: boolean },
      ) => {
        const edit = await editOf(flags);
        if (edit !== undefined && letters.length !== 1) throw new ConfigError('an edit is for one letter: name it, as PARTITION:OFFSET.');
        const { to: target, force, dryRun } = flags;
        await inBatches(connector, 'resubmit', letters, flags, { target, force, dryRun }, deps, edit);
      },
    );
}

function discardCommand(deps: DeadLettersDeps): Command {
  return withSelection(new Command('discard').description('note that letters are not to be resubmitted'))
    .addHelpText('after', `${examples('dead-letters discard orders-sink 0:17 0:21')}${codes}`)
    .action((connector: string, letters: string[], flags: SelectionFlags) =>
      inBatches(connector, 'discard', letters, flags, { dryRun: flags.dryRun }, deps),
    );
}

async function inBatches(
  connector: string,
  what: 'resubmit' | 'discard',
  letters: readonly string[],
  flags: SelectionFlags,
  more: object,
  deps: DeadLettersDeps,
  edit: object = {},
): Promise<void> {
  const filter = filterOf(flags);
  const filtered = flags.all || Object.keys(filter).length > 0;
  if (letters.length > 0 === filtered) {
    throw new ConfigError(
      letters.length > 0
        ? 'name letters, or choose them by options; not both.'
        : 'which letters? Name them as PARTITION:OFFSET, choose them by options, or say --all.',
    );
  }
  const named = placesOf(letters).map((place) => ({ ...place, ...edit }));
  const { client, output } = await opened(flags, deps);
  const counts = new Map<string, number>();
  const ask = async (selection: object): Promise<string | null> => {
    const report = (await client.request('POST', `${pathOf(connector)}/${what}`, { ...selection, ...more })) as Report;
    for (const outcome of report.letters) {
      counts.set(outcome.outcome, (counts.get(outcome.outcome) ?? 0) + 1);
      await output.write(flags.format === 'json' ? jsonLine(outcome) : reportLine(outcome, report.dryRun));
    }
    return report.next;
  };
  for (let at = 0; at < named.length; at += namedLimit) await ask({ letters: named.slice(at, at + namedLimit) });
  if (filtered) {
    for (let next = await ask({ filter, limit: batchLimit }); next !== null;) next = await ask({ filter, limit: batchLimit, after: next });
  }
  const of = (...outcomes: readonly string[]): number => outcomes.reduce((sum, each) => sum + (counts.get(each) ?? 0), 0);
  const summary = [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
  deps.stderr.write(
    `millrace: ${connector}: ${summary === '' ? 'no letters' : summary}${flags.dryRun ? ' (dry run: nothing was done)' : ''}\n`,
  );
  if (of('failed', 'missing') > 0) throw new ConnectError(`dead-letters ${what} ${connector}: ${of('failed', 'missing')} letters failed.`);
  if (of('superseded', 'held') > 0) deps.exitWith(heldBack);
}

async function opened(flags: Flags, deps: DeadLettersDeps): Promise<{ readonly client: ConnectClient; readonly output: Output }> {
  const client = createConnectClient({
    url: flags.url,
    ...(await credentialsOf(flags, deps.env)),
    deadline: AbortSignal.timeout(flags.timeout),
    onTrouble: (trouble) => void deps.stderr.write(`millrace: dead-letters: trying again: ${trouble}\n`),
  });
  return { client, output: outputTo(deps.stdout) };
}

const pathOf = (connector: string): string => `/connectors/${encodeURIComponent(connector)}/dead-letters`;
const jsonLine = (value: unknown): string => `${JSON.stringify(value)}\n`;

function countOf(text: string): number {
  const count = Number(text);
  if (!/^\d{1,9}$/.test(text) || count === 0) throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return count;
}
