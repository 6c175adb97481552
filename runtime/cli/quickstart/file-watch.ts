import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Screen } from './progress.ts';

const lookEveryMs = 500;

/** Says when rows arrive in the files, and on a terminal goes on counting. */
export function watchFiles(folder: string, screen: Screen & { readonly isTTY?: boolean }, transactions: () => number): AsyncDisposable {
  const began = performance.now();
  const counts = new Map<string, { bytes: number; lines: number }>();
  let said = false;
  let looking = Promise.resolve();

  const look = async (): Promise<void> => {
    for (const file of readdirSync(folder)) counts.set(file, await countOn(join(folder, file), counts.get(file)));
    const lines = [...counts.values()].reduce((sum, count) => sum + count.lines, 0);
    if (lines > 0 && !said) {
      said = true;
      screen.write(`Rows are arriving: ${lines} lines after ${((performance.now() - began) / 1_000).toFixed(1)} s\n`);
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

/** Reads on from where it was, so that a file of any length costs what it grew by. */
async function countOn(file: string, before = { bytes: 0, lines: 0 }): Promise<{ bytes: number; lines: number }> {
  let { bytes, lines } = before;
  for await (const chunk of createReadStream(file, { start: bytes }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines += 1;
  }
  return { bytes, lines };
}
