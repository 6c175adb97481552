/** What a failed request to S3 means. */

/** What the SDK's errors have in common; `$metadata` is there once there was an answer. */
interface SdkError extends Error {
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Refusals that are answers to a broken connection or a busy server, whatever their status. */
const passing = new Set([
  'SlowDown',
  'RequestTimeout',
  'RequestTimeoutException',
  'IncompleteBody',
  'BadDigest',
  'XAmzContentSHA256Mismatch',
  'InternalError',
  'ServiceUnavailable',
  'OperationAborted',
  'ConditionalRequestConflict',
  'TimeoutError',
  'ThrottlingException',
  'TooManyRequestsException',
  'ExpiredToken',
]);

export const statusOf = (error: unknown): number | undefined => (error as SdkError).$metadata?.httpStatusCode;

export const nameOf = (error: unknown): string => (error instanceof Error ? error.name : String(error));

/** Whether the same request may succeed later: no answer, a busy server, a broken body. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof Error) || error.name === 'AbortError') return false;
  if (passing.has(error.name)) return true;
  const status = statusOf(error);
  // Not every store has every operation.
  if (status === 501) return false;
  if (status !== undefined) return status >= 500 || status === 429 || status === 408 || status < 400;
  // No answer at all; programming errors and missing credentials have no code.
  return typeof (error as SdkError).code === 'string' || (error.cause instanceof Error && isPassing(error.cause));
}

/** The upload is gone: aborted by a lifecycle rule, by another worker, or completed by a request whose answer was lost. */
export const isNoSuchUpload = (error: unknown): boolean => nameOf(error) === 'NoSuchUpload';

/** `AccessDenied (403): …`, without the request's own data. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const status = statusOf(error);
  // The answer to a HEAD has no body that could say more.
  if (status !== undefined && error.name.startsWith('Unknown')) return `HTTP status ${status}`;
  const { code } = error as SdkError;
  const name = error.name === 'Error' && typeof code === 'string' ? code : error.name;
  return `${name}${status === undefined ? '' : ` (${status})`}: ${error.message || 'no further word'}`;
}
