/** `GET /` and `GET /health` (KIP-1017). */
import { Router } from 'express';

import type { Herder } from '../ports/herder.ts';
import { ok, resource } from './resource.ts';

const healthStatus = { healthy: 200, starting: 503, unhealthy: 500 } as const;

export function rootRouter(herder: Herder): Router {
  const router = Router({ caseSensitive: true });
  resource(router, '/', { GET: async () => ok(await herder.serverInfo()) });
  return router;
}

export function healthRouter(herder: Herder): Router {
  const router = Router({ caseSensitive: true });
  resource(router, '/health', {
    GET: () => {
      const { status, message } = herder.health();
      return { status: healthStatus[status], body: { status, message } };
    },
  });
  return router;
}
