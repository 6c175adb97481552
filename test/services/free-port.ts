import { createServer } from 'node:net';

// Below the range from which the system takes ports for outgoing connections (32768 up on Linux):
// a client that keeps calling a dead server on a port of that range can end up connected to itself,
// and then the restarted server finds its own port taken.
const FIRST = 15_000;
const LAST = 32_000;

const given = new Set<number>();

/** A port of 127.0.0.1 that nobody listens on, and that this process has not given out before. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  return promise;
}
