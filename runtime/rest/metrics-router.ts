/** `GET /metrics`, for Prometheus. `?naming=strimzi` chooses the other set of names. */
import { Router } from 'express';

import { RequestError } from '../ports/herder.ts';
import { namings } from './metric-names.ts';
import type { Metrics } from './metrics.ts';
import { resource } from './resource.ts';

export function metricsRouter(metrics: Metrics): Router {
  const router = Router({ caseSensitive: true });
  resource(
    router,
    '/metrics',
    {
      GET: async (call) => {
        const wanted = call.query.get('naming') ?? 'confluent';
        const naming = namings.find((each) => each === wanted);
        if (naming === undefined) throw new RequestError(400, `Unknown naming "${wanted}": choose one of ${namings.join(', ')}`);
        return { status: 200, contentType: metrics.contentType, body: await metrics.scrape(naming) };
      },
    },
    { produces: ['text/plain', 'application/openmetrics-text', '*/*'] },
  );
  return router;
}
