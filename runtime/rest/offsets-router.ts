/** `/connectors/{n}/offsets` (KIP-875). */
import { Router } from 'express';

import type { Herder } from '../ports/herder.ts';
import { offsetsOf } from './request-body.ts';
import { ok, resource } from './resource.ts';

export function offsetsRouter(herder: Herder): Router {
  const router = Router({ caseSensitive: true });
  resource(router, '/connectors/:name/offsets', {
    GET: async (call) => ok({ offsets: await herder.offsets(call.param('name')) }),
    PATCH: async (call) => ok({ message: await herder.alterOffsets(call.param('name'), offsetsOf(call.body())) }),
    DELETE: async (call) => ok({ message: await herder.resetOffsets(call.param('name')) }),
  });
  return router;
}
