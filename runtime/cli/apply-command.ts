/** `millrace apply`: makes a running cluster equal to a folder of connector files. */
import type { Writable } from 'node:stream';

import { Command } from 'commander';

import { ConfigError, ConnectError } from '../api/index.ts';
import { applyFolder } from './apply/apply-folder.ts';
import type { ApplyOptions } from './apply/apply-folder.ts';
import type { ApplyReport } from './apply/report.ts';
import { outcomeText, paintFor, planText, problemText, progressText } from './apply/report-text.ts';
import { outputTo } from './output.ts';
import { credentialsOf, withCredentials, withTimeout, withUrl } from './server-choice.ts';
import type { ServerChoice } from './server-choice.ts';
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

interface ApplyFlags extends ServerChoice {
  readonly owner?: string;
  readonly dryRun: boolean;
  readonly prune: boolean;
  readonly adopt: boolean;
  readonly allowEmpty: boolean;
  readonly wait: boolean;
  readonly json: boolean;
}

export function applyCommand(deps: ApplyDeps): Command {
  const command = withUrl(
    new Command('apply')
      .description('make a running cluster, of Millrace or Kafka Connect, equal to a folder of connector files')
      .argument('<folder>', '*.json and *.properties, each with one connector; subfolders too'),
  )
    .option('--dry-run', 'only say what would change', false)
    .option('--prune', 'delete the connectors that this folder once made and that have no file any more', false)
    .option('--owner <name>', 'how the cluster remembers this folder (default: .millrace-apply.json in it, or its name)')
    .option('--adopt', 'make connectors this folder’s own that others made', false)
    .option('--allow-empty', 'a folder without any connector file is no mistake', false);
  withTimeout(command, 120_000, '120s').option('--no-wait', 'do not wait until the connectors run');
  return withCredentials(command)
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
  const options: ApplyOptions = { ...rest, folder, timeoutMs: timeout, ...(await credentialsOf(flags, deps.env)) };
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
