/** `GET /` and `GET /health` (KIP-1017). */
import { setTimeout as sleep } from 'node:timers/promises';

import { Router } from 'express';

import type { Herder } from '../ports/herder.ts';
import { ok, resource } from './resource.ts';

const healthStatus = { healthy: 200, starting: 503, unhealthy: 500 } as const;

export function rootRouter(herder: Herder): Router {
  const router = Router({ caseSensitive: true });
  resource(router, '/', { GET: async () => ok(await herder.serverInfo()) });
  return router;
}

/** As in Connect's RestServer. */
const healthWaitMs = 10_000;
const pollMs = 50;

/** A worker that is starting gets some time to become ready before it says that it is not. */
export function healthRouter(herder: Herder, waitMs: number = healthWaitMs): Router {
  const router = Router({ caseSensitive: true });
  resource(router, '/health', {
    GET: async (call) => {
      const giveUp = performance.now() + waitMs;
      while (herder.health().status === 'starting' && performance.now() < giveUp && !call.signal.aborted) await sleep(pollMs);
      const { status, message } = herder.health();
      return { status: healthStatus[status], body: { status, message } };
    },
  });
  return router;
}
