import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Screen } from './progress.ts';

const lookEveryMs = 500;

/** By file name. */
export type LineCounts = ReadonlyMap<string, { readonly bytes: number; readonly lines: number }>;

const linesIn = (counts: LineCounts): number => [...counts.values()].reduce((sum, { lines }) => sum + lines, 0);

export interface FileWatchOptions {
  readonly folder: string;
  readonly screen: Screen & { readonly isTTY?: boolean };
  /** What was there before the worker started. */
  readonly before: LineCounts;
  /** Transactions in the shop so far. */
  readonly transactions: () => number;
}

/** Says when rows arrive in the files, and on a terminal goes on counting. */
export function watchFiles({ folder, screen, before, transactions }: FileWatchOptions): AsyncDisposable {
  const began = performance.now();
  const old = linesIn(before);
  let counts = before;
  let said = false;
  let looking = Promise.resolve();

  const look = async (): Promise<void> => {
    counts = await countLines(folder, counts);
    const lines = linesIn(counts);
    if (lines > old && !said) {
      said = true;
      screen.write(`Rows are arriving: ${lines - old} after ${((performance.now() - began) / 1_000).toFixed(1)} s\n`);
    }
    if (said && screen.isTTY === true) screen.write(`\r${transactions()} transactions in the shop, ${lines} lines in the files `);
  };
  const timer = setInterval(() => (looking = looking.then(look).catch(() => {})), lookEveryMs);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await looking;
    },
  };
}

/** Of each file in the folder, reading on from `before`. */
export async function countLines(folder: string, before: LineCounts = new Map()): Promise<LineCounts> {
  const files = readdirSync(folder);
  return new Map(await Promise.all(files.map(async (file) => [file, await countOn(join(folder, file), before.get(file))] as const)));
}

/** Reads on from where it was, so that a file of any length costs what it grew by. */
async function countOn(file: string, before = { bytes: 0, lines: 0 }): Promise<{ bytes: number; lines: number }> {
  let { bytes, lines } = before;
  for await (const chunk of createReadStream(file, { start: bytes }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines += 1;
  }
  return { bytes, lines };
}
