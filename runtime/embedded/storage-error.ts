import { ConfigError, ConnectError, RetriableError } from '../api/index.ts';

/** SQLite's primary result codes (https://www.sqlite.org/rescode.html). */
const codes = { perm: 3, busy: 5, locked: 6, readOnly: 8, ioError: 10, corrupt: 11, full: 13, cantOpen: 14, notADatabase: 26 } as const;

/** What may pass by itself: somebody frees space, another process lets go. */
const passing: ReadonlySet<number> = new Set([codes.busy, codes.locked, codes.ioError, codes.full]);

const hints: Readonly<Record<number, string>> = {
  [codes.perm]: 'Give this user write access to the directory and its files.',
  [codes.busy]: 'Another process holds the file locked; close it.',
  [codes.locked]: 'Another process holds the file locked; close it.',
  [codes.readOnly]: 'Give this user write access to the directory and its files.',
  [codes.ioError]: 'Check the disk and the system log.',
  [codes.full]: 'The disk is full: free some space; nothing was stored in part.',
  [codes.corrupt]: 'The file is damaged: restore a copy, or see `.recover` of the sqlite3 shell.',
  [codes.cantOpen]: 'Check that the directory exists and that this user may read and write it.',
  [codes.notADatabase]: 'Something else wrote this file: choose another directory.',
};

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 255;
}

export function isStorageError(error: unknown): boolean {
  return resultCode(error) !== undefined;
}

/** Whether the same transaction may work later. */
export function isPassing(error: unknown): boolean {
  const code = resultCode(error);
  return code !== undefined && passing.has(code);
}

export function isLocked(error: unknown): boolean {
  const code = resultCode(error);
  return code === codes.busy || code === codes.locked;
}

/** An error of SQLite or of the file system, with what was being done and what to do about it. Others come back as they are. */
export function storageError(error: unknown, doing: string, path: string): Error {
  if (error instanceof ConnectError) return error;
  const code = resultCode(error);
  const message = error instanceof Error ? error.message : String(error);
  if (code === undefined) {
    const isFileError = error instanceof Error && 'code' in error && 'syscall' in error;
    if (!isFileError) return error instanceof Error ? error : new Error(message);
    return new ConfigError(`embedded log: ${doing} ${path}: ${message}.`, { cause: error, hint: 'Check the path and its permissions.' });
  }
  const options = { cause: error, ...(hints[code] === undefined ? {} : { hint: hints[code] }) };
  const text = `embedded log: ${doing} ${path}: ${message}.`;
  return passing.has(code) ? new RetriableError(text, options) : new ConfigError(text, options);
}
