/** The Elasticsearch client, as the config wants it. */
import { Client, HttpConnection } from '@elastic/elasticsearch';
import type { ClientOptions } from '@elastic/elasticsearch';

import type { Config } from './config.ts';
import { nodeUrls } from './node-urls.ts';
import { tlsOptions } from './tls.ts';

export interface RequestOptions {
  readonly json?: unknown;
  readonly ndjson?: Buffer;
  readonly signal?: AbortSignal;
}

export interface ElasticClient extends AsyncDisposable {
  /** One attempt, at the next node. The answer's body; rejects with the client's errors (client-problem.ts). */
  send(method: 'GET' | 'HEAD' | 'POST' | 'PUT', path: string, options?: RequestOptions): Promise<unknown>;
}

/** Throws a ConfigError for TLS files that cannot be used. Connects to nothing yet. */
export async function createClient(values: Config): Promise<ElasticClient> {
  const client = new Client(await clientOptions(values));
  // Plain types, which all versions understand.
  const accept = { accept: 'application/json' };
  return {
    send(method, path, { json, ndjson, signal } = {}) {
      const [pathname = path, querystring = ''] = path.split('?');
      return client.transport.request(
        {
          method,
          path: pathname,
          querystring,
          ...(json === undefined ? {} : { body: json as Record<string, unknown> }),
          ...(ndjson === undefined ? {} : { bulkBody: ndjson as unknown as string }),
        },
        {
          ...(signal === undefined ? {} : { signal }),
          headers:
            ndjson === undefined
              ? { ...accept, 'content-type': 'application/json' }
              : { ...accept, 'content-type': 'application/x-ndjson' },
        },
      );
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

async function clientOptions(values: Config): Promise<ClientOptions> {
  const connections = Math.max(10, values['max.in.flight.requests'] * 2);
  const idleMs = values['max.connection.idle.time.ms'];
  const tls = values['elastic.security.protocol'].toUpperCase() === 'SSL' ? await tlsOptions(values) : undefined;
  const urls = nodeUrls(values['connection.url']);
  const keepAlive = idleMs < 0 ? 24 * 60 * 60_000 : Math.max(1, idleMs);
  const options: ClientOptions = {
    nodes: urls.map((url) => ({ url: withoutUser(url) })),
    ...authOptions(values, urls),
    // Retries are ours: they know of single items, of order, and of max.retries.
    maxRetries: 0,
    requestTimeout: values['read.timeout.ms'],
    compression: values['connection.compression'],
    ...(tls === undefined ? {} : { tls: tls as NonNullable<ClientOptions['tls']> }),
  };
  if (values['proxy.host'] === '') {
    const agent = {
      connections,
      connectTimeout: values['connection.timeout.ms'],
      keepAliveTimeout: keepAlive,
      keepAliveMaxTimeout: keepAlive,
    };
    return { ...options, agent };
  }
  const agent = { keepAlive: true, maxSockets: connections, maxFreeSockets: connections };
  return { ...options, Connection: HttpConnection, proxy: proxyUrl(values), agent };
}

function authOptions(values: Config, urls: readonly URL[]): Pick<ClientOptions, 'auth'> {
  const apiKey = values['connection.api.key'];
  if (apiKey !== null) return { auth: { apiKey: apiKey.reveal() } };
  const username = values['connection.username'];
  const password = values['connection.password'];
  if (username !== null && password !== null) return { auth: { username, password: password.reveal() } };
  const url = urls.find((each) => each.username !== '');
  return url === undefined ? {} : { auth: { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) } };
}

function withoutUser(url: URL): URL {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return bare;
}

function proxyUrl(values: Config): string {
  const password = values['proxy.password'];
  const user = password === null ? '' : `${encodeURIComponent(values['proxy.username'])}:${encodeURIComponent(password.reveal())}@`;
  return `http://${user}${values['proxy.host']}:${values['proxy.port']}`;
}
