import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { ConfigError, ConnectError } from '@millrace/runtime/api';

/** Bytes in order. */
export interface Input extends AsyncDisposable {
  /** The next bytes, or undefined while there are none. A view that holds until the next call. */
  read(signal: AbortSignal): Promise<Uint8Array | undefined>;
}

const chunkBytes = 256 * 1024;

/** Opens a file to read from a position (in bytes), or the standard input for null. Undefined while there is no such file. */
export async function openInput(file: string | null, position: number, connector: string): Promise<Input | undefined> {
  if (file === null) return standardInput();
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigError(`connector ${connector}: cannot read file '${file}': ${(cause as Error).message}`, { cause });
  }
  return fileInput(handle, file, position, connector);
}

function fileInput(handle: FileHandle, file: string, start: number, connector: string): Input {
  const buffer = new Uint8Array(chunkBytes);
  let position = start;
  return {
    async read() {
      const { bytesRead } = await handle.read(buffer, 0, chunkBytes, position);
      if (bytesRead > 0) {
        position += bytesRead;
        return buffer.subarray(0, bytesRead);
      }
      const { size } = await handle.stat();
      if (size < position) {
        throw new ConnectError(
          `connector ${connector}: file '${file}' has ${size} bytes, but was read up to byte ${position}: it was cut short or replaced.`,
          {
            hint: "Reset the connector's offsets to read it from its beginning.",
          },
        );
      }
      return undefined;
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

/** The process's own standard input, read by its descriptor, since threads do not share the stream. */
function standardInput(): Input {
  const stream = createReadStream('', { fd: 0, autoClose: false });
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  let ended = false;
  let pending: Promise<IteratorResult<Uint8Array>> | undefined;
  return {
    async read(signal) {
      if (ended) return undefined;
      pending ??= chunks.next();
      const result = await Promise.race([pending, aborted(signal)]);
      if (result === undefined) return undefined;
      pending = undefined;
      ended = result.done === true;
      return ended ? undefined : result.value;
    },
    async [Symbol.asyncDispose]() {
      stream.destroy();
    },
  };
}

/** Resolves when the task is asked to stop, or after a second, so that a silent input does not hold `poll` up. */
function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, 1000);
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve(undefined);
    }
    if (signal.aborted) done();
  });
}
