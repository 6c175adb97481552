/** The one place where an error becomes an HTTP answer. Source: …rest.errors.ConnectExceptionMapper. */
import { STATUS_CODES } from 'node:http';

import { ConfigError } from '../api/index.ts';
import { RequestError } from '../ports/herder.ts';

export interface ErrorAnswer {
  readonly status: number;
  readonly message: string;
  /** Connect's router answers with JSON that it does not call so: no Content-Type. */
  readonly untyped: boolean;
}

/** What the router itself refuses: 404, 405, 406, 415. */
export class RoutingError extends RequestError {
  override readonly name: string = 'RoutingError';
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, headers: Readonly<Record<string, string>> = {}) {
    super(status, `HTTP ${status} ${STATUS_CODES[status]}`);
    this.headers = headers;
  }
}

export function errorAnswer(error: unknown): ErrorAnswer {
  if (error instanceof RoutingError) return { status: error.status, message: error.message, untyped: true };
  if (error instanceof RequestError) return { status: error.status, message: error.message, untyped: false };
  const message = error instanceof Error ? error.message || error.name : String(error);
  if (error instanceof ConfigError) return { status: 400, message, untyped: false };
  return { status: clientMistake(error) ?? 500, message, untyped: false };
}

// What express finds wrong before a handler runs: a bad percent escape, a body too large or cut short.
function clientMistake(error: unknown): number | undefined {
  const status = (error as { status?: unknown } | null)?.status;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}
