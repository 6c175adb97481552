/**
 * What workers ask of their leader (KIP-507, KIP-618). No password is asked for here, but a signature, which the
 * herder verifies. Source: org.apache.kafka.connect.runtime.rest.resources.InternalClusterResource.
 */
import { Router } from 'express';

import type { RawConfig } from '../api/index.ts';
import { RequestError } from '../ports/herder.ts';
import type { Herder } from '../ports/herder.ts';
import type { InternalSignature } from '../ports/peers.ts';
import { jsonKind } from './json.ts';
import { patchOf } from './request-body.ts';
import { noContent, route } from './resource.ts';
import type { Call } from './resource.ts';

export const signatureHeaders = {
  signature: 'X-Connect-Authorization',
  algorithm: 'X-Connect-Request-Signature-Algorithm',
} as const;

/** The two calls alone: other methods of these paths are answered where every path is. */
export function internalRouter(herder: Herder): Router {
  const router = Router({ caseSensitive: true });
  route(router, 'POST', '/connectors/:name/tasks', async (call) => {
    await herder.putTaskConfigs(call.param('name'), taskConfigsOf(call.body()), signatureOf(call));
    return noContent;
  });
  route(router, 'PUT', '/connectors/:name/fence', async (call) => {
    await herder.fenceZombies(call.param('name'), signatureOf(call));
    return noContent;
  });
  return router;
}

function signatureOf(call: Call): InternalSignature {
  return { signature: call.header(signatureHeaders.signature), algorithm: call.header(signatureHeaders.algorithm), body: call.bytes() };
}

/** A null is as good as no value in a task's config, where nothing can be merged with. */
function taskConfigsOf(body: unknown): readonly RawConfig[] {
  if (!Array.isArray(body)) {
    throw new RequestError(400, `The request body is ${jsonKind(body)}, but must be a JSON array of task configs: [{"key": "value", …}]`);
  }
  return body.map((each: unknown, task) => {
    const config = Object.entries(patchOf(each, `the config of task ${task}`));
    return Object.fromEntries(config.filter((entry): entry is [string, string] => entry[1] !== null));
  });
}
