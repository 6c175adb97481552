/** A worker's REST listeners, from the moment they are taken until everything behind them answers. */
import type { RequestListener } from 'node:http';
import type { Logging } from './logging/logging.ts';
import type { DeadLetters } from './ports/dead-letters.ts';
import type { Herder } from './ports/herder.ts';
import type { ListenerAddress } from './rest/advertised-url.ts';
import { createRestApp } from './rest/app.ts';
import type { Metrics } from './rest/metrics.ts';
import { createRestClient } from './rest/rest-client.ts';
import { startRestServer } from './rest/server.ts';
import { openUsers } from './settings/basic-auth-users.ts';
import type { RestTls, WorkerSettings } from './settings/worker-settings.ts';
import { serverTlsOptions, tlsOptions } from './tls/tls-settings.ts';

export interface WorkerRest extends AsyncDisposable {
  /** The first listener's. */
  readonly url: string;
  readonly addresses: readonly ListenerAddress[];
  /** From here on `/health` answers. */
  serve(herder: Herder, metrics: Metrics, deadLetters: DeadLetters): void;
  /** From here on everything does. */
  open(): void;
}

/** Throws a ConfigError where a listener, a certificate or the file of users cannot be had. */
export async function startRest({ rest, topicTracking }: WorkerSettings, logging: Logging): Promise<WorkerRest> {
  const log = logging.logger('millrace.rest');
  const isUser = rest.basicAuth && (await openUsers(rest.basicAuth, log));
  const serverTls = ({ settings, prefix }: RestTls) => ({ tls: () => serverTlsOptions(settings, prefix) });
  const { listeners, adminListeners, origins, responseHeaders } = rest;
  let apps: { readonly main: RequestListener; readonly admin: RequestListener } = { main: isStarting, admin: isStarting };
  let ready = false;
  const stack = new AsyncDisposableStack();
  try {
    const main = stack.use(await startRestServer((request, response) => apps.main(request, response), listeners, serverTls(rest.tls)));
    if (adminListeners !== undefined && adminListeners.length > 0) {
      const admin: RequestListener = (request, response) => apps.admin(request, response);
      stack.use(await startRestServer(admin, adminListeners, serverTls(rest.adminTls)));
    }
    const running = stack.move();
    return {
      url: main.url,
      addresses: main.addresses,
      serve(herder, metrics, deadLetters) {
        const options = {
          herder,
          metrics,
          deadLetters,
          topicTracking,
          origins,
          responseHeaders,
          log,
          client: createRestClient({ tls: () => tlsOptions(rest.tls.settings, rest.tls.prefix) }),
          ...(isUser && { isUser }),
        };
        // Before the stores are read, every connector would be unknown.
        const onceReady = (app: RequestListener): RequestListener => {
          return (request, response) => (ready || request.url?.startsWith('/health') ? app : isStarting)(request, response);
        };
        apps = {
          main: onceReady(createRestApp({ ...options, part: adminListeners === undefined ? 'all' : 'without-admin' })),
          admin: onceReady(createRestApp({ ...options, part: 'admin' })),
        };
      },
      open() {
        ready = true;
      },
      [Symbol.asyncDispose]: () => running.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

const isStarting: RequestListener = (_request, response) => {
  response.writeHead(503, { 'content-type': 'application/json' }).end('{"error_code":503,"message":"The worker is starting"}');
};
