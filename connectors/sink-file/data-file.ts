/**
 * A file that one task alone writes, with its positions file beside it. Order, for each run of lines: what will be written
 * and how far it brings each partition (a chunk with its checksum), then the lines. So after kill -9 the end of the file
 * proves what holds. Before offsets are committed, first the lines are forced to the disk, then the positions.
 *
 * Short calls of the file system are synchronous: they block this task's thread, not the threads that all tasks share, and
 * nothing comes between the look whether the file is still this run's, and the write.
 */
import { closeSync, fdatasync, fsyncSync, fstatSync, ftruncateSync, openSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { crc32, gzipSync } from 'node:zlib';
import { ConnectError } from '@millrace/runtime/api';
import type { Logger } from '@millrace/runtime/api';
import { bootId } from './boot.ts';
import { positionsFile, rotatedFile } from './file-names.ts';
import type { Chunk, Entry, Place } from './position-entries.ts';
import { startPositionLog, syncFolder, writeAll } from './position-log.ts';
import type { Position, Positions } from './positions.ts';
import { takeUp } from './take-up.ts';

const sync = promisify(fdatasync);

export interface DataFileOptions {
  readonly path: string;
  readonly connector: string;
  readonly log: Logger;
  readonly gzip: boolean;
  /** 0: never. */
  readonly rotateBytes: number;
  readonly rotateMs: number;
}

export interface DataFile extends AsyncDisposable {
  readonly positions: Positions;
  /** Bytes until it is to be put aside. */
  readonly room: number;
  /** When it is to be put aside, in milliseconds since 1970; Infinity for never. */
  readonly rotateAtMs: number;
  opened(positions: readonly Position[]): void;
  /** Whole lines, and the next offset of each partition after them. Throws a ConnectError that says what the system refused. */
  append(lines: Uint8Array, next: readonly Place[]): void;
  /** Makes all that was appended durable, and the positions with it; the group may commit `released`. */
  sync(released: readonly Place[]): Promise<void>;
  /** Puts the file aside, if it is time, and begins a new one. */
  rotateIfDue(): void;
}

/** Longer ones are written anew, as one line. */
const longestLogBytes = 1 << 20;

/** Takes up the file where its positions file says; makes what is missing. Throws what the system refuses. */
export function openDataFile(options: DataFileOptions): DataFile {
  const { path, connector, log, gzip, rotateBytes, rotateMs } = options;
  const taken = takeUp(options);
  const { positions } = taken;
  let { fd, length, last, beganMs, rotations } = taken;
  let dirty = false;
  let syncing = false;

  const base = (): Entry => ({
    kind: 'base',
    version: 1,
    connector,
    boot: bootId(),
    length,
    last,
    beganMs,
    rotations,
    positions: positions.all(),
  });
  let entries = startPositionLog(positionsFile(path, connector), base());

  function failed(doing: string, cause: unknown, hint?: string): ConnectError {
    return new ConnectError(`connector ${connector}: cannot ${doing} file '${path}': ${(cause as Error).message}`, {
      cause,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  function requireOwn(): void {
    if (!entries.isReplaced) return;
    throw new ConnectError(
      `connector ${connector}: file '${path}' is another's now: its positions file was replaced by a later run of the task, or deleted.`,
      { hint: 'Restart the task if no other runs.' },
    );
  }

  function write(bytes: Uint8Array, next: readonly Place[]): void {
    requireOwn();
    // Somebody else may have written at its end.
    length = fstatSync(fd).size;
    if (beganMs === 0) beganMs = Date.now();
    const chunk: Chunk = { at: length, bytes: bytes.length, crc: crc32(bytes) };
    entries.append({ kind: 'chunk', ...chunk, beganMs, next });
    try {
      writeAll(fd, bytes);
    } catch (error) {
      // No torn line for those who read it meanwhile; if this fails too, the next start does it.
      try {
        ftruncateSync(fd, length);
      } catch {}
      throw error;
    }
    length += bytes.length;
    last = chunk;
    dirty = true;
  }

  function rotate(): void {
    requireOwn();
    fsyncSync(fd);
    const { path: to, number } = rotatedFile(path, rotations + 1);
    entries.append({ kind: 'rotated', to, number });
    entries.syncNow();
    renameSync(path, to);
    closeSync(fd);
    fd = openSync(path, 'a+');
    syncFolder(dirname(path));
    [length, last, beganMs, rotations, dirty] = [0, null, 0, number, false];
    entries[Symbol.dispose]();
    entries = startPositionLog(positionsFile(path, connector), base());
    log.info(`connector ${connector}: file '${path}' was put aside as '${to}'`);
  }

  const isDue = (): boolean =>
    length > 0 && ((rotateBytes > 0 && length >= rotateBytes) || (rotateMs > 0 && beganMs > 0 && Date.now() >= beganMs + rotateMs));

  return {
    positions,
    get room() {
      return rotateBytes > 0 ? Math.max(1, rotateBytes - length) : Infinity;
    },
    get rotateAtMs() {
      return rotateMs > 0 && beganMs > 0 && length > 0 ? beganMs + rotateMs : Infinity;
    },
    opened(changed) {
      for (const position of changed) positions.set(position);
      try {
        requireOwn();
        entries.append({ kind: 'opened', positions: changed });
      } catch (error) {
        throw error instanceof ConnectError ? error : failed('keep the positions of', error);
      }
    },
    append(lines, next) {
      try {
        write(gzip ? gzipSync(lines) : lines, next);
      } catch (error) {
        throw error instanceof ConnectError ? error : failed('write to', error, hintFor(error));
      }
      for (const [topic, partition, offset] of next) positions.advance(topic, partition, offset);
    },
    async sync(released) {
      const changed = released.filter(([topic, partition, offset]) => positions.get({ topic, partition })?.released.at(-1) !== offset);
      if (!dirty && changed.length === 0) return;
      syncing = true;
      try {
        requireOwn();
        if (dirty) await sync(fd);
        // Its lines would be taken for written, and go nowhere until the next start.
        if (fstatSync(fd).nlink === 0) {
          throw new ConnectError(`connector ${connector}: file '${path}' was deleted while it was written to.`, {
            hint: 'Restart the task: it makes the file anew, and writes what came since the last commit of offsets.',
          });
        }
        for (const [topic, partition, offset] of changed) positions.release(topic, partition, offset);
        entries.append({ kind: 'synced', released: changed });
        await entries.sync();
        dirty = false;
        if (entries.bytes > longestLogBytes) {
          requireOwn();
          entries[Symbol.dispose]();
          entries = startPositionLog(positionsFile(path, connector), base());
        }
      } catch (error) {
        throw error instanceof ConnectError ? error : failed('force to the disk', error, hintFor(error));
      } finally {
        syncing = false;
      }
    },
    rotateIfDue() {
      if (syncing || !isDue()) return;
      try {
        rotate();
      } catch (error) {
        throw error instanceof ConnectError ? error : failed('put aside', error, hintFor(error));
      }
    },
    async [Symbol.asyncDispose]() {
      try {
        if (!dirty && !entries.isReplaced) {
          entries.append({ kind: 'closed' });
          await entries.sync();
        }
      } catch (error) {
        log.warn(`connector ${connector}: the end of file '${path}' could not be noted: ${(error as Error).message}`);
      } finally {
        entries[Symbol.dispose]();
        closeSync(fd);
      }
    },
  };
}

function hintFor(error: unknown): string | undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return 'The disk is full: make room, and restart the task. Nothing of it was committed; it goes on after the last whole line.';
  if (code === 'EFBIG') return 'The file may not grow further: set file.rotate.bytes or raise the limit, and restart the task.';
  return undefined;
}
