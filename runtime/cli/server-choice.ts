/** Which worker a command asks, and as whom. */
import { readFile } from 'node:fs/promises';

import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';

import { ConfigError } from '../api/index.ts';

export interface ServerChoice {
  readonly url: string;
  readonly user?: string;
  readonly passwordFile?: string;
  /** In milliseconds. */
  readonly timeout: number;
}

export const withUrl = (command: Command): Command =>
  command.addOption(new Option('--url <url>', 'a worker of the cluster').env('MILLRACE_URL').default('http://127.0.0.1:8083'));

export const withTimeout = (command: Command, defaultMs: number, text: string): Command =>
  command.addOption(new Option('--timeout <time>', 'for all of it, as 90s or 5m').default(defaultMs, text).argParser(durationMs));

export const withCredentials = (command: Command): Command =>
  command
    .option('--user <name>', 'for basic authentication; also MILLRACE_USER')
    .option('--password-file <file>', 'its password; also MILLRACE_PASSWORD');

export interface Credentials {
  readonly user?: string;
  readonly password?: string;
}

/** Throws a ConfigError for a user without a password, or a password without a user. */
export async function credentialsOf(choice: ServerChoice, env: Readonly<Record<string, string | undefined>>): Promise<Credentials> {
  const fromFile = choice.passwordFile === undefined ? undefined : await passwordIn(choice.passwordFile);
  // A URL with a name in it is more particular than what the environment says for all.
  const urlUser = URL.canParse(choice.url) && new URL(choice.url).username !== '';
  const user = choice.user ?? (urlUser ? undefined : env['MILLRACE_USER']);
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
