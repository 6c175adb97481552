/** Requests to other workers. Source: org.apache.kafka.connect.runtime.rest.RestClient. */
import { request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { ConnectionOptions } from 'node:tls';

import { RequestError } from '../ports/herder.ts';
import { isJsonObject, NumberText, parseJson } from './json.ts';
import { requestTimeoutMs } from './resource.ts';

export interface RestCall {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is, as JSON; left out when empty. */
  readonly body?: Buffer;
}

export interface RestReply {
  readonly status: number;
  header(name: string): string | undefined;
  readonly text: string;
}

/** Rejects with a RequestError of status 500 when no whole answer came. */
export type RestClient = (call: RestCall) => Promise<RestReply>;

export interface RestClientOptions {
  /** How https: workers are trusted, and who this one is to them; asked for each call, so that renewed files count. */
  readonly tls?: () => Promise<ConnectionOptions>;
  readonly timeoutMs?: number;
}

/** As Jetty's client has it. */
const connectTimeoutMs = 15_000;
const maxReplyBytes = 32 * 1024 * 1024;

/** Each request has a connection of its own: they are rare, and workers come and go. Redirects are not followed. */
export function createRestClient({ tls, timeoutMs = requestTimeoutMs }: RestClientOptions = {}): RestClient {
  return async ({ method, url, headers, body }) => {
    const secure = url.startsWith('https://');
    const trust = secure ? await tlsOf(tls) : {};
    try {
      const sent = (secure ? httpsRequest : httpRequest)(url, {
        ...trust,
        method,
        agent: false,
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          Accept: 'application/json',
          'User-Agent': 'millrace',
          ...(body?.length ? { 'Content-Type': 'application/json' } : {}),
          'Content-Length': String(body?.length ?? 0),
          ...headers,
        },
      });
      sent.end(body);
      return await replyOf(await responseOf(sent));
    } catch (error) {
      throw ioError(reasonOf(error as Error, timeoutMs), error);
    }
  };
}

/** An answer that is none of success as an error, with its status and message. */
export function failureOf(reply: RestReply): RequestError {
  let body: unknown;
  try {
    body = parseJson(reply.text);
  } catch (error) {
    return ioError(`the other worker answered ${reply.status} with what is no JSON`, error);
  }
  if (!isJsonObject(body) || typeof body['message'] !== 'string') {
    return ioError(`the other worker answered ${reply.status} without a message`, undefined);
  }
  const code = body['error_code'];
  return new RequestError(code instanceof NumberText ? Number(code.text) : reply.status, body['message']);
}

export function ioError(why: string, cause: unknown): RequestError {
  return new RequestError(500, `IO Error trying to forward REST request: ${why}`, { cause });
}

async function tlsOf(tls: RestClientOptions['tls']): Promise<ConnectionOptions> {
  try {
    return (await tls?.()) ?? {};
  } catch (error) {
    throw new RequestError(500, `Failed to start RestClient: ${(error as Error).message}`, { cause: error });
  }
}

function responseOf(sent: ClientRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  sent.on('error', reject);
  sent.on('response', resolve);
  sent.on('socket', (socket) => {
    const late = (): void => void sent.destroy(new Error(`no connection within ${connectTimeoutMs / 1000} s`));
    const timer = setTimeout(late, connectTimeoutMs);
    socket.once('connect', () => clearTimeout(timer));
    socket.once('close', () => clearTimeout(timer));
  });
  return promise;
}

async function replyOf(response: IncomingMessage): Promise<RestReply> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > maxReplyBytes) throw new Error('the answer is too long');
    parts.push(part);
  }
  return {
    status: response.statusCode ?? 0,
    header(name) {
      const value = response.headers[name.toLowerCase()];
      return Array.isArray(value) ? value[0] : value;
    },
    text: Buffer.concat(parts).toString(),
  };
}

function reasonOf(error: Error, timeoutMs: number): string {
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`;
  // Of a name with several addresses, each one's failure stands in it, and it has no text of its own.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error && first.message !== '' ? first.message : error.name;
}
