/** What a letter is given anew before it is resubmitted. */
import { readFile } from 'node:fs/promises';

import type { Command } from 'commander';

import { ConfigError } from '../../api/index.ts';

export interface EditFlags {
  readonly newKey?: string;
  readonly newKeyFile?: string;
  readonly nullKey?: boolean;
  readonly newValue?: string;
  readonly newValueFile?: string;
  readonly nullValue?: boolean;
  readonly newHeader?: readonly string[];
  readonly nullHeaders?: boolean;
}

export function withEdit(command: Command): Command {
  return command
    .option('--new-value <text>', 'of the one letter named: its value anew')
    .option('--new-value-file <file>', 'the same, byte for byte what is in the file')
    .option('--null-value', 'the same: none')
    .option('--new-key <text>', 'its key anew')
    .option('--new-key-file <file>', 'the same, byte for byte what is in the file')
    .option('--null-key', 'the same: none')
    .option('--new-header <name=text...>', 'all its headers anew')
    .option('--null-headers', 'no headers');
}

/** Undefined where nothing is given anew. */
export async function editOf(flags: EditFlags): Promise<object | undefined> {
  const key = await bytesOf('key', flags.newKey, flags.newKeyFile, flags.nullKey);
  const value = await bytesOf('value', flags.newValue, flags.newValueFile, flags.nullValue);
  if (flags.newHeader !== undefined && flags.nullHeaders === true) throw new ConfigError('give --new-header or --null-headers, not both.');
  const headers = flags.nullHeaders === true ? [] : flags.newHeader?.map(headerOf);
  const edit = { ...(key !== undefined && { key }), ...(value !== undefined && { value }), ...(headers !== undefined && { headers }) };
  return Object.keys(edit).length === 0 ? undefined : edit;
}

async function bytesOf(
  what: string,
  text: string | undefined,
  file: string | undefined,
  none: boolean | undefined,
): Promise<object | null | undefined> {
  const given = [text, file, none === true ? true : undefined].filter((each) => each !== undefined);
  if (given.length > 1) throw new ConfigError(`give one of --new-${what}, --new-${what}-file and --null-${what}.`);
  if (none === true) return null;
  if (text !== undefined) return { text };
  if (file === undefined) return undefined;
  try {
    return { base64: (await readFile(file)).toString('base64') };
  } catch (error) {
    throw new ConfigError(`--new-${what}-file ${file}: it cannot be read (${(error as NodeJS.ErrnoException).code}).`, { cause: error });
  }
}

function headerOf(text: string): { readonly key: string; readonly value: { readonly text: string } } {
  const at = text.indexOf('=');
  if (at < 1) throw new ConfigError(`--new-header "${text}": write NAME=TEXT.`);
  return { key: text.slice(0, at), value: { text: text.slice(at + 1) } };
}
