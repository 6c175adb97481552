import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { DataFolder, RunAs } from './data-folder.ts';
import { awaitEnd, spawnProcess, untilReady } from './process.ts';
import type { ServerProcess } from './process.ts';

/** What a test may do to a server. Its port and its data survive all but the disposal. */
export interface Server extends AsyncDisposable {
  readonly pid: number;
  /** Asks it to end, and waits until it has. */
  stop(): Promise<void>;
  /** Signals it, children included for SIGKILL (the default), and waits until it has ended. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again, after a stop if it still runs; resolves when it answers. */
  restart(): Promise<void>;
  /** Freezes it (SIGSTOP): connections stay open, and from when this resolves nothing answers. */
  pause(): Promise<void>;
  resume(): void;
  /** How it ended, such as `exit code 0` or `SIGKILL`; undefined while it runs. */
  ending(): string | undefined;
  /** The last lines of its output, over all its lives. */
  logTail(lines?: number): string;
}

export interface ServerSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly runAs?: RunAs;
  /** Removed on disposal. */
  readonly folder: DataFolder;
  /** Does it answer? An error counts as no. */
  readonly isReady: () => Promise<boolean>;
  readonly readyWithinMs: number;
  readonly stopSignal: NodeJS.Signals;
  /** How long a polite ending may take. */
  readonly graceMs: number;
  /** What ends it when its data are to be thrown away. */
  readonly discardSignal: NodeJS.Signals;
}

/** Resolves when the server answers; cleans up after itself when it does not. */
export async function startServer(spec: ServerSpec): Promise<Server> {
  let running: ServerProcess | undefined;

  const start = async (): Promise<void> => {
    const started = await spawnProcess({ ...spec, logFile: join(spec.folder.path, 'log', 'server.log') });
    running = started;
    spec.folder.guard(started.pid);
    await untilReady(started, spec.isReady, spec.readyWithinMs);
  };
  const end = async (signal: NodeJS.Signals, graceMs: number): Promise<void> => {
    if (running?.ending() === undefined) {
      running?.signal(signal);
      // One that is frozen hears nothing but SIGKILL.
      if (signal !== 'SIGKILL') running?.signal('SIGCONT');
    }
    if (running) await awaitEnd(running, graceMs);
    spec.folder.unguard();
  };
  const dispose = async (): Promise<void> => {
    await end(spec.discardSignal, 3_000);
    await spec.folder[Symbol.asyncDispose]();
  };

  try {
    for (let tries = 1; ; tries++) {
      try {
        await start();
        break;
      } catch (error) {
        // Somebody else's look whether the port is free may have taken it for a moment.
        if (tries === 3 || !/address already in use|EADDRINUSE|BindException/i.test(String(error))) throw error;
        await end('SIGKILL', 3_000);
        await sleep(500);
      }
    }
  } catch (error) {
    await dispose();
    throw error;
  }

  return {
    get pid() {
      return running!.pid;
    },
    stop: () => end(spec.stopSignal, spec.graceMs),
    kill: (signal = 'SIGKILL') => end(signal, spec.graceMs),
    async restart() {
      await end(spec.stopSignal, spec.graceMs);
      await start();
    },
    pause: () => running!.freeze(),
    resume: () => running!.signal('SIGCONT'),
    ending: () => running?.ending(),
    logTail: (lines) => running!.logTail(lines),
    [Symbol.asyncDispose]: dispose,
  };
}

/** A server that somebody else started and others use too: it can be used, not hurt. */
export function borrowedServer(name: string, variable: string): Server {
  const refuse = (): never => {
    throw new Error(`this ${name} is shared (it comes from ${variable}); to stop or kill one, start one with {private: true}`);
  };
  return {
    get pid() {
      return refuse();
    },
    stop: async () => refuse(),
    kill: async () => refuse(),
    restart: async () => refuse(),
    pause: async () => refuse(),
    resume: refuse,
    ending: () => undefined,
    logTail: () => `(${name} was started elsewhere; see ${variable})`,
    [Symbol.asyncDispose]: async () => {},
  };
}
