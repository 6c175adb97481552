import type { Database } from './database.ts';

/** Between two looks, while somebody waits. */
const intervalMs = 50;

export interface FileWatcher extends Disposable {
  /** Calls `changed` if another process has written since the last look. */
  check(): void;
  /** Looks by itself, while true. */
  watch(waiting: boolean): void;
}

/** Notices what another process writes to the file; SQLite has no notification across processes. */
export function watchFile(database: Database, changed: () => void): FileWatcher {
  const version = (): bigint => database.statement('PRAGMA data_version').get()?.['data_version'] as bigint;
  let seen = version();
  let timer: NodeJS.Timeout | undefined;

  function check(): void {
    const found = version();
    if (found === seen) return;
    seen = found;
    changed();
  }
  function stop(): void {
    clearInterval(timer);
    timer = undefined;
  }
  return {
    check,
    watch(waiting) {
      if (waiting) timer ??= setInterval(check, intervalMs);
      else stop();
    },
    [Symbol.dispose]: stop,
  };
}
