import { spawn } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

const root = dirname(dirname(import.meta.dirname));
const longestMs = 90_000;

/** The program behind `npm start`, running. Disposal kills it, should it still run. */
export interface QuickstartProgram extends AsyncDisposable {
  readonly pid: number;
  /** All that it has written so far. */
  output(): string;
  signal(signal: NodeJS.Signals): void;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
}

export function startQuickstart(args: readonly string[]): QuickstartProgram {
  const child = spawn(process.execPath, ['runtime/cli/quickstart/main.ts', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const { promise: ended, resolve } = Promise.withResolvers<number | null>();
  child.once('close', (code) => resolve(code));
  return {
    pid: child.pid ?? -1,
    output: () => output,
    signal: (signal) => void child.kill(signal),
    ended,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Asks until the answer is yes. Ends with what the program said, when that takes too long or it ends before. */
export async function until(program: QuickstartProgram, what: string, ask: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + longestMs;
  let over = false;
  void program.ended.then(() => (over = true));
  while (!(await ask())) {
    if (over || Date.now() > deadline)
      throw new Error(`${over ? 'it ended before' : 'it took too long until'}: ${what}\n${program.output()}`);
    await sleep(50);
  }
}

/** The lines of one of its files, parsed; none when it is not there yet. */
export function linesOf(folder: string, file: string): string[] {
  try {
    return readFileSync(join(folder, 'files', file), 'utf8')
      .split('\n')
      .slice(0, -1);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** What it keeps from start to start. */
export function memoryOf(folder: string): { postgresPort: number; postgresPassword: string; postgresFolder?: string } {
  return JSON.parse(readFileSync(join(folder, 'quickstart.json'), 'utf8')) as ReturnType<typeof memoryOf>;
}

/** Of the shop that runs on that folder. */
export async function queryShop<Row extends pg.QueryResultRow>(folder: string, sql: string): Promise<Row[]> {
  const { postgresPort, postgresPassword } = memoryOf(folder);
  const client = new pg.Client({
    host: '127.0.0.1',
    port: postgresPort,
    user: 'postgres',
    password: postgresPassword,
    database: 'shop',
  });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Processes that have the text on their command line, this one and its parent aside: pid and command. */
export function processesWith(text: string): (readonly [pid: number, command: string])[] {
  const found: [number, string][] = [];
  for (const file of globSync('/proc/[0-9]*/cmdline')) {
    const pid = Number(file.split('/')[2]);
    try {
      const command = readFileSync(file, 'utf8').replaceAll('\0', ' ');
      if (command.includes(text) && pid !== process.pid && pid !== process.ppid) found.push([pid, command]);
    } catch {
      // It has just ended.
    }
  }
  return found;
}

/** For when a test failed half-way. */
export async function stopLeftOvers(folder: string): Promise<void> {
  for (const [pid] of processesWith(folder)) process.kill(pid, 'SIGINT');
  while (processesWith(folder).length > 0) await sleep(50);
}
