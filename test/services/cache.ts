import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where downloads stay between runs, outside the tree. */
export const cacheFolder = (): string => process.env['MILLRACE_CACHE'] ?? join(homedir(), '.cache', 'millrace');

/**
 * The cached folder of that name. The first to ask fills it; others, of other processes too, wait.
 * Half a download is never seen: it is made beside, and moved when it is whole.
 */
export async function cached(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cacheFolder(), name);
  if (existsSync(folder)) return folder;
  mkdirSync(cacheFolder(), { recursive: true });
  await using _lock = await lock(`${folder}.lock`);
  if (existsSync(folder)) return folder;

  const draft = `${folder}.draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft);
  await fill(draft);
  renameSync(draft, folder);
  return folder;
}

/** Holds a lock among processes: a file with the holder's pid, void when that process is dead. */
export async function lock(file: string): Promise<AsyncDisposable> {
  while (!tryLock(file)) await sleep(200);
  return { [Symbol.asyncDispose]: async () => rmSync(file, { force: true }) };
}

function tryLock(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  if (!isAlive(holder(file))) rmSync(file, { force: true });
  return false;
}

// Another process may be between creating the file and writing its pid, or may have removed it.
function holder(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8')) || process.pid;
  } catch {
    return process.pid;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
