/** `/admin/loggers` (KIP-495, KIP-976). Source: …rest.resources.LoggingResource. */
import { Router } from 'express';

import { RequestError } from '../ports/herder.ts';
import type { Herder } from '../ports/herder.ts';
import { patchOf } from './request-body.ts';
import { noContent, ok, resource } from './resource.ts';
import type { Answer, Call } from './resource.ts';

const levels = ['OFF', 'FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE', 'ALL'];

export function loggersRouter(herder: Herder): Router {
  const router = Router({ caseSensitive: true });
  resource(router, '/admin/loggers', { GET: () => ok(herder.loggers()) });
  resource(router, '/admin/loggers/:logger', {
    GET: (call) => ok(herder.logger(call.param('logger'))),
    PUT: (call) => setLevel(herder, call),
  });
  return router;
}

async function setLevel(herder: Herder, call: Call): Promise<Answer> {
  const level = patchOf(call.body() ?? {})['level'];
  if (level === undefined || level === null) throw new RequestError(400, "Desired 'level' parameter was not specified in request.");
  if (!levels.includes(level.toUpperCase())) throw new RequestError(404, `invalid log level '${level}'.`);
  const scope = call.query.get('scope')?.toLowerCase() === 'cluster' ? 'cluster' : 'worker';
  const changed = await herder.setLogger(call.param('logger'), level.toUpperCase(), scope);
  return changed === undefined ? noContent : ok(changed);
}
