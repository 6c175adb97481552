/** Stands between a sink and an HTTP target. While it is in a bad mood, some requests go wrong, at random. */
import { createServer, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Random } from './seed.ts';

/**
 * - `cut`: the connection ends before anything reaches the target.
 * - `lose-answer`: the target does what it is asked to, and its answer is lost.
 * - `delay`: the request waits a while.
 * - a status: that is answered, and the target never hears of it.
 */
export type HttpFault = 'cut' | 'lose-answer' | 'delay' | 429 | 503;

export interface HttpFaultProxy extends AsyncDisposable {
  readonly url: string;
  /** What may befall a request from now on; nothing by default. */
  set(faults: readonly HttpFault[], share?: number): void;
  /** How often each fault happened. */
  readonly happened: ReadonlyMap<HttpFault, number>;
}

export interface HttpFaultOptions {
  readonly target: string;
  readonly random: Random;
  /** What a refusal says in the target's own language. */
  readonly refusal: (status: number) => { readonly type: string; readonly body: string };
}

export async function startHttpFaultProxy({ target, random, refusal }: HttpFaultOptions): Promise<HttpFaultProxy> {
  const { hostname, port } = new URL(target);
  const happened = new Map<HttpFault, number>();
  let faults: readonly HttpFault[] = [];
  let share = 0;

  function forward(incoming: IncomingMessage, outgoing: ServerResponse, lose: boolean): void {
    const { method, url, headers } = incoming;
    const up = request({ host: hostname, port, method, path: url, headers }, (answer) => {
      if (lose) return void answer.resume().once('end', () => outgoing.destroy());
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
      answer.once('error', () => outgoing.destroy());
    });
    up.once('error', () => outgoing.destroy());
    incoming.once('close', () => {
      if (!incoming.complete) up.destroy();
    });
    incoming.pipe(up);
  }

  async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const fault = random.next() < share ? faults[random.between(0, faults.length - 1)] : undefined;
    if (fault !== undefined) happened.set(fault, (happened.get(fault) ?? 0) + 1);
    if (fault === 'cut') return void incoming.socket.destroy();
    if (typeof fault === 'number') {
      const { type, body } = refusal(fault);
      incoming.resume().once('end', () => {
        outgoing.writeHead(fault, { 'content-type': type, 'x-elastic-product': 'Elasticsearch' });
        outgoing.end(incoming.method === 'HEAD' ? '' : body);
      });
      return;
    }
    if (fault === 'delay') await sleep(random.between(50, 1_000));
    forward(incoming, outgoing, fault === 'lose-answer');
  }

  const server = createServer({ requestTimeout: 0 }, (incoming, outgoing) => void handle(incoming, outgoing));
  server.on('checkContinue', (incoming, outgoing) => {
    outgoing.writeContinue();
    server.emit('request', incoming, outgoing);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    happened,
    set(wanted, portion = 1) {
      faults = wanted;
      share = wanted.length === 0 ? 0 : portion;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

/** Moods of a while each, for the events of a chaos test. */
export function httpMishaps(proxy: HttpFaultProxy, random: Random): (() => Promise<string>)[] {
  const mood = async (what: string, faults: readonly HttpFault[], share: number): Promise<string> => {
    const ms = random.between(500, 4_000);
    proxy.set(faults, share);
    await sleep(ms);
    proxy.set([]);
    return `${what} for ${ms} ms`;
  };
  return [
    () => mood('answers lost', ['lose-answer'], 0.5),
    () => mood('connections cut', ['cut'], 0.5),
    () => mood('429 and 503', [429, 503], 0.7),
    () => mood('all of it', ['cut', 'lose-answer', 'delay', 429, 503], 0.5),
    () => mood('target away', ['cut'], 1),
  ];
}
