import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chownSync, closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { ConfigError } from '../../api/index.ts';
import type { DataFolder } from './data-folder.ts';
import { freePort } from './ports.ts';
import type { PostgresPlace } from './postgres-binaries.ts';
import { isRunning, leftOver } from './postgres-left-over.ts';

const user = 'postgres';
const readyWithinMs = 60_000;
const stopWithinMs = 20_000;

export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** Disposal shuts it down cleanly and waits for that. */
export interface PostgresServer extends PostgresAddress, AsyncDisposable {
  readonly pid: number;
  /** Resolves when it ends, whoever ended it. */
  readonly ended: Promise<void>;
}

export const isInitialised = (place: PostgresPlace): boolean => existsSync(join(place.cluster, 'PG_VERSION'));

/** Makes an empty cluster. One that was interrupted begins anew. */
export async function initialisePostgres(place: PostgresPlace, folder: DataFolder, signal: AbortSignal): Promise<void> {
  const draft = `${place.cluster}.draft`;
  const passwordFile = join(place.cluster, '..', 'password');
  rmSync(draft, { recursive: true, force: true });
  writeFileSync(passwordFile, folder.memory.postgresPassword, { mode: 0o600 });
  if (place.runAs.uid !== undefined) chownSync(passwordFile, place.runAs.uid, place.runAs.gid);
  const how = ['-U', user, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '--no-locale', '--encoding=UTF8'];
  try {
    await run(place.initdb, ['-D', draft, ...how], place, signal);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(draft, place.cluster);
}

/** Stops what an earlier start left behind, then resolves when the server answers. */
export async function startPostgres(place: PostgresPlace, folder: DataFolder, signal: AbortSignal): Promise<PostgresServer> {
  const old = leftOver(place.cluster);
  if (old !== undefined) await shutDown(old, () => isRunning(old));

  const port = await freePort(folder.memory.postgresPort);
  const logFile = join(folder.path, 'postgres.log');
  const output = openSync(logFile, 'a');
  // In a session of its own, so that the Ctrl-C of the terminal does not reach it: the worker has to stop first.
  const child = spawn(place.postgres, ['-D', place.cluster, '-p', String(port), ...serverFlags()], {
    ...place.runAs,
    cwd: '/',
    detached: true,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  const ended = endOf(child);
  const address: PostgresAddress = { host: '127.0.0.1', port, user, password: folder.memory.postgresPassword };
  const server: PostgresServer = {
    ...address,
    pid: child.pid ?? -1,
    ended,
    [Symbol.asyncDispose]: () => (child.pid === undefined ? Promise.resolve() : shutDown(child.pid, () => !hasEnded(child))),
  };
  // Should this process end in a way that was not foreseen, the database still does not outlive it.
  const lastResort = (): void => void child.kill('SIGINT');
  process.on('exit', lastResort);
  void ended.then(() => process.off('exit', lastResort));

  try {
    await untilReady(address, child, logFile, signal);
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  folder.remember({ postgresPort: port });
  return server;
}

function serverFlags(): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    wal_level: 'logical',
    max_replication_slots: 10,
    max_wal_senders: 10,
    shared_buffers: '32MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function untilReady(address: PostgresAddress, child: ChildProcess, logFile: string, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + readyWithinMs;
  for (;;) {
    signal.throwIfAborted();
    if (hasEnded(child) || child.pid === undefined)
      throw new ConfigError(`PostgreSQL did not start: ${lastLine(logFile)} (see ${logFile})`);
    try {
      const client = new pg.Client({ ...address, database: 'postgres', connectionTimeoutMillis: 5_000 });
      client.on('error', () => {});
      await client.connect();
      return await client.end();
    } catch (cause) {
      // "28P01": the password is of another quickstart.json.
      const refused = (cause as { code?: string }).code === '28P01';
      const hint = 'Remove the data folder, or choose another with --data DIR.';
      if (refused) throw new ConfigError(`PostgreSQL does not accept the password in quickstart.json.`, { cause, hint });
      if (Date.now() > deadline)
        throw new ConfigError(`PostgreSQL was not ready within ${readyWithinMs / 1_000} s (see ${logFile})`, { cause });
    }
    await sleep(50);
  }
}

/** "Fast" first: open transactions are rolled back, and nothing committed is lost. Harder if that takes too long. */
async function shutDown(pid: number, runs: () => boolean): Promise<void> {
  for (const [how, forMs] of [
    ['SIGINT', stopWithinMs],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const) {
    if (!runs()) return;
    try {
      process.kill(pid, how);
    } catch {
      return;
    }
    const deadline = Date.now() + forMs;
    while (runs() && Date.now() < deadline) await sleep(20);
  }
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

function endOf(child: ChildProcess): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once('error', () => resolve());
  child.once('exit', () => resolve());
  return promise;
}

/** Rejects only once the command and all that it started are gone, also when the signal is why. */
async function run(command: string, args: readonly string[], { runAs }: PostgresPlace, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const child = spawn(command, args, { ...runAs, cwd: '/', detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let words = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (words += chunk.toString()));
  const killGroup = (): void => {
    if (child.pid !== undefined && !hasEnded(child)) process.kill(-child.pid, 'SIGKILL');
  };
  signal.addEventListener('abort', killGroup);
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once('error', reject);
  child.once('close', resolve);
  const code = await promise.finally(() => signal.removeEventListener('abort', killGroup));
  signal.throwIfAborted();
  if (code !== 0) throw new ConfigError(`${command} failed:\n${words.trim()}`);
}

function lastLine(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').at(-1) ?? 'it said nothing';
}
