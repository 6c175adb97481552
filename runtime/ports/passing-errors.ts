/** Which errors name a reason that may pass by itself: the same task, started anew later, may work. */
import { RetriableError } from '../api/index.ts';
import { FencedError } from './log.ts';

/** Of Node and its HTTP client: nobody answers, the answer did not come, or there is no room just now. */
const systemCodes: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ESOCKETTIMEDOUT', 'ENOTCONN'],
  ...['EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'ENETRESET', 'EADDRNOTAVAIL', 'EAI_AGAIN', 'ENOTFOUND'],
  ...['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_SOCKET'],
  ...['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'EBUSY'],
]);

/**
 * SQLSTATEs: connections (08), transactions that others got in the way of (40), a server that is full (53), that starts
 * or stops (57P), an object or a lock that others hold (55006, 55P03). Source: PostgreSQL, appendix A.
 */
const sqlStates = /^(08...|40...|53...|57P0[1-5]|55006|55P03|58030)$/;

/** 5xx but "not implemented" and its like, and what asks to come again later. */
const httpStatuses: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504, 507]);

/** By their names, since their classes are the clients' own: of the Elasticsearch client, AbortSignal.timeout and the AWS SDK. */
const names: ReadonlySet<string> = new Set([
  'ConnectionError',
  'NoLivingConnectionsError',
  'TimeoutError',
  'SlowDown',
  'ThrottlingException',
]);

/** What drivers say of a connection that is gone, without a code. */
const lost = /^(Connection terminated|Connection ended unexpectedly|socket hang up|Client has encountered a connection error)/;

const looksAt = 20;

/** Whether the error, or one that it came from, may pass. */
export function mayPass(error: unknown): boolean {
  const found: unknown[] = [error];
  for (let at = 0; at < found.length && at < looksAt; at++) {
    const each = found[at];
    if (!(each instanceof Error)) continue;
    if (passes(each)) return true;
    if (each.cause !== undefined) found.push(each.cause);
    if (each instanceof AggregateError) found.push(...(each.errors as unknown[]));
  }
  return false;
}

function passes(error: Error): boolean {
  // By name too: an error that nobody caught loses its class on the way out of its thread.
  if (error instanceof RetriableError || error instanceof FencedError || error.name === 'RetriableError') return true;
  const { code, statusCode, $metadata } = error as ClientError;
  if (typeof code === 'string' && (systemCodes.has(code) || sqlStates.test(code))) return true;
  const status = statusCode ?? $metadata?.httpStatusCode;
  return (typeof status === 'number' && httpStatuses.has(status)) || names.has(error.name) || lost.test(error.message);
}

/** What errors of the system, of drivers and of HTTP clients carry. */
interface ClientError extends Error {
  readonly code?: unknown;
  readonly statusCode?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: unknown };
}
