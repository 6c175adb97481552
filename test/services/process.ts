import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { RunAs } from './data-folder.ts';

export interface ProcessSpec {
  /** What a person calls it, for messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly runAs?: RunAs;
  /** Takes its output. A file and not a pipe, so that it writes on while this process is busy. */
  readonly logFile: string;
}

export interface ServerProcess {
  readonly name: string;
  readonly pid: number;
  /** Undefined while it runs. */
  ending(): string | undefined;
  readonly ended: Promise<void>;
  logTail(lines?: number): string;
  /** To the process and all below it, in whichever process group. */
  signal(signal: NodeJS.Signals): void;
  /** Stops it (SIGSTOP), and waits until no thread of it runs any more. */
  freeze(): Promise<void>;
}

/** Starts it in a process group of its own. It does not keep this process alive. */
export function spawnProcess(spec: ProcessSpec): Promise<ServerProcess> {
  mkdirSync(dirname(spec.logFile), { recursive: true });
  const log = openSync(spec.logFile, 'a');
  const child = spawn(spec.command, spec.args, {
    ...spec.runAs,
    env: spec.env ?? process.env,
    cwd: dirname(spec.logFile),
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.unref();

  let ending: string | undefined;
  const ended = Promise.withResolvers<void>();
  const logTail = (lines = 40): string => lastLines(spec.logFile, lines);
  child.once('exit', (code, signal) => {
    ending = signal === null ? `exit code ${code}` : signal;
    ended.resolve();
  });

  const spawned = Promise.withResolvers<ServerProcess>();
  child.once('error', (cause) => {
    spawned.reject(new Error(`${spec.name}: could not run ${spec.command}: ${cause.message}`, { cause }));
  });
  child.once('spawn', () => {
    const pid = child.pid!;
    spawned.resolve({
      name: spec.name,
      pid,
      ending: () => ending,
      ended: ended.promise,
      logTail,
      signal(signal) {
        if (ending === undefined) signalTree(pid, signal);
      },
      async freeze() {
        if (ending === undefined) signalTree(pid, 'SIGSTOP');
        while (ending === undefined && someThreadRuns(pid)) await sleep(2);
      },
    });
  });
  return spawned.promise;
}

/** Waits for an end, and forces it after `graceMs`. */
export async function awaitEnd(server: ServerProcess, graceMs: number): Promise<void> {
  // The child is unreferenced, so without the timer Node could run out of events and exit here.
  const deadline = Date.now() + graceMs;
  while (server.ending() === undefined) {
    if (Date.now() > deadline) server.signal('SIGKILL');
    const tick = new AbortController();
    await Promise.race([server.ended, sleep(250, undefined, { signal: tick.signal }).catch(() => {})]);
    tick.abort();
  }
}

/** Asks until the answer is yes; an error counts as no, an early end or `timeoutMs` as failure. */
export async function untilReady(server: ServerProcess, ask: () => Promise<boolean>, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let answer: unknown = 'no answer';
  for (;;) {
    if (server.ending() !== undefined) {
      throw new Error(`${server.name} ended early (${server.ending()}). Its last words:\n${server.logTail()}`);
    }
    try {
      if (await ask()) return;
      answer = 'it says: not yet';
    } catch (error) {
      answer = error;
    }
    if (Date.now() > deadline) {
      const message = `${server.name} was not ready within ${timeoutMs / 1000} s (${answer}). Its last words:\n`;
      throw new Error(message + server.logTail(), { cause: answer });
    }
    await sleep(40);
  }
}

// PostgreSQL's children each lead a group of their own and outlive a killed parent for a while,
// holding its shared memory, so a kill has to find them by parentage. The parent is stopped first,
// lest it should fork between our looking and our killing.
function signalTree(pid: number, signal: NodeJS.Signals): void {
  if (signal !== 'SIGKILL' && signal !== 'SIGSTOP' && signal !== 'SIGCONT') return trySignal(-pid, signal);
  if (signal !== 'SIGCONT') trySignal(-pid, 'SIGSTOP');
  const children = descendants(pid);
  for (const each of [-pid, ...children]) trySignal(each, signal);
}

// The thread that takes the signal stops the others; while it waits for a CPU, they go on answering.
function someThreadRuns(pid: number): boolean {
  return readFolder(`/proc/${pid}/task`).some((thread) => {
    const stat = readText(`/proc/${pid}/task/${thread}/stat`);
    return stat !== undefined && !'TtZX'.includes(stat.charAt(stat.lastIndexOf(')') + 2));
  });
}

function trySignal(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function descendants(ancestor: number): number[] {
  const childrenOf = new Map<number, number[]>();
  for (const [pid, parent] of parents()) childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), pid]);
  const found = [...(childrenOf.get(ancestor) ?? [])];
  for (const pid of found) found.push(...(childrenOf.get(pid) ?? []));
  return found;
}

function* parents(): Generator<[pid: number, parent: number]> {
  for (const entry of readFolder('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    // "pid (name) state parent …", and the name may hold anything, ")" included.
    const stat = readText(`/proc/${entry}/stat`);
    if (stat !== undefined) yield [Number(entry), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])];
  }
}

function readFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function lastLines(file: string, count: number): string {
  return (readText(file) ?? '').trimEnd().split('\n').slice(-count).join('\n');
}
