/** Kafka Connect's REST API, as a client that does not give up at once: 409s while workers rebalance, servers that restart. */
import pRetry from 'p-retry';

import { ConfigError, ConnectError } from '../../api/index.ts';

/** An answer that is no success. */
export class AnswerError extends ConnectError {
  override readonly name: string = 'AnswerError';
  readonly status: number;
  /** The same request may be answered with success later. */
  readonly isPassing: boolean;

  constructor(status: number, message: string, isPassing: boolean) {
    super(message);
    this.status = status;
    this.isPassing = isPassing;
  }
}

export interface ConnectClient {
  /** Without credentials. */
  readonly url: string;
  /**
   * The parsed answer; undefined for an empty one. Repeats the request until the deadline while the server cannot be
   * reached, restarts or rebalances: a request may arrive twice. Rejects with an {@link AnswerError}, or with a
   * ConnectError when the server cannot be reached or the time is over.
   */
  request(method: string, path: string, body?: unknown): Promise<unknown>;
}

export interface ConnectClientOptions {
  /** Credentials in it are used when there are no others. */
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
  /** Aborted when the time is over. */
  readonly deadline: AbortSignal;
  /** Called once for each row of failures, with what is in the way. */
  readonly onTrouble: (what: string) => void;
  /** For answers that JSON.parse would take digits from. */
  readonly parse?: (text: string) => unknown;
}

/** Connect itself gives up after 90 s. */
const longestRequestMs = 100_000;

export function createConnectClient(options: ConnectClientOptions): ConnectClient {
  const { deadline, onTrouble } = options;
  const { url, authorization } = serverOf(options);
  let troubled = false;

  async function once(method: string, path: string, body: unknown): Promise<unknown> {
    const answer = await fetch(url + path, {
      method,
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(authorization !== undefined && { authorization }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.any([deadline, AbortSignal.timeout(longestRequestMs)]),
    });
    const text = await answer.text();
    const value = parsed(text);
    if (!answer.ok) throw answerError(answer.status, value);
    if (text !== '' && value === undefined)
      throw new AnswerError(answer.status, `the answer is not JSON. Is ${url} a Kafka Connect?`, false);
    return options.parse === undefined || text === '' ? value : options.parse(text);
  }

  return {
    url,
    async request(method, path, body) {
      let last: unknown;
      try {
        const value = await pRetry(() => once(method, path, body), {
          retries: Number.POSITIVE_INFINITY,
          minTimeout: 200,
          maxTimeout: 3_000,
          randomize: true,
          signal: deadline,
          shouldRetry: ({ error }) => isPassing(error),
          onFailedAttempt({ error }) {
            last = error;
            if (!isPassing(error) || troubled) return;
            troubled = true;
            onTrouble(reasonOf(error));
          },
        });
        troubled = false;
        return value;
      } catch (error) {
        if (deadline.aborted)
          throw new ConnectError(`${method} ${url}${path}: no success in time${last === undefined ? '' : ` (${reasonOf(last)})`}.`);
        if (error instanceof AnswerError) throw error;
        throw new ConnectError(`${method} ${url}${path}: ${reasonOf(error)}.`, { cause: error });
      }
    },
  };
}

function serverOf({ url, user, password }: ConnectClientOptions): { readonly url: string; readonly authorization?: string } {
  // The text itself may hold a password, so no message repeats it.
  if (!URL.canParse(url)) throw new ConfigError('--url: is not a URL; write it as http://HOST:8083');
  const parts = new URL(url);
  if (!/^https?:$/.test(parts.protocol)) throw new ConfigError(`--url: must begin with http:// or https://, not with ${parts.protocol}`);
  const [name, secret] = user === undefined ? [decoded(parts.username), decoded(parts.password)] : [user, password ?? ''];
  const bare = `${parts.origin}${parts.pathname.replace(/\/+$/, '')}`;
  if (name === '') return { url: bare };
  return { url: bare, authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}` };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function answerError(status: number, value: unknown): AnswerError {
  const message = (value as { message?: unknown } | null | undefined)?.message;
  if (status === 401 || status === 403) {
    const hint = 'Check --user and --password-file, or MILLRACE_USER and MILLRACE_PASSWORD.';
    return new AnswerError(status, `${status}: the server wants other credentials. ${hint}`, false);
  }
  if (typeof message !== 'string') {
    // What a server says that is just starting: its pages are there before its REST API is.
    return new AnswerError(status, `HTTP status ${status}`, status === 404 || status >= 500);
  }
  return new AnswerError(status, message, isPassingAnswer(status, message));
}

/** Connect answers mistakes with 500 too, so that only these are worth another try. */
function isPassingAnswer(status: number, message: string): boolean {
  if (status === 409) return !/already exists/i.test(message);
  if (status === 500) return /rebalance|timed out|leader|shutting down|starting up|not (yet )?started/i.test(message);
  return status === 429 || (status > 500 && status !== 501);
}

const passingCodes = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN'],
  ...['UND_ERR_SOCKET', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'],
]);

function isPassing(error: unknown): boolean {
  if (error instanceof AnswerError) return error.isPassing;
  return (error as { name?: unknown } | null)?.name === 'TimeoutError' || passingCodes.has(codeOf(error) ?? '');
}

/** fetch hides the reason in its error's cause, and that of several addresses one level further down. */
function codeOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at instanceof AggregateError ? at.errors[0] : at.cause) {
    const { code } = at as NodeJS.ErrnoException;
    if (typeof code === 'string') return code;
  }
  return undefined;
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection is refused',
  ECONNRESET: 'the connection broke',
  UND_ERR_SOCKET: 'the connection broke',
  ENOTFOUND: 'there is no such host',
};

function reasonOf(error: unknown): string {
  if (error instanceof AnswerError) return error.message;
  const code = codeOf(error);
  if (code !== undefined) return words[code] ?? code;
  return error instanceof Error ? error.message : String(error);
}
