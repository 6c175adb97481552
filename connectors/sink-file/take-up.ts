/** Puts a file into order when a task starts: cuts a torn end off, ends a rotation, and says what it did. */
import { closeSync, copyFileSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, readdirSync, renameSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Logger } from '@millrace/runtime/api';
import { bootId } from './boot.ts';
import { positionsFile } from './file-names.ts';
import type { Chunk } from './position-entries.ts';
import { readPositionsFile, syncFolder, writeAll } from './position-log.ts';
import { Positions } from './positions.ts';
import { recover } from './recovery.ts';
import type { Recovered } from './recovery.ts';

export interface TakenUp {
  /** Of the data file, to read and to append. */
  readonly fd: number;
  readonly positions: Positions;
  readonly length: number;
  readonly last: Chunk | null;
  readonly beganMs: number;
  readonly rotations: number;
}

interface TakeUpOptions {
  readonly path: string;
  readonly connector: string;
  readonly log: Logger;
  readonly gzip: boolean;
}

/** All of the file is on the disk afterwards. */
export function takeUp({ path, connector, log, gzip }: TakeUpOptions): TakenUp {
  let fd = openSync(path, 'a+');
  try {
    const found = recover(fd, readPositionsFile(positionsFile(path, connector)), bootId());
    if (found === undefined) {
      if (!gzip) endLastLine(fd);
      fsyncSync(fd);
      const length = fstatSync(fd).size;
      return { fd, positions: new Positions(), length, last: null, beganMs: length === 0 ? 0 : Date.now(), rotations: 0 };
    }
    if (found.rotateTo !== undefined) {
      renameSync(path, found.rotateTo);
      closeSync(fd);
      fd = openSync(path, 'a+');
    }
    settle(fd, found, { path, connector, log });
    if (!gzip && (found.state === 'foreign' || found.state === 'other file')) endLastLine(fd);
    fsyncSync(fd);
    syncFolder(dirname(path));
    const length = fstatSync(fd).size;
    return {
      ...found,
      fd,
      length,
      last: length === found.length ? found.last : null,
      beganMs: length === 0 ? 0 : found.beganMs || Date.now(),
    };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function settle(fd: number, { state, length }: Recovered, { path, connector, log }: Omit<TakeUpOptions, 'gzip'>): void {
  const { size } = fstatSync(fd);
  const says = `connector ${connector}: file '${path}'`;
  if (state === 'torn') {
    ftruncateSync(fd, length);
    log.info(`${says}: ${size - length} bytes that a crash left half written were cut off its end`);
  } else if (state === 'unexplained' && hasOtherWriters(path, connector)) {
    log.warn(
      `${says} ends in ${size - length} bytes whose positions the loss of power took; other connectors write to it, so they were left, and may come again`,
    );
  } else if (state === 'unexplained') {
    const kept = `${path}.cut-${Date.now()}`;
    copyFileSync(path, kept);
    ftruncateSync(fd, length);
    log.warn(
      `${says}: ${size - length} bytes whose positions the loss of power took were cut off its end, and come again; the file as it was is kept as '${kept}'`,
    );
  } else if (state === 'other file') {
    log.warn(`${says} is not the one that this connector wrote last, or was cut short: it is appended to, from the committed offsets on`);
  }
}

function hasOtherWriters(path: string, connector: string): boolean {
  const own = basename(positionsFile(path, connector));
  return readdirSync(dirname(path)).some((name) => name !== own && name.startsWith(`.${basename(path)}.`) && name.endsWith('.positions'));
}

/** What another program left without a newline must not become one line with the next. */
function endLastLine(fd: number): void {
  const { size } = fstatSync(fd);
  const byte = Buffer.alloc(1);
  if (size > 0 && readSync(fd, byte, 0, 1, size - 1) === 1 && byte[0] !== 0x0a) writeAll(fd, Buffer.from('\n'));
}
