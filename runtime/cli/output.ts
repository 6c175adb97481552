/** Standard output for much text: waits when the reader is slow, and knows when it has gone (`| head`). */
import { once } from 'node:events';
import type { Writable } from 'node:stream';

export interface Output {
  /** Resolves when there is room for more; at once after the reader has gone. */
  write(text: string | Uint8Array): Promise<void>;
  /** Aborted when the reader has gone. */
  readonly closed: AbortSignal;
}

export function outputTo(stream: Writable): Output {
  const gone = new AbortController();
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    gone.abort();
  });
  return {
    closed: gone.signal,
    async write(text) {
      if (gone.signal.aborted || stream.write(text)) return;
      await once(stream, 'drain', { signal: gone.signal }).catch(() => {});
    },
  };
}
