/** The REST API as an express application; see `server.ts` for where it listens. */
import express from 'express';
import type { ErrorRequestHandler, Express, Request, RequestHandler, Response } from 'express';

import type { Logger } from '../api/index.ts';
import type { DeadLetters } from '../ports/dead-letters.ts';
import { ForwardError } from '../ports/herder.ts';
import type { Herder } from '../ports/herder.ts';
import { basicAuth } from './basic-auth.ts';
import type { IsUser } from './basic-auth.ts';
import { connectorsRouter } from './connectors-router.ts';
import type { TopicTracking } from './connectors-router.ts';
import { allowOrigins } from './cors.ts';
import type { Origins } from './cors.ts';
import { deadLettersRouter } from './dead-letters-router.ts';
import { errorAnswer, RoutingError } from './errors.ts';
import { forwarded } from './forwarding.ts';
import { headerRules } from './header-rules.ts';
import { internalRouter } from './internal-router.ts';
import { loggersRouter } from './loggers-router.ts';
import { metricsRouter } from './metrics-router.ts';
import type { Metrics } from './metrics.ts';
import { offsetsRouter } from './offsets-router.ts';
import { pluginsRouter } from './plugins-router.ts';
import { readBody, send } from './resource.ts';
import { createRestClient } from './rest-client.ts';
import type { RestClient } from './rest-client.ts';
import { healthRouter, rootRouter } from './root-router.ts';

export interface RestOptions {
  readonly herder: Herder;
  readonly metrics?: Metrics;
  readonly deadLetters?: DeadLetters;
  readonly topicTracking?: TopicTracking;
  /** `access.control.allow.origin` and `.methods` */
  readonly origins?: Origins;
  /** `response.http.headers.config` */
  readonly responseHeaders?: string;
  /** Where `admin.listeners` sets `/admin` apart, one app serves all but it, another it alone. */
  readonly part?: 'all' | 'without-admin' | 'admin';
  /** Who may ask; anybody without it. `/health` answers all, the calls between workers those who sign them. */
  readonly isUser?: IsUser;
  /** How requests are sent on to other workers; over plain HTTP unless given. */
  readonly client?: RestClient;
  /** How long `/health` waits for a worker that is starting. */
  readonly healthWaitMs?: number;
  readonly log?: Logger;
}

/** Throws a ConfigError for response header rules that are none. */
export function createRestApp(options: RestOptions): Express {
  const { herder, metrics, topicTracking = { enabled: true, resettable: true }, origins, responseHeaders, part = 'all', log } = options;
  const app = express();
  app.disable('x-powered-by');
  app.set('case sensitive routing', true);
  if (log) app.use(requestLog(log));
  if (responseHeaders) app.use(headerRules(responseHeaders));
  if (origins && origins.allowed.length > 0) app.use(allowOrigins(origins));
  app.use(healthRouter(herder, options.healthWaitMs));
  // Which requests need no password is said by what answers them, so that the two can never disagree.
  if (part !== 'admin') app.use(internalRouter(herder));
  if (options.isUser) app.use(basicAuth(options.isUser));
  app.use(readBody);
  if (part !== 'admin') {
    app.use(rootRouter(herder), connectorsRouter(herder, topicTracking), offsetsRouter(herder), pluginsRouter(herder));
  }
  if (part !== 'admin' && options.deadLetters) app.use(deadLettersRouter(options.deadLetters));
  if (part !== 'without-admin') app.use(loggersRouter(herder));
  if (metrics) app.use(metricsRouter(metrics));
  app.use(() => {
    throw new RoutingError(404);
  });
  app.use(errorHandler(options.client ?? createRestClient(), log));
  return app;
}

// Express knows an error handler by its four parameters.
function errorHandler(client: RestClient, log: Logger | undefined): ErrorRequestHandler {
  const refuse = (error: unknown, request: Request, response: Response): void => {
    const { status, message, untyped } = errorAnswer(error);
    if (status >= 500) log?.error(`${request.method} ${request.originalUrl} failed: ${message}`, { err: error });
    if (response.headersSent) return void response.destroy();
    const headers = error instanceof RoutingError ? error.headers : {};
    const body = { error_code: status, message };
    send(response, untyped ? { status, body, headers, contentType: '' } : { status, body, headers });
  };
  return async (error: unknown, request, response: Response, _next) => {
    if (!(error instanceof ForwardError)) return refuse(error, request, response);
    try {
      send(response, await forwarded(error, request, client, log));
    } catch (failure) {
      refuse(failure, request, response);
    }
  };
}

function requestLog(log: Logger): RequestHandler {
  return (request, response, next) => {
    response.on('finish', () => log.debug(`${request.method} ${request.originalUrl} ${response.statusCode}`));
    next();
  };
}
