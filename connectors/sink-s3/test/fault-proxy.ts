/** An HTTP proxy before S3 that goes wrong as it is told to. */
import { Agent, createServer, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Fault =
  | 'pass'
  /** The connection is cut before anything reaches S3. */
  | 'cut'
  /** S3 does what it is asked to, and the connection is cut before its answer. */
  | 'lose-answer'
  /** 503 SlowDown, without asking S3. */
  | 'busy'
  /** 429 TooManyRequests, without asking S3. */
  | 'throttled'
  /** The request is taken, and never answered. */
  | 'silent'
  | { readonly delayMs: number };

/** What a request asks S3 for. */
export type Operation = 'put' | 'create' | 'part' | 'complete' | 'abort' | 'head' | 'list' | 'other';

export interface FaultProxy extends AsyncDisposable {
  readonly endpoint: string;
  /** How many requests of each kind came. */
  readonly counts: Record<Operation, number>;
  fault: (operation: Operation, count: number) => Fault;
}

const refusal = (code: string): string =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>Please reduce your request rate.</Message></Error>`;

export async function faultProxy(target: string): Promise<FaultProxy> {
  const { port: targetPort } = new URL(target);
  // Of its own, so that no answer that nobody reads to its end keeps the process alive.
  const agent = new Agent({ keepAlive: true });
  const counts: Record<Operation, number> = { put: 0, create: 0, part: 0, complete: 0, abort: 0, head: 0, list: 0, other: 0 };
  const proxy = { fault: (): Fault => 'pass' } as Pick<FaultProxy, 'fault'>;

  function forward(incoming: IncomingMessage, outgoing: ServerResponse, lose: boolean): void {
    const { method, url, headers } = incoming;
    const up = request({ host: '127.0.0.1', port: targetPort, method, path: url, headers, agent }, (answer) => {
      if (lose) {
        answer.resume().once('end', () => outgoing.destroy());
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
      outgoing.once('close', () => answer.resume());
    });
    up.once('error', () => outgoing.destroy());
    incoming.once('close', () => {
      if (!incoming.complete) up.destroy();
    });
    incoming.pipe(up);
  }

  const server = createServer({ requestTimeout: 0 }, (incoming, outgoing) => {
    const operation = operationOf(incoming);
    const fault = proxy.fault(operation, ++counts[operation]);
    if (fault === 'cut') return void incoming.socket.destroy();
    if (fault === 'silent') return void incoming.resume();
    if (fault === 'busy' || fault === 'throttled') {
      incoming.resume().once('end', () => {
        outgoing.writeHead(fault === 'busy' ? 503 : 429, { 'content-type': 'application/xml' });
        outgoing.end(operation === 'head' ? '' : refusal(fault === 'busy' ? 'SlowDown' : 'TooManyRequests'));
      });
      return;
    }
    const delayMs = typeof fault === 'object' ? fault.delayMs : 0;
    setTimeout(() => forward(incoming, outgoing, fault === 'lose-answer'), delayMs);
  });
  server.on('checkContinue', (incoming, outgoing) => {
    outgoing.writeContinue();
    server.emit('request', incoming, outgoing);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return Object.assign(proxy, {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    async [Symbol.asyncDispose]() {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  });
}

function operationOf({ method, url = '' }: IncomingMessage): Operation {
  const query = new URL(url, 'http://s3').searchParams;
  if (method === 'HEAD') return 'head';
  if (method === 'DELETE' && query.has('uploadId')) return 'abort';
  if (method === 'PUT') return query.has('partNumber') ? 'part' : query.has('tagging') ? 'other' : 'put';
  if (method === 'GET' && query.has('uploads')) return 'list';
  if (method === 'POST') return query.has('uploads') ? 'create' : query.has('uploadId') ? 'complete' : 'other';
  return 'other';
}
