/**
 * Requests that another worker has to answer are sent on to it, over two hops at most: one that came from a client goes
 * on with `forward=true`, that one with `forward=false`. Source: …runtime.rest.HerderRequestHandler.
 */
import type { Request } from 'express';

import type { Logger } from '../api/index.ts';
import { RequestError } from '../ports/herder.ts';
import type { ForwardError } from '../ports/herder.ts';
import { signatureHeaders } from './internal-router.ts';
import { bytesOf, originOf, queryOf } from './resource.ts';
import type { Answer } from './resource.ts';
import { failureOf, ioError } from './rest-client.ts';
import type { RestClient, RestReply } from './rest-client.ts';

const tooManyHops = 'Cannot complete request because of a conflicting operation (e.g. worker rebalance)';

/** The other worker's answer; rejects with a RequestError where there is no such worker, or no answer from it. */
export async function forwarded(error: ForwardError, request: Request, client: RestClient, log?: Logger): Promise<Answer> {
  const query = queryOf(request);
  const flag = query.get('forward');
  // java.lang.Boolean.valueOf, as in Connect: only "true" is true.
  if (flag !== null && flag.toLowerCase() !== 'true') {
    log?.error(`${request.method} ${request.path} failed: the worker that could answer was not found within two hops between workers.`);
    throw new RequestError(409, tooManyHops);
  }
  if (error.url === undefined) throw error;
  query.set('forward', String(flag === null));
  const url = `${error.url.replace(/\/$/, '')}${request.path}?${query}`;
  log?.debug(`forwarding ${request.method} ${url}`);
  return answerOf(await client({ method: request.method, url, headers: passedOn(request), body: bytesOf(request) }), request, url);
}

/** The caller's credentials, and the signature of a worker: it is of the body, which goes on as it came. */
function passedOn(request: Request): Record<string, string> {
  return Object.fromEntries(
    ['authorization', ...Object.values(signatureHeaders)].flatMap((name) => {
      const value = request.get(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function answerOf(reply: RestReply, request: Request, url: string): Answer {
  const { status, text } = reply;
  if (status < 200 || (status >= 300 && status < 400)) {
    throw new RequestError(500, `Unexpected status code when handling forwarded request: ${status}`);
  }
  if (status >= 400 && status !== 401) throw failureOf(reply);
  const challenge = reply.header('www-authenticate');
  const location = reply.header('location');
  const headers = {
    // The client knows this worker, and may not reach the other.
    ...(location !== undefined && { Location: locationHere(location, request, url) }),
    ...(challenge !== undefined && { 'WWW-Authenticate': challenge }),
  };
  if (status === 204 || text === '') return { status, headers };
  return { status, body: text, contentType: reply.header('content-type') ?? '', headers };
}

function locationHere(location: string, request: Request, url: string): string {
  if (!URL.canParse(location, url)) throw ioError('the other worker answered with a broken Location', undefined);
  const { pathname, search } = new URL(location, url);
  return `${originOf(request)}${pathname}${search}`;
}
