import { ConfigError, ConnectError, DataError, RetriableError } from '../api/index.ts';
import { FencedError } from '../ports/log.ts';

/** An error as it crosses threads: kind, text, stack, code, HTTP status, hint and causes survive; other properties do not. */
export interface CrossingError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly cause?: CrossingError;
  readonly code?: string;
  /** Of an HTTP client's. */
  readonly statusCode?: number;
  /** Part of the message already. */
  readonly hint?: string;
}

interface Answered extends Error {
  readonly statusCode?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: unknown };
}

const depthLimit = 8;

export function toCrossing(error: unknown, depth = 0): CrossingError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: String(error) };
  const code = (error as NodeJS.ErrnoException).code;
  const { statusCode, $metadata } = error as Answered;
  const status = statusCode ?? $metadata?.httpStatusCode;
  return {
    name: error.name,
    message: error.message,
    stack: error.stack ?? `${error.name}: ${error.message}`,
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof status === 'number' ? { statusCode: status } : {}),
    ...(error instanceof ConnectError && error.hint !== undefined ? { hint: error.hint } : {}),
    ...(error.cause === undefined || depth === depthLimit ? {} : { cause: toCrossing(error.cause, depth + 1) }),
  };
}

const kinds = { ConnectError, ConfigError, RetriableError, DataError, FencedError } as const;

export function fromCrossing(crossing: CrossingError): Error {
  const cause = crossing.cause === undefined ? undefined : fromCrossing(crossing.cause);
  const error = rebuild(crossing, cause);
  error.stack = crossing.stack;
  if (crossing.hint !== undefined) Object.assign(error, { hint: crossing.hint });
  if (crossing.code !== undefined) (error as NodeJS.ErrnoException).code = crossing.code;
  if (crossing.statusCode !== undefined) Object.assign(error, { statusCode: crossing.statusCode });
  return error;
}

function rebuild({ name, message }: CrossingError, cause: Error | undefined): Error {
  const options = cause === undefined ? {} : { cause };
  if (name in kinds) return new kinds[name as keyof typeof kinds](message, options);
  const error = new Error(message, options);
  error.name = name;
  return error;
}

/** The stack with those of its causes, as Java prints them: what a status shows as `trace`. */
export function traceOf(error: unknown, depth = 0): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause === undefined || depth === depthLimit ? own : `${own}\nCaused by: ${traceOf(error.cause, depth + 1)}`;
}
