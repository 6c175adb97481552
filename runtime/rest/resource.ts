/**
 * Resources of the REST API: a path and what each method does there. The rules around the methods are those of
 * JAX-RS, which Connect's clients know: 404 before 405, before 415, before 406; HEAD is a GET without a body;
 * OPTIONS lists the methods.
 */
import { raw } from 'express';
import type { Request, Response, Router } from 'express';

import { RequestError } from '../ports/herder.ts';
import { RoutingError } from './errors.ts';
import { parseJson, stringifyJson } from './json.ts';

export interface Call {
  /** A part of the path, decoded. */
  param(name: string): string;
  readonly query: URLSearchParams;
  /** `http://host:port`, as the client wrote it. */
  readonly origin: string;
  /** The parsed body, undefined without one. Throws a RequestError for what is no JSON. */
  body(): unknown;
  /** The body as it came. */
  bytes(): Buffer;
  header(name: string): string | undefined;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  /** Sent as JSON, unless it is a string with a `contentType` of its own. */
  readonly body?: unknown;
  /** Empty: JSON sent without saying so. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Handler = (call: Call) => Answer | Promise<Answer>;
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export const ok = (body: unknown): Answer => ({ status: 200, body });
export const accepted: Answer = { status: 202 };
export const noContent: Answer = { status: 204 };

export interface ResourceOptions {
  /** What the resource answers with, for the Accept header. */
  readonly produces?: readonly string[];
  /** Methods of this path that another router has answered before. */
  readonly alsoAllowed?: readonly Method[];
}

/** No body that Connect's API takes comes near it. */
const maxBodyBytes = 32 * 1024 * 1024;

/** Bodies are kept as they came: signatures are of bytes. */
export const readBody = raw({ type: () => true, limit: maxBodyBytes });

/** How long a request may take, as in Connect's RestRequestTimeout. */
export const requestTimeoutMs = 90_000;

export function resource(router: Router, path: string, methods: Partial<Record<Method, Handler>>, options: ResourceOptions = {}): void {
  const { produces = json, alsoAllowed = [] } = options;
  const names = [...Object.keys(methods), ...alsoAllowed];
  const allow = [...(methods.GET ? ['HEAD'] : []), ...names, 'OPTIONS'].join(',');
  router.all(path, async (request, response) => {
    if (request.method === 'OPTIONS')
      return send(response, { status: 200, body: allow, contentType: 'text/plain', headers: { Allow: allow } });
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const handler = Object.hasOwn(methods, method) ? methods[method as Method] : undefined;
    if (handler === undefined) throw new RoutingError(405, { Allow: allow });
    await answer(handler, request, response, produces);
  });
}

/** One method alone, its body read here; everything else of the path is left to who comes after. */
export function route(router: Router, method: 'POST' | 'PUT', path: string, handler: Handler): void {
  const answered = async (request: Request, response: Response): Promise<void> => answer(handler, request, response, json);
  if (method === 'POST') router.post(path, readBody, answered);
  else router.put(path, readBody, answered);
}

const json: readonly string[] = ['application/json'];

async function answer(handler: Handler, request: Request, response: Response, produces: readonly string[]): Promise<void> {
  if (request.headers['content-type'] !== undefined && !isJson(request)) throw new RoutingError(415);
  if (!request.accepts([...produces])) throw new RoutingError(406);
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  send(response, await withTimeout(Promise.resolve(handler(callOf(request, gone.signal)))));
}

/** `http://host:port`, as the client wrote it. */
export const originOf = (request: Request): string => `${request.protocol}://${request.headers.host ?? 'localhost'}`;

/** The body as it came; empty without one. */
export function bytesOf(request: Request): Buffer {
  const bytes: unknown = request.body;
  return Buffer.isBuffer(bytes) ? bytes : Buffer.alloc(0);
}

export const queryOf = (request: Request): URLSearchParams => new URLSearchParams(/\?(.*)$/s.exec(request.originalUrl)?.[1] ?? '');

function callOf(request: Request, signal: AbortSignal): Call {
  return {
    query: queryOf(request),
    origin: originOf(request),
    signal,
    header: (name) => request.get(name),
    bytes: () => bytesOf(request),
    param(name) {
      const value = request.params[name];
      return typeof value === 'string' ? value : '';
    },
    body: () => bodyOf(request),
  };
}

function bodyOf(request: Request): unknown {
  const bytes = bytesOf(request);
  if (bytes.length === 0) return undefined;
  if (!isJson(request)) throw new RoutingError(415);
  try {
    return parseJson(bytes.toString());
  } catch (error) {
    throw new RequestError(400, `The request body is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

function isJson(request: Request): boolean {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  return ['application/json', 'application/*', '*/*'].includes(type);
}

export function send(response: Response, answer: Answer): void {
  response.statusCode = answer.status;
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  if (answer.body === undefined) return void response.end();
  const plain = answer.contentType !== undefined && typeof answer.body === 'string';
  const text = plain ? (answer.body as string) : stringifyJson(answer.body);
  if (answer.contentType !== '') response.setHeader('Content-Type', answer.contentType ?? 'application/json');
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}

async function withTimeout(answer: Promise<Answer>): Promise<Answer> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new RequestError(500, 'Request timed out')), requestTimeoutMs);
  try {
    return await Promise.race([answer, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** java.lang.Boolean.valueOf: anything but "true", in any case, is false. */
export function flag(query: URLSearchParams, name: string, otherwise: boolean): boolean {
  const value = query.get(name);
  return value === null ? otherwise : value.toLowerCase() === 'true';
}
