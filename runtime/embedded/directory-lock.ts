import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { ConfigError } from '../api/index.ts';
import { isLocked, storageError } from './storage-error.ts';

/**
 * Holds the directory for this process: an exclusive lock of the operating system on a file of its own, taken
 * through SQLite since Node has no call for it. It goes with the process, so kill -9 leaves nothing behind, and
 * readers of the log itself are not kept out. Throws a ConfigError when another holds it.
 */
export function lockDirectory(directory: string, owner: () => string): Disposable {
  const path = join(directory, 'millrace.lock');
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(path);
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    lock?.close();
    if (!isLocked(error)) throw storageError(error, 'locking', path);
    throw new ConfigError(`embedded log: the directory ${directory} is in use by another worker${owner()}.`, {
      cause: error,
      hint: 'Stop that worker, or give this one a directory of its own (bootstrap.servers=embedded:DIR).',
    });
  }
  const held = lock;
  return { [Symbol.dispose]: () => held.close() };
}
