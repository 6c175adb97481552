/** The worker's log: pino, in lines as Connect's people know them, or as JSON. */
import { pino } from 'pino';
import type { Logger as Pino } from 'pino';

import type { Logger } from '../api/index.ts';
import { createLogLevels } from './log-levels.ts';
import type { Level, LogLevels } from './log-levels.ts';
import { redactFields, redactText } from './redact.ts';
import { textLine } from './text-line.ts';

export interface LoggingOptions {
  /** Of root; INFO when left out. Throws a RangeError for an unknown one. */
  readonly level?: string;
  readonly format?: 'text' | 'json';
  /** Where lines go; standard error when left out. */
  readonly stream?: { write(text: string): unknown };
}

export interface Logging {
  /** The same logger for the same name. `NAME|task-0` is a task's, as Connect writes it. */
  logger(name: string): Logger;
  readonly levels: LogLevels;
}

const pinoLevels: Readonly<Record<Level, string>> = {
  OFF: 'silent',
  FATAL: 'fatal',
  ERROR: 'error',
  WARN: 'warn',
  INFO: 'info',
  DEBUG: 'debug',
  TRACE: 'trace',
  ALL: 'trace',
};

export function createLogging({ level = 'INFO', format = 'text', stream = process.stderr }: LoggingOptions = {}): Logging {
  const levels = createLogLevels(level);
  const write = (line: string): void => void stream.write(format === 'text' ? textLine(JSON.parse(line) as Record<string, unknown>) : line);
  const root = pino(
    {
      level: 'trace',
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: {
        level: (label) => ({ level: label.toUpperCase() }),
        log: (fields) => redactFields(fields) as Record<string, unknown>,
      },
    },
    { write },
  );

  const children = new Map<string, { readonly child: Pino; readonly logger: Logger }>();
  levels.onChange(() => {
    for (const [name, { child }] of children) child.level = pinoLevels[levels.levelOf(name)];
  });

  return {
    levels,
    logger(name) {
      const known = children.get(name);
      if (known !== undefined) return known.logger;
      levels.know(name);
      const child = root.child({ logger: name }, { level: pinoLevels[levels.levelOf(name)] });
      const logger = loggerOn(child);
      children.set(name, { child, logger });
      return logger;
    },
  };
}

function loggerOn(child: Pino): Logger {
  return {
    debug: (message, fields = {}) => child.debug(plain(fields), redactText(message)),
    info: (message, fields = {}) => child.info(plain(fields), redactText(message)),
    warn: (message, fields = {}) => child.warn(plain(fields), redactText(message)),
    error: (message, fields = {}) => child.error(plain(fields), redactText(message)),
  };
}

/** Fields that JSON cannot hold, as text; an error under any key with its stack and causes. */
function plain(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => {
      if (value instanceof Error) return [key, errorText(value)];
      return [key, typeof value === 'bigint' || typeof value === 'function' ? String(value) : value];
    }),
  );
}

function errorText(error: Error): string {
  const cause = error.cause instanceof Error ? `\nCaused by: ${errorText(error.cause)}` : '';
  return redactText(`${error.stack ?? `${error.name}: ${error.message}`}${cause}`);
}
