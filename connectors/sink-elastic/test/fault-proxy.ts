/** An HTTP proxy in front of Elasticsearch that goes wrong on purpose. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';

/**
 * - `cut`: the connection ends before anything is written.
 * - `lose`: Elasticsearch writes it, and the answer is lost.
 * - `late`: as `lose`, but the client waits in vain.
 * - a number: that status, nothing written; `reject-some`: as `pass`, but some items are refused with 429, unwritten.
 */
export type Fault = 'pass' | 'cut' | 'lose' | 'late' | 'reject-some' | { readonly delayMs: number } | number;

/** Something goes wrong with every second request; `late`, which takes long, so often at most. */
export function everySecond(random: () => number, late: number): () => Fault {
  const faults: readonly Fault[] = ['late', 'cut', 'lose', 429, 503, 502, 'reject-some', { delayMs: 30 }];
  let left = late;
  return () => {
    if (random() < 0.5) return 'pass';
    const fault = faults[Math.floor(random() * faults.length)] as Fault;
    return fault !== 'late' || left-- > 0 ? fault : 'cut';
  };
}

export interface FaultProxy extends AsyncDisposable {
  readonly url: string;
  /** Bulk requests that came, whatever became of them. */
  readonly bulks: { readonly headers: IncomingMessage['headers']; readonly body: string }[];
  /** What happened, by fault. */
  readonly happened: Map<string, number>;
}

export interface FaultOptions {
  /** Decides about each bulk request; others pass. */
  readonly fault: () => Fault;
  /** From 0 up to 1; decides which items `reject-some` refuses. */
  readonly random?: () => number;
  /** How long `late` keeps the connection open. */
  readonly lateMs?: number;
  /** Served by https. */
  readonly tls?: ServerOptions;
  /** Answers 401 unless the request says so in its `authorization`. */
  readonly authorization?: string;
}

export async function startFaultProxy(target: string, options: FaultOptions): Promise<FaultProxy> {
  const { fault, random = Math.random, lateMs = 2_000, tls, authorization } = options;
  const bulks: FaultProxy['bulks'] = [];
  const happened = new Map<string, number>();

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = await bodyOf(request);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
    if (authorization !== undefined && request.headers.authorization !== authorization)
      return answer(response, 401, '{"error":"who are you"}');
    const isBulk = request.url?.startsWith('/_bulk') === true;
    const wanted = isBulk ? fault() : 'pass';
    if (isBulk) {
      bulks.push({ headers: request.headers, body: body.toString() });
      const name = typeof wanted === 'object' ? 'delay' : String(wanted);
      happened.set(name, (happened.get(name) ?? 0) + 1);
    }
    if (wanted === 'cut') return void request.socket.destroy();
    if (typeof wanted === 'number') return answer(response, wanted, JSON.stringify({ error: 'made up', status: wanted }));
    if (typeof wanted === 'object') await sleep(wanted.delayMs);
    const { status, text } = wanted === 'reject-some' ? await rejectSome(request, body.toString()) : await forward(request, body);
    if (wanted === 'late') await sleep(lateMs);
    if (wanted === 'lose' || wanted === 'late') return void request.socket.destroy();
    answer(response, status, text);
  }

  async function forward(request: IncomingMessage, body: Buffer | string): Promise<{ status: number; text: string }> {
    const isEmpty = body.length === 0;
    const answered = await fetch(`${target}${request.url}`, {
      method: request.method ?? 'GET',
      ...(isEmpty ? {} : { body: Buffer.from(body), headers: { 'content-type': request.headers['content-type'] ?? 'application/json' } }),
    });
    return { status: answered.status, text: await answered.text() };
  }

  async function rejectSome(request: IncomingMessage, body: string): Promise<{ status: number; text: string }> {
    const operations = operationsOf(body);
    const rejected = operations.map(() => random() < 0.3);
    const kept = operations.filter((_, i) => rejected[i] !== true);
    const { text } = kept.length === 0 ? { text: '{"items":[]}' } : await forward(request, kept.join(''));
    const { items } = JSON.parse(text) as { items: unknown[] };
    const refusal = { index: { status: 429, error: { type: 'es_rejected_execution_exception', reason: 'made up' } } };
    return { status: 200, text: JSON.stringify({ errors: true, items: rejected.map((no) => (no ? refusal : items.shift())) }) };
  }

  const listener = (request: IncomingMessage, response: ServerResponse): void =>
    void handle(request, response).catch(() => request.socket.destroy());
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bulks,
    happened,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' });
  response.end(response.req.method === 'HEAD' ? undefined : text);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The lines of each operation, the newlines too. */
function operationsOf(body: string): string[] {
  const lines = body.split('\n').slice(0, -1);
  const operations: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const action = `${lines[i]}\n`;
    operations.push(action.startsWith('{"delete"') ? action : `${action}${lines[++i]}\n`);
  }
  return operations;
}

/** Numbers from 0 up to 1 that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
