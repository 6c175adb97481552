/**
 * One file on disk for all that a task cannot hold in memory. It has no name once it is open, so it is gone with
 * the process however that ends.
 */
import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { ConnectError } from '@millrace/runtime/api';

const blockBytes = 16 * 1024;

/** Where some bytes are: the blocks in order, the last one perhaps not full. */
export interface Extent {
  readonly blocks: readonly number[];
  readonly bytes: number;
}

export interface SpillFile extends AsyncDisposable {
  /** Rejects with a ConnectError, the disk being full, say. */
  write(chunks: readonly Uint8Array[]): Promise<Extent>;
  /** Reads it into the buffer's beginning. */
  read(extent: Extent, into: Uint8Array): Promise<void>;
  free(extent: Extent): void;
}

export function spillFile(folder: string): SpillFile {
  let handle: Promise<FileHandle> | undefined;
  let blocks = 0;
  const unused: number[] = [];

  async function opened(): Promise<FileHandle> {
    const path = join(folder, `millrace-s3-${randomUUID()}`);
    const file = await open(path, 'wx+');
    await rm(path);
    return file;
  }

  return {
    async write(chunks) {
      const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
      const taken = Array.from({ length: Math.ceil(bytes / blockBytes) }, () => unused.pop() ?? blocks++).toSorted((a, b) => a - b);
      try {
        const file = await (handle ??= opened());
        const whole = Buffer.concat(chunks, bytes);
        for (const [position, from, to] of runs(taken, bytes)) {
          for (let at = from; at < to;) at += (await file.write(whole, at, to - at, position + at - from)).bytesWritten;
        }
      } catch (cause) {
        unused.push(...taken);
        throw new ConnectError(`cannot put ${bytes} bytes aside below ${folder}: ${(cause as Error).message}.`, {
          cause,
          hint: 'Make room there, set s3.buffer.spill.dir to another folder, or raise s3.buffer.max.bytes.',
        });
      }
      return { blocks: taken, bytes };
    },
    async read({ blocks: taken, bytes }, into) {
      const file = await (handle as Promise<FileHandle>);
      for (const [position, from, to] of runs(taken, bytes)) {
        for (let at = from; at < to;) {
          const { bytesRead } = await file.read(into, at, to - at, position + at - from);
          if (bytesRead === 0) throw new ConnectError(`the file for bytes put aside below ${folder} has become shorter`);
          at += bytesRead;
        }
      }
    },
    free: ({ blocks: taken }) => void unused.push(...taken),
    [Symbol.asyncDispose]() {
      // Nobody waits for it: freeing the blocks of a large file that has no name can take a busy disk a minute.
      void handle?.then((file) => file.close()).catch(() => {});
      return Promise.resolve();
    },
  };
}

/** Neighbouring blocks as one: position in the file, and from where to where in the bytes. */
function* runs(blocks: readonly number[], bytes: number): Generator<[position: number, from: number, to: number]> {
  for (let i = 0; i < blocks.length;) {
    let end = i + 1;
    while (end < blocks.length && blocks[end] === (blocks[end - 1] as number) + 1) end++;
    yield [(blocks[i] as number) * blockBytes, i * blockBytes, Math.min(end * blockBytes, bytes)];
    i = end;
  }
}
