/** The REST API as an express application; see `server.ts` for where it listens. */
import express from 'express';
import type { ErrorRequestHandler, Express, RequestHandler, Response } from 'express';

import type { Logger } from '../api/index.ts';
import type { Herder } from '../ports/herder.ts';
import { connectorsRouter } from './connectors-router.ts';
import type { TopicTracking } from './connectors-router.ts';
import { allowOrigins } from './cors.ts';
import type { Origins } from './cors.ts';
import { errorAnswer, RoutingError } from './errors.ts';
import { headerRules } from './header-rules.ts';
import { loggersRouter } from './loggers-router.ts';
import { metricsRouter } from './metrics-router.ts';
import type { Metrics } from './metrics.ts';
import { offsetsRouter } from './offsets-router.ts';
import { pluginsRouter } from './plugins-router.ts';
import { send } from './resource.ts';
import { healthRouter, rootRouter } from './root-router.ts';

export interface RestOptions {
  readonly herder: Herder;
  readonly metrics?: Metrics;
  readonly topicTracking?: TopicTracking;
  /** `access.control.allow.origin` and `.methods` */
  readonly origins?: Origins;
  /** `response.http.headers.config` */
  readonly responseHeaders?: string;
  /** Where `admin.listeners` sets `/admin` apart, one app serves all but it, another it alone. */
  readonly part?: 'all' | 'without-admin' | 'admin';
  readonly log?: Logger;
}

/** No body that Connect's API takes comes near it. */
const maxBodyBytes = 32 * 1024 * 1024;

/** Throws a ConfigError for response header rules that are none. */
export function createRestApp(options: RestOptions): Express {
  const { herder, metrics, topicTracking = { enabled: true, resettable: true }, origins, responseHeaders, part = 'all', log } = options;
  const app = express();
  app.disable('x-powered-by');
  app.set('case sensitive routing', true);
  if (log) app.use(requestLog(log));
  if (responseHeaders) app.use(headerRules(responseHeaders));
  if (origins && origins.allowed.length > 0) app.use(allowOrigins(origins));
  app.use(express.raw({ type: () => true, limit: maxBodyBytes }));
  if (part !== 'admin') {
    app.use(rootRouter(herder), connectorsRouter(herder, topicTracking), offsetsRouter(herder), pluginsRouter(herder));
  }
  app.use(healthRouter(herder));
  if (part !== 'without-admin') app.use(loggersRouter(herder));
  if (metrics) app.use(metricsRouter(metrics));
  app.use(() => {
    throw new RoutingError(404);
  });
  app.use(errorHandler(log));
  return app;
}

// Express knows an error handler by its four parameters.
function errorHandler(log: Logger | undefined): ErrorRequestHandler {
  return (error: unknown, request, response: Response, _next) => {
    const { status, message, untyped } = errorAnswer(error);
    if (status >= 500) log?.error(`${request.method} ${request.originalUrl} failed: ${message}`, { err: error });
    if (response.headersSent) return void response.destroy();
    const headers = error instanceof RoutingError ? error.headers : {};
    const body = { error_code: status, message };
    send(response, untyped ? { status, body, headers, contentType: '' } : { status, body, headers });
  };
}

function requestLog(log: Logger): RequestHandler {
  return (request, response, next) => {
    response.on('finish', () => log.debug(`${request.method} ${request.originalUrl} ${response.statusCode}`));
    next();
  };
}
