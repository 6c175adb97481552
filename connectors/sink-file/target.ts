import { open } from 'node:fs/promises';
import { ConfigError, ConnectError } from '@millrace/runtime/api';

/** Where lines go. */
export interface Target extends AsyncDisposable {
  /** Hands all of it to the operating system, and keeps nothing of it. Rejects with a ConnectError. */
  write(lines: Uint8Array): Promise<void>;
  /** Makes what was written durable. Rejects with a ConnectError when the file was deleted meanwhile, and the lines with it. */
  sync(): Promise<void>;
}

/** Opens a file to append to, or the standard output for null. Throws a ConfigError that says why it cannot. */
export async function openTarget(file: string | null, connector: string): Promise<Target> {
  if (file === null || file === '') return standardOutput;
  const handle = await open(file, 'a').catch((cause: NodeJS.ErrnoException) => {
    throw new ConfigError(`connector ${connector}: cannot open or create file '${file}' for writing: ${cause.message}`, {
      cause,
      hint: 'Set file to a path whose folder exists and that this user may write.',
    });
  });
  return {
    async write(lines) {
      try {
        // One system call, where it takes all: whole lines then stand together, whoever else appends.
        for (let rest = lines; rest.length > 0;) rest = rest.subarray((await handle.write(rest)).bytesWritten);
      } catch (cause) {
        throw new ConnectError(`connector ${connector}: cannot write to file '${file}': ${(cause as Error).message}`, {
          cause,
        });
      }
    },
    async sync() {
      await handle.datasync();
      const stat = await handle.stat();
      // Its lines would be taken for written, and go nowhere until the next start.
      if (stat.isFile() && stat.nlink === 0) {
        throw new ConnectError(`connector ${connector}: file '${file}' was deleted while it was written to.`, {
          hint: 'Restart the task: it makes the file anew, and writes what came since the last commit of offsets.',
        });
      }
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

const standardOutput: Target = {
  write: (lines) =>
    new Promise((resolve, reject) => {
      process.stdout.write(lines, (error) => (error ? reject(error) : resolve()));
    }),
  sync: async () => {},
  [Symbol.asyncDispose]: async () => {},
};
