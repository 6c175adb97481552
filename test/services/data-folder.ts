import { execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Who a server runs as, where it refuses to run as root; empty when we are not root. */
export type RunAs = { readonly uid: number; readonly gid: number } | Record<string, never>;

export function unprivilegedUser(): RunAs {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** A server's fresh folder, with a watchdog that clears up should this process die by any death. */
export interface DataFolder extends AsyncDisposable {
  readonly path: string;
  /** From now on, the death of this process is the death of that process group. */
  guard(processGroup: number): void;
  /** The group has ended by itself. */
  unguard(): void;
}

// The watchdog waits in a session of its own for the end of its standard input, which the kernel
// brings about however this process ends, kill -9 included. No signal handler could do that, and
// none is needed, so that tests keep their signals to themselves.
const WATCHDOG = `
while read -r line; do [ "$line" = done ] && exit 0; group=$line; done
case "$group" in [0-9]*)
  kill -s "$2" -- "-$group" && sleep 1
  kill -s KILL -- "-$group" ;;
esac
for attempt in 1 2 3 4 5; do rm -rf -- "$1" && exit 0; sleep 1; done`;

/** `lastSignal` is what the watchdog sends a second before SIGKILL. */
export function createDataFolder(name: string, runAs: RunAs = {}, lastSignal: 'KILL' | 'QUIT' = 'KILL'): DataFolder {
  const path = mkdtempSync(join(tmpdir(), `millrace-${name}-`));
  if (runAs.uid !== undefined) chownSync(path, runAs.uid, runAs.gid);

  const watchdog = spawn('sh', ['-c', WATCHDOG, 'millrace-watchdog', path, lastSignal], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
  });
  // Neither keeps the process alive: a test that forgets to dispose must end all the same.
  watchdog.unref();
  (watchdog.stdin as Socket).unref();
  watchdog.stdin.on('error', () => {});
  const tell = (line: string): void => void watchdog.stdin.write(`${line}\n`);

  let disposed = false;
  return {
    path,
    guard: (processGroup) => tell(String(processGroup)),
    unguard: () => tell('none'),
    async [Symbol.asyncDispose]() {
      if (disposed) return;
      disposed = true;
      await rm(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
      watchdog.stdin.end('done\n');
    },
  };
}
