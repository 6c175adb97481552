/** `millrace apply`: makes a running cluster equal to a folder of connector files. */
import { readFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';

import { Command, InvalidArgumentError, Option } from 'commander';

import { ConfigError, ConnectError } from '../api/index.ts';
import { applyFolder } from './apply/apply-folder.ts';
import type { ApplyOptions } from './apply/apply-folder.ts';
import type { ApplyReport } from './apply/report.ts';
import { outcomeText, paintFor, planText, problemText, progressText } from './apply/report-text.ts';
import { outputTo } from './output.ts';
import { examples } from './topic-command.ts';

export interface ApplyDeps {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends the command line with this code, without a message. */
  readonly exitWith: (code: number) => void;
}

/** Of a dry run; 2 would mean that something is wrong. */
const wouldChange = 3;

interface ApplyFlags {
  readonly url: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly owner?: string;
  readonly dryRun: boolean;
  readonly prune: boolean;
  readonly adopt: boolean;
  readonly allowEmpty: boolean;
  readonly timeout: number;
  readonly wait: boolean;
  readonly json: boolean;
}

export function applyCommand(deps: ApplyDeps): Command {
  return new Command('apply')
    .description('make a running cluster, of Millrace or Kafka Connect, equal to a folder of connector files')
    .argument('<folder>', '*.json and *.properties, each with one connector; subfolders too')
    .addOption(new Option('--url <url>', 'a worker of the cluster').env('MILLRACE_URL').default('http://127.0.0.1:8083'))
    .option('--dry-run', 'only say what would change', false)
    .option('--prune', 'delete the connectors that this folder once made and that have no file any more', false)
    .option('--owner <name>', 'how the cluster remembers this folder (default: .millrace-apply.json in it, or its name)')
    .option('--adopt', 'make connectors this folder’s own that others made', false)
    .option('--allow-empty', 'a folder without any connector file is no mistake', false)
    .addOption(new Option('--timeout <time>', 'for all of it, as 90s or 5m').default(120_000, '120s').argParser(durationMs))
    .option('--no-wait', 'do not wait until the connectors run')
    .option('--user <name>', 'for basic authentication; also MILLRACE_USER')
    .option('--password-file <file>', 'its password; also MILLRACE_PASSWORD')
    .option('--json', 'print one JSON document, for programs', false)
    .addHelpText(
      'after',
      `${examples('apply connectors --dry-run', 'apply connectors --prune --url https://connect.example.com --user ci --password-file /run/secrets/connect')}
Exit codes: 0 the cluster is as the folder says, 1 something failed, 2 a file or setting is wrong and nothing was
changed, 3 a dry run found something to change.
`,
    )
    .action((folder: string, flags: ApplyFlags) => apply(folder, flags, deps));
}

async function apply(folder: string, flags: ApplyFlags, deps: ApplyDeps): Promise<void> {
  const { json, passwordFile: _file, timeout, user: _user, ...rest } = flags;
  const options: ApplyOptions = { ...rest, folder, timeoutMs: timeout, ...(await credentials(flags, deps.env)) };
  const output = outputTo(deps.stdout);
  const paint = paintFor(deps.stdout);
  const print = (text: string): void => {
    if (!json) void output.write(`${text}\n`);
  };
  const report = await applyFolder(options, {
    onPlan: (plan) => print(planText(plan, paint)),
    onProgress: (connector) => print(progressText(connector, paint)),
    onTrouble: (what) => void deps.stderr.write(`millrace: apply: trying again: ${what}\n`),
  });
  if (json) await output.write(`${JSON.stringify(report, undefined, 2)}\n`);
  conclude(report, folder, print, deps);
}

function conclude(report: ApplyReport, folder: string, print: (text: string) => void, { stderr, exitWith }: ApplyDeps): void {
  const { problems, connectors, dryRun } = report;
  if (problems.length > 0) {
    for (const problem of problems) stderr.write(`${problemText(problem)}\n`);
    throw new ConfigError(
      `apply ${folder}: ${problems.length === 1 ? 'one problem' : `${problems.length} problems`}, so nothing was changed.`,
    );
  }
  const changes = connectors.filter(({ action }) => action !== 'none').length;
  if (dryRun) {
    if (changes > 0) exitWith(wouldChange);
    return;
  }
  const summary = outcomeText(connectors);
  if (connectors.some(({ outcome }) => outcome !== 'done' && outcome !== 'planned')) throw new ConnectError(`apply ${folder}: ${summary}.`);
  if (changes > 0) print(`\n${summary}.`);
}

async function credentials(flags: ApplyFlags, env: ApplyDeps['env']): Promise<{ readonly user?: string; readonly password?: string }> {
  const fromFile = flags.passwordFile === undefined ? undefined : await passwordIn(flags.passwordFile);
  // A URL with a name in it is more particular than what the environment says for all.
  const urlUser = URL.canParse(flags.url) && new URL(flags.url).username !== '';
  const user = flags.user ?? (urlUser ? undefined : env['MILLRACE_USER']);
  if (user === undefined || user === '') {
    if (fromFile !== undefined) throw new ConfigError('--password-file: whose password is it? Give --user NAME too.');
    return {};
  }
  const password = fromFile ?? env['MILLRACE_PASSWORD'];
  if (password === undefined) throw new ConfigError('--user: its password is missing. Give --password-file FILE or MILLRACE_PASSWORD.');
  return { user, password };
}

async function passwordIn(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    throw new ConfigError(`--password-file ${file}: it cannot be read (${(error as NodeJS.ErrnoException).code}).`, { cause: error });
  }
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

function durationMs(text: string): number {
  const [, number = '', unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const ms = Math.round(Number(number) * (unitsMs[unit] ?? 0));
  if (number === '' || ms <= 0 || ms > 24 * 3_600_000) throw new InvalidArgumentError('It must be a time such as 90s or 5m, at most 24h.');
  return ms;
}
