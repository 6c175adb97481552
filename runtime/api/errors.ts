/**
 * Three kinds of error, and what the runtime does with each:
 *
 * - {@link ConfigError}: the person must act. A config is refused; a running task fails.
 * - {@link RetriableError}: tried again, with backoff.
 * - {@link DataError}: this record is bad. `errors.tolerance` and the dead-letter queue decide.
 *
 * Anything else fails the task, with its stack in the status. A message says what was being done, what was
 * found, and what to do about it.
 */
export class ConnectError extends Error {
  override readonly name: string = 'ConnectError';
  /** What the person can do about it; printed after the message. */
  readonly hint?: string;

  constructor(message: string, options: { cause?: unknown; hint?: string } = {}) {
    super(options.hint === undefined ? message : `${message} ${options.hint}`, options.cause === undefined ? {} : { cause: options.cause });
    if (options.hint !== undefined) this.hint = options.hint;
  }
}

/** Connect's ConfigException. */
export class ConfigError extends ConnectError {
  override readonly name: string = 'ConfigError';
}

/** Connect's RetriableException. */
export class RetriableError extends ConnectError {
  override readonly name: string = 'RetriableError';
}

/** Connect's DataException. */
export class DataError extends ConnectError {
  override readonly name: string = 'DataError';
}
