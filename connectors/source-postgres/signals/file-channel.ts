/**
 * Signals in a file, one JSON object a line. Source: Debezium's FileSignalChannel, which empties the file as it reads
 * it; here lines stay until an offset is stored that knows of them, so that a crash loses none.
 */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Logger } from '@millrace/runtime/api';

import { parseSignal } from './signal-json.ts';
import type { Signal } from './signal.ts';

/** Where signals go, and what tells that they will not be forgotten. */
export interface FileDesk {
  arrive(signal: Signal): void;
  /** Resolves once an offset is stored that bears the mark, and so all signals that arrived before. */
  untilStored(mark: string): Promise<void>;
  /** The mark of the stored offset that the task began with. */
  readonly mark: string | undefined;
  /** The lines of that mark are gone. */
  forgetMark(): void;
}

/** Until the signal aborts. What cannot be read is told in the log, and tried again. */
export async function followFile(file: string, everyMs: number, desk: FileDesk, log: Logger, signal: AbortSignal): Promise<void> {
  log.info(`signals are read from the file ${file}`);
  /** The beginning of the file that has arrived. */
  let taken = Buffer.alloc(0);
  let waiting = false;

  const look = async (): Promise<void> => {
    let bytes = await readFile(file);
    if (desk.mark !== undefined && !waiting) {
      // What stands there was stored, and the crash came before the file could be emptied.
      const stored = markedPart(bytes, desk.mark);
      if (stored !== undefined) {
        remove(file, stored);
        bytes = bytes.subarray(stored.length);
      }
      desk.forgetMark();
    }
    if (!startsWith(bytes, taken)) taken = Buffer.alloc(0);
    const more = bytes.subarray(taken.length).toString('utf8');
    if (more !== '') {
      for (const line of more.split('\n')) {
        if (line.trim() === '') continue;
        const found = parseSignal(line);
        if (typeof found === 'string') log.warn(`a line of the signal file ${file} is left out: ${found}`);
        else desk.arrive(found);
      }
      taken = bytes;
    }
    if (taken.length === 0 || waiting) return;
    waiting = true;
    const part = taken;
    void desk
      .untilStored(markOf(part))
      .then(() => {
        remove(file, part);
        if (startsWith(taken, part)) taken = taken.subarray(part.length);
        desk.forgetMark();
      })
      .catch((error: unknown) => log.warn(`the signal file ${file} cannot be emptied: ${(error as Error).message}`))
      .finally(() => (waiting = false));
  };

  while (!signal.aborted) {
    await look().catch((error: { code?: string; message?: string }) => {
      if (error.code !== 'ENOENT') log.warn(`the signal file ${file} cannot be read: ${error.message}`);
    });
    await sleep(everyMs, undefined, { signal }).catch(() => {});
  }
}

const startsWith = (bytes: Buffer, start: Buffer): boolean => bytes.subarray(0, start.length).equals(start);

const markOf = (bytes: Buffer): string => `${bytes.length}:${createHash('sha256').update(bytes).digest('base64')}`;

function markedPart(bytes: Buffer, mark: string): Buffer | undefined {
  const part = bytes.subarray(0, Number.parseInt(mark, 10));
  return markOf(part) === mark ? part : undefined;
}

/** Without a pause between reading and writing, in which somebody could add a line. */
function remove(file: string, part: Buffer): void {
  const handle = openSync(file, 'r+');
  try {
    const bytes = Buffer.alloc(fstatSync(handle).size);
    readSync(handle, bytes, 0, bytes.length, 0);
    if (!startsWith(bytes, part)) return;
    const left = bytes.subarray(part.length);
    ftruncateSync(handle, 0);
    if (left.length > 0) writeSync(handle, left, 0, left.length, 0);
  } finally {
    closeSync(handle);
  }
}
