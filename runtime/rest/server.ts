/** Where the REST API listens: one HTTP or HTTPS server for each listener. */
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { SecureContextOptions, TLSSocket } from 'node:tls';

import { ConfigError } from '../api/index.ts';
import type { ListenerAddress } from './advertised-url.ts';

export interface RestServer extends AsyncDisposable {
  /** One for each listener, with the port that was really taken. */
  readonly addresses: readonly ListenerAddress[];
  /** The first one as a URL that a client on this machine can use. */
  readonly url: string;
}

/** Our key and certificate, whom we trust, and whether clients must show a certificate. */
export interface ListenerTls extends SecureContextOptions {
  readonly requestCert?: boolean;
  readonly rejectUnauthorized?: boolean;
}

export interface RestServerOptions {
  /** Asked for once, and only where a listener is https. Throws a ConfigError. */
  readonly tls?: () => Promise<ListenerTls>;
}

/** Requests still running when the server closes get this long. */
const graceMs = 2_000;
/**
 * A connection that rests is closed after so long, as by Jetty, whose default Kafka Connect leaves in place. Node's 5 s
 * is about the pause between two calls of many clients: one that takes up its connection just when it is closed gets
 * ECONNRESET. Less than Node's headersTimeout (60 s), as it has to be.
 */
const idleMs = 30_000;

/**
 * Listens on `http://host:port` and `https://host:port` URLs; an empty host means all interfaces, port 0 any free port.
 * Throws a ConfigError where a listener cannot be had; then none is left open.
 */
export async function startRestServer(
  app: RequestListener,
  listeners: readonly string[],
  options: RestServerOptions = {},
): Promise<RestServer> {
  const parsed = listeners.map(parseListener);
  const tls = parsed.some(({ scheme }) => scheme === 'https') ? await tlsOf(parsed, options) : undefined;
  const running: Running[] = [];
  const close = async (): Promise<void> => void (await Promise.all(running.map((each) => each.close())));
  try {
    for (const listener of parsed) {
      running.push(await listen(listener.scheme === 'https' && tls ? secureServer(app, tls) : createServer(app), listener));
    }
  } catch (error) {
    await close();
    throw error;
  }
  const addresses = running.map(({ address }) => address);
  return { addresses, url: addresses[0] ? urlOf(addresses[0]) : '', [Symbol.asyncDispose]: close };
}

interface Running {
  readonly address: ListenerAddress;
  close(): Promise<void>;
}

interface Listener extends ListenerAddress {
  readonly text: string;
}

function parseListener(text: string): Listener {
  const [, scheme = '', host = '', port = ''] = /^([a-z]+):\/\/(\[[^\]]*\]|[^:/]*):(\d+)\/?$/i.exec(text.trim()) ?? [];
  const known = (['http', 'https'] as const).find((each) => each === scheme.toLowerCase());
  if (known === undefined || Number(port) > 65_535) {
    throw new ConfigError(
      `listeners: "${text}" is no listener; write http://HOST:PORT or https://HOST:PORT, such as http://127.0.0.1:8083 or http://:8083`,
    );
  }
  return { text: text.trim(), scheme: known, host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

async function tlsOf(listeners: readonly Listener[], { tls }: RestServerOptions): Promise<ListenerTls> {
  if (tls) return tls();
  const secure = listeners.find(({ scheme }) => scheme === 'https');
  throw new ConfigError(`listeners: ${secure?.text} needs a private key and its certificate: set listeners.https.ssl.keystore.location.`);
}

function secureServer(app: RequestListener, tls: ListenerTls): Server {
  const server = createTlsServer(tls, app);
  // A certificate that is only asked for may be missing, but not be one that nobody trusts.
  server.on('secureConnection', (socket: TLSSocket) => {
    if (tls.requestCert && !socket.authorized && Object.keys(socket.getPeerCertificate()).length > 0) socket.destroy();
  });
  return server;
}

function urlOf({ scheme, host, port }: ListenerAddress): string {
  const any = host === '' || host === '0.0.0.0' || host === '::';
  return `${scheme}://${any ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function listen(server: Server, { text, scheme, host, port }: Listener): Promise<Running> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.keepAliveTimeout = idleMs;
  server.once('error', reject);
  server.listen({ port, ...(host !== '' && { host }) }, resolve);
  try {
    await promise;
  } catch (error) {
    throw new ConfigError(`listeners: cannot listen on ${text}: ${reason(error as NodeJS.ErrnoException)}`, { cause: error });
  }
  server.off('error', reject);
  return { address: { scheme, host, port: (server.address() as AddressInfo).port }, close: () => close(server, sockets) };
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

async function close(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  // Of the sockets themselves: a client that never ends its TLS handshake is no connection yet to the HTTP server.
  const timer = setTimeout(() => sockets.forEach((socket) => socket.destroy()), graceMs);
  await promise;
  clearTimeout(timer);
}
