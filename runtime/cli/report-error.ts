/** What an error becomes on the command line: one line, and an exit code that scripts can use. */
import { ConfigError, ConnectError } from '../api/index.ts';

export const exitCodes = { ok: 0, failure: 1, usage: 2 } as const;

/** `usage` for what the person must change: the command, a file, a config. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return exitCodes.usage;
  const status = (error as { status?: unknown } | null)?.status;
  const refused = error instanceof ConnectError && typeof status === 'number' && status >= 400 && status < 500;
  return refused ? exitCodes.usage : exitCodes.failure;
}

/** One line; with `debug`, or for a bug of ours, the stack below it. */
export function errorText(error: unknown, debug: boolean): string {
  if (!(error instanceof Error)) return `millrace: ${String(error)}\n`;
  const line = `millrace: ${(error.message || error.name).replace(/\s*\n\s*/g, ' ')}\n`;
  return debug || isBug(error) ? `${line}${stackOf(error)}\n` : line;
}

/** Neither one of our own errors nor one of the system's (which have a code). */
function isBug(error: Error): boolean {
  return !(error instanceof ConnectError) && (error as NodeJS.ErrnoException).code === undefined;
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\nCaused by: ${stackOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
