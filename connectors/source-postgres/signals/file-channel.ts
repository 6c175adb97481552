/** Signals in a file, one JSON object a line; it is emptied as it is read. Source: Debezium's FileSignalChannel. */
import { readFile, truncate } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Logger } from '@millrace/runtime/api';

import { parseSignal } from './signal-json.ts';
import type { Signal } from './signal.ts';

/** Until the signal aborts. What cannot be read is told in the log, and tried again. */
export async function followFile(
  file: string,
  everyMs: number,
  arrive: (signal: Signal) => void,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  log.info(`signals are read from the file ${file}`);
  while (!signal.aborted) {
    try {
      const text = await readFile(file, 'utf8');
      if (text !== '') await truncate(file);
      for (const line of text.split('\n')) {
        if (line.trim() === '') continue;
        const found = parseSignal(line);
        if (typeof found === 'string') log.warn(`a line of the signal file ${file} is left out: ${found}`);
        else arrive(found);
      }
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOENT') log.warn(`the signal file ${file} cannot be read: ${(error as Error).message}`);
    }
    await sleep(everyMs, undefined, { signal }).catch(() => {});
  }
}
