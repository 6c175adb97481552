import { spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { cacheFolder, lock } from './cache.ts';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  readonly uid?: number;
  readonly gid?: number;
}

/** Runs a command to its end and gives its standard output; anything but exit 0 is an error. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { input, ...spawnOptions } = options;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(command, args, { ...spawnOptions, stdio: 'pipe' });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  child.once('error', (cause) => reject(new Error(`could not run ${command}: ${cause.message}`, { cause })));
  child.once('close', (code, signal) => {
    if (code === 0) return resolve(Buffer.concat(out).toString());
    const words = Buffer.concat([...err, ...out])
      .toString()
      .trim()
      .slice(-4_000);
    reject(new Error(`${command} ${args.join(' ')} failed (${signal ?? `exit code ${code}`}):\n${words}`));
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return promise;
}

/** Where a command is, or undefined. */
export function findCommand(name: string, folders = (process.env['PATH'] ?? '').split(delimiter)): string | undefined {
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/**
 * Where a command is. On Debian as root, the package that holds it is installed when it is missing;
 * anybody else is told what to install.
 */
export async function requireCommand(name: string, debianPackage: string, folders?: string[]): Promise<string> {
  const present = findCommand(name, folders);
  if (present !== undefined) return present;
  if (process.getuid?.() !== 0 || findCommand('apt-get') === undefined) {
    throw new Error(`"${name}" is missing. Install it (Debian and Ubuntu: sudo apt-get install ${debianPackage}) and try again.`);
  }
  mkdirSync(cacheFolder(), { recursive: true });
  await using _lock = await lock(join(cacheFolder(), 'apt.lock'));
  const installedMeanwhile = findCommand(name, folders);
  if (installedMeanwhile !== undefined) return installedMeanwhile;

  console.error(`[services] "${name}" is missing: apt-get install ${debianPackage} …`);
  await aptInstall(debianPackage);
  const installed = findCommand(name, folders);
  if (installed === undefined) throw new Error(`apt-get installed ${debianPackage}, and yet "${name}" is missing`);
  return installed;
}

async function aptInstall(debianPackage: string): Promise<void> {
  // RUNLEVEL=1 keeps packages from starting their services: we want the binaries only.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const install = ['-y', '-q', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300', 'install', debianPackage];
  try {
    await run('apt-get', install, { env });
  } catch {
    // A bare machine has no list of packages yet, or an old one.
    await run('apt-get', ['-q', 'update'], { env });
    await run('apt-get', install, { env });
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
