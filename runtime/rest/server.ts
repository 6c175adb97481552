/** Where the REST API listens: one HTTP server for each listener. */
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { ConfigError } from '../api/index.ts';

export interface RestServer extends AsyncDisposable {
  /** One for each listener, with the port that was really taken. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  /** The first one as a URL that a client on this machine can use. */
  readonly url: string;
}

/** Requests still running when the server closes get this long. */
const graceMs = 2_000;

/**
 * Listens on `http://host:port` URLs; an empty host means all interfaces, port 0 any free port. Throws a
 * ConfigError where a listener cannot be had; then none is left open.
 */
export async function startRestServer(app: RequestListener, listeners: readonly string[]): Promise<RestServer> {
  const parsed = listeners.map(parseListener);
  const servers: Server[] = [];
  try {
    for (const listener of parsed) servers.push(await listen(app, listener));
  } catch (error) {
    await Promise.all(servers.map(close));
    throw error;
  }
  const addresses = servers.map((server, at) => ({ host: parsed[at]?.host ?? '', port: (server.address() as AddressInfo).port }));
  return {
    addresses,
    url: addresses[0] ? urlOf(addresses[0]) : '',
    [Symbol.asyncDispose]: async () => void (await Promise.all(servers.map(close))),
  };
}

interface Listener {
  readonly text: string;
  readonly host: string;
  readonly port: number;
}

function parseListener(text: string): Listener {
  const [, scheme = '', host = '', port = ''] = /^([a-z]+):\/\/(\[[^\]]*\]|[^:/]*):(\d+)\/?$/i.exec(text.trim()) ?? [];
  if (scheme.toLowerCase() === 'https') {
    throw new ConfigError(`listeners: ${text}: HTTPS is not served yet; listen on http://127.0.0.1:PORT and put a TLS proxy before it`);
  }
  if (scheme.toLowerCase() !== 'http' || Number(port) > 65_535) {
    throw new ConfigError(`listeners: "${text}" is no listener; write http://HOST:PORT, such as http://127.0.0.1:8083 or http://:8083`);
  }
  return { text: text.trim(), host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function urlOf({ host, port }: { host: string; port: number }): string {
  const any = host === '' || host === '0.0.0.0' || host === '::';
  return `http://${any ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function listen(app: RequestListener, { text, host, port }: Listener): Promise<Server> {
  const server = createServer(app);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ port, ...(host !== '' && { host }) }, resolve);
  try {
    await promise;
  } catch (error) {
    throw new ConfigError(`listeners: cannot listen on ${text}: ${reason(error as NodeJS.ErrnoException)}`, { cause: error });
  }
  server.off('error', reject);
  return server;
}

function reason(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'the port is taken already. Stop the other program, or choose another port (0 takes any free one).';
    case 'EACCES':
      return 'the system forbids it. Ports below 1024 need rights: choose a higher one.';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address. Use 127.0.0.1, 0.0.0.0 or an address of its own.';
    case 'ENOTFOUND':
      return 'the host name is not known here.';
    default:
      return error.message;
  }
}

async function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await promise;
  clearTimeout(timer);
}
