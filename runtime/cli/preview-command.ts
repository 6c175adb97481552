/** `millrace preview`: shows what a connector's config would write. */
import type { Writable } from 'node:stream';

import { Command, InvalidArgumentError, Option } from 'commander';

import { ConfigError } from '../api/index.ts';
import { loadConnectorFile } from '../settings/connector-file.ts';
import type { ConnectorFile } from '../settings/connector-file.ts';
import { previewLimits } from '../rest/preview-answer.ts';
import { parseJson } from '../rest/json.ts';
import { createConnectClient } from './apply/connect-client.ts';
import { outputTo } from './output.ts';
import { previewHere } from './preview/local-preview.ts';
import { previewText } from './preview/preview-text.ts';
import type { PreviewAnswer } from './preview/preview-text.ts';
import { credentialsOf, withCredentials, withTimeout } from './server-choice.ts';
import type { ServerChoice } from './server-choice.ts';
import { examples } from './topic-command.ts';

export interface PreviewDeps {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends the command line with this code, without a message. */
  readonly exitWith: (code: number) => void;
}

interface Flags extends Omit<ServerChoice, 'url'> {
  readonly records: number;
  readonly worker?: string;
  readonly url?: string;
  readonly json: boolean;
}

/** Records would fail on their way. */
const someFail = 3;
/** For a worker to check the config, and to answer. */
const answerMs = 30_000;
const { records, timeoutMs } = previewLimits;

export function previewCommand(deps: PreviewDeps): Command {
  const command = new Command('preview')
    .description('show what a connector would write, and touch nothing: no slot, publication, topic or offset')
    .argument('<connector-file>', 'a connector: {"name", "config"}, flat JSON, or .properties')
    .addOption(new Option('-n, --records <n>', `at most so many, up to ${records.most}`).default(records.usual).argParser(countOf))
    .option('--worker <file>', 'with the converters, plugins and config providers of this worker file; no worker has to run')
    .option('--url <url>', 'have this worker do it, with its own');
  return withCredentials(withTimeout(command, timeoutMs.usual, '10s'))
    .option('--json', 'print one JSON document, as REST answers it', false)
    .addHelpText(
      'after',
      `${examples('preview orders.json', 'preview orders.json --worker worker.properties -n 50', 'preview orders.json --url http://127.0.0.1:8083 --json')}
Only sources have one. Exit codes: 0 done, 1 the source could not be read, 2 a file or setting is wrong, 3 some of the
records would fail, in a transform or a converter.
`,
    )
    .action((file: string, flags: Flags) => preview(file, flags, deps));
}

async function preview(file: string, flags: Flags, deps: PreviewDeps): Promise<void> {
  if (flags.worker !== undefined && flags.url !== undefined)
    throw new ConfigError('--worker and --url: choose one; a worker that is asked goes by its own file.');
  const connector = await loadConnectorFile(file);
  const text = flags.url === undefined ? await previewHere(connector, flags) : await previewThere(connector, flags.url, flags, deps);
  const answer = parseJson(text) as PreviewAnswer;
  await outputTo(deps.stdout).write(flags.json ? `${text}\n` : previewText(answer));
  if (answer.records.some((record) => 'error' in record)) deps.exitWith(someFail);
}

async function previewThere({ config, file }: ConnectorFile, url: string, flags: Flags, deps: PreviewDeps): Promise<string> {
  if (flags.timeout < timeoutMs.least || flags.timeout > timeoutMs.most)
    throw new ConfigError(`--timeout: a worker takes ${timeoutMs.least}ms to ${timeoutMs.most / 1_000}s.`);
  const connectorClass = config['connector.class'];
  if (connectorClass === undefined) throw new ConfigError(`${file}: has no "connector.class".`);
  const client = createConnectClient({
    url,
    ...(await credentialsOf({ ...flags, url }, deps.env)),
    deadline: AbortSignal.timeout(flags.timeout + answerMs),
    onTrouble: (trouble) => void deps.stderr.write(`millrace: preview: trying again: ${trouble}\n`),
    parse: (text) => text,
  });
  const query = new URLSearchParams({ records: String(flags.records), timeoutMs: String(flags.timeout) });
  return (await client.request('POST', `/connector-plugins/${encodeURIComponent(connectorClass)}/preview?${query}`, config)) as string;
}

function countOf(text: string): number {
  const count = Number(text);
  if (!/^\d{1,9}$/.test(text) || count === 0 || count > records.most)
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${records.most}.`);
  return count;
}
