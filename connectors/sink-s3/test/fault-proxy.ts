/** An HTTP proxy before S3 that goes wrong as it is told to. */
import { createServer, request } from 'node:http';
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
  | { readonly delayMs: number };

/** What a request asks S3 for. */
export type Operation = 'put' | 'create' | 'part' | 'complete' | 'abort' | 'head' | 'other';

export interface FaultProxy extends AsyncDisposable {
  readonly endpoint: string;
  /** How many requests of each kind came. */
  readonly counts: Record<Operation, number>;
  fault: (operation: Operation, count: number) => Fault;
}

const busyBody = '<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>';

export async function faultProxy(target: string): Promise<FaultProxy> {
  const { port: targetPort } = new URL(target);
  const counts: Record<Operation, number> = { put: 0, create: 0, part: 0, complete: 0, abort: 0, head: 0, other: 0 };
  const proxy = { fault: (): Fault => 'pass' } as Pick<FaultProxy, 'fault'>;

  function forward(incoming: IncomingMessage, outgoing: ServerResponse, lose: boolean): void {
    const { method, url, headers } = incoming;
    const up = request({ host: '127.0.0.1', port: targetPort, method, path: url, headers }, (answer) => {
      if (lose) {
        answer.resume().once('end', () => outgoing.destroy());
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
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
    if (fault === 'busy') {
      incoming.resume().once('end', () => {
        outgoing.writeHead(503, { 'content-type': 'application/xml' });
        outgoing.end(operation === 'head' ? '' : busyBody);
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
  if (method === 'POST') return query.has('uploads') ? 'create' : query.has('uploadId') ? 'complete' : 'other';
  return 'other';
}
