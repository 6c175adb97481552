/** Runs a command line in this process, and gives back what it printed. */
import { PassThrough } from 'node:stream';

import { openLog } from '../../worker/open-log.ts';
import { runCli } from '../program.ts';
import type { CliDeps } from '../program.ts';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function runCommand(line: string | readonly string[], deps: Partial<CliDeps> = {}): Promise<CommandResult> {
  const [stdout, stderr] = [collector(), collector()];
  const code = await runCli(typeof line === 'string' ? line.split(' ') : line, {
    version: '1.2.3',
    runStandalone: async () => {},
    runDistributed: async () => {},
    openLog,
    stdout: stdout.stream,
    stderr: stderr.stream,
    ...deps,
  });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

function collector(): { readonly stream: PassThrough; text(): string } {
  const stream = new PassThrough();
  const parts: Buffer[] = [];
  stream.on('data', (part: Buffer) => parts.push(part));
  return {
    stream,
    text() {
      // What was written and not yet delivered as an event.
      for (let part = stream.read() as Buffer | null; part !== null; part = stream.read() as Buffer | null) parts.push(part);
      return Buffer.concat(parts).toString();
    },
  };
}
