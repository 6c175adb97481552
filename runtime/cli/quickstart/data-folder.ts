import { randomBytes } from 'node:crypto';
import { accessSync, constants, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ConfigError } from '../../api/index.ts';
import { lockDirectory } from '../../embedded/directory-lock.ts';

/** What is remembered from start to start. */
export interface Memory {
  readonly postgresPort: number | undefined;
  readonly postgresPassword: string;
  /** Where the database is, when the user that it runs as cannot reach this folder. */
  readonly postgresFolder: string | undefined;
}

/** Held for this process alone until disposed of. */
export interface DataFolder extends Disposable {
  readonly path: string;
  /** Where the sinks write. */
  readonly files: string;
  readonly log: string;
  readonly memory: Memory;
  remember(change: Partial<Memory>): void;
}

/** Throws a ConfigError that says in one line why the folder cannot be used. */
export function openDataFolder(path: string): DataFolder {
  const files = join(path, 'files');
  const log = join(path, 'log');
  try {
    for (const folder of [path, files, log]) mkdirSync(folder, { recursive: true });
    accessSync(path, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new ConfigError(`The data folder ${path} cannot be written: ${(cause as Error).message}. Choose another with --data DIR.`, {
      cause,
    });
  }
  const lock = locked(path);
  const memoryFile = join(path, 'quickstart.json');
  let memory: Memory;
  try {
    memory = readMemory(memoryFile);
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
  return {
    path,
    files,
    log,
    get memory() {
      return memory;
    },
    remember(change) {
      memory = { ...memory, ...change };
      writeMemory(memoryFile, memory);
    },
    [Symbol.dispose]: () => lock[Symbol.dispose](),
  };
}

function locked(path: string): Disposable {
  try {
    return lockDirectory(path, () => '');
  } catch (cause) {
    if (!(cause as Error).message.includes('in use')) throw cause;
    throw new ConfigError(`Another quick start uses ${path}. Stop it, or choose another folder with --data DIR.`, { cause });
  }
}

function readMemory(file: string): Memory {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const memory: Memory = { postgresPort: undefined, postgresPassword: randomBytes(18).toString('base64url'), postgresFolder: undefined };
    writeMemory(file, memory);
    return memory;
  }
  try {
    const { postgresPort, postgresPassword, postgresFolder } = JSON.parse(text) as Memory;
    return { postgresPort, postgresPassword, postgresFolder };
  } catch (cause) {
    throw new ConfigError(`${file} is not what the quick start wrote. Remove its folder, or choose another with --data DIR.`, { cause });
  }
}

// For the owner alone, since the database's password is in it; moved into place, so that it is never half written.
function writeMemory(file: string, memory: Memory): void {
  const draft = `${file}.draft`;
  writeFileSync(draft, `${JSON.stringify(memory, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}
