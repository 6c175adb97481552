import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

import { requireCommand, run } from './command.ts';

/** Runs kcat, a reader of Kafka that is neither ours nor Java's, and gives what it prints. */
export async function kcat(args: readonly string[], input?: string): Promise<string> {
  return run(await kcatCommand(), args, input === undefined ? {} : { input });
}

/** The same line by line, for output that is too long for one string. Anything but exit 0 is an error. */
export async function* kcatLines(args: readonly string[]): AsyncGenerator<string, void, undefined> {
  const child = spawn(await kcatCommand(), args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  const complaints = text(child.stderr);
  yield* createInterface({ input: child.stdout });
  const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null];
  if (code !== 0) throw new Error(`kcat ${args.join(' ')} failed (${signal ?? `exit code ${code}`}):\n${await complaints}`);
}

const kcatCommand = (): Promise<string> => requireCommand('kcat', 'kcat');
