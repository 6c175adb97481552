/** The log of a thread that has none: entries are posted to one that has. */
import type { Logger } from '../api/index.ts';

export interface LogEntry {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** `post` gets what can be cloned between threads: errors as their stacks, functions and the like as text. */
export function forwardingLogger(post: (entry: LogEntry) => void): Logger {
  const at =
    (level: keyof Logger) =>
    (message: string, fields?: Readonly<Record<string, unknown>>): void =>
      post(fields === undefined ? { level, message } : { level, message, fields: cloneable(fields) });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** Writes a posted entry. */
export function writeEntry(logger: Logger, { level, message, fields }: LogEntry): void {
  logger[level](message, fields);
}

function cloneable(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, cloneableValue(value)]));
}

function cloneableValue(value: unknown): unknown {
  if (value instanceof Error) {
    const cause = value.cause instanceof Error ? `\nCaused by: ${String(cloneableValue(value.cause))}` : '';
    return `${value.stack ?? value.message}${cause}`;
  }
  try {
    return structuredClone(value);
  } catch {
    return String(value);
  }
}
