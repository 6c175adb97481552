/** The positions file: entries are added at its end; now and then it is written anew, shorter. */
import { closeSync, fdatasync, fsyncSync, fstatSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { entryLine } from './position-entries.ts';
import type { Entry } from './position-entries.ts';

const sync = promisify(fdatasync);

export interface PositionLog extends Disposable {
  /** Hands it to the operating system: it outlives kill -9. */
  append(entry: Entry): void;
  /** Makes what was appended durable. */
  sync(): Promise<void>;
  syncNow(): void;
  /** Another run has begun a positions file of its own, or somebody deleted this one. */
  readonly isReplaced: boolean;
  readonly bytes: number;
}

/** Empty where there is none. */
export function readPositionsFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/** Puts a new positions file in the place of the old one: both are whole at any moment, and the owner of the old one is shut out. */
export function startPositionLog(path: string, base: Entry): PositionLog {
  const fresh = `${path}.new`;
  const fd = openSync(fresh, 'w');
  let bytes: number;
  try {
    bytes = writeAll(fd, Buffer.from(entryLine(base)));
    fsyncSync(fd);
    renameSync(fresh, path);
    syncFolder(dirname(path));
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return {
    append(entry) {
      bytes += writeAll(fd, Buffer.from(entryLine(entry)));
    },
    sync: () => sync(fd),
    syncNow: () => fsyncSync(fd),
    get isReplaced() {
      return fstatSync(fd).nlink === 0;
    },
    get bytes() {
      return bytes;
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
}

/** Adds an entry while no task runs. */
export function appendToPositionsFile(path: string, entry: Entry): void {
  const fd = openSync(path, 'a');
  try {
    // A crash may have torn the last line.
    writeAll(fd, Buffer.from(`\n${entryLine(entry)}`));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export function writeAll(fd: number, bytes: Uint8Array): number {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(writeSync(fd, rest));
  return bytes.length;
}

/** Makes the names in a folder durable, where the system lets one. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
