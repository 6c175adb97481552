/** Calls from this worker to its leader, signed. Source: …runtime.rest.RestClient, …rest.InternalRequestSignature. */
import { RequestError } from '../ports/herder.ts';
import type { Peers } from '../ports/peers.ts';
import { signatureOf } from '../ports/signature.ts';
import type { SessionKey } from '../ports/stores.ts';
import { signatureHeaders } from './internal-router.ts';
import { stringifyJson } from './json.ts';
import { createRestClient, failureOf } from './rest-client.ts';
import type { RestClientOptions } from './rest-client.ts';

export interface PeersOptions extends RestClientOptions {
  /** base64 of the MAC of the body, by that algorithm; `signatureOf` unless given. */
  readonly sign?: (key: Buffer, body: Buffer, algorithm: string) => string;
  /** `inter.worker.signature.algorithm` */
  readonly signatureAlgorithm: string;
  /** An Authorization header for a proxy between the workers; the workers themselves ask for none here. */
  readonly authorization?: string;
}

export function createPeers({ sign = signatureOf, signatureAlgorithm, authorization, ...options }: PeersOptions): Peers {
  const client = createRestClient(options);
  const headersOf = (key: SessionKey | undefined, body: Buffer): Record<string, string> => ({
    ...(authorization !== undefined && { Authorization: authorization }),
    ...(key && {
      [signatureHeaders.signature]: sign(key.key, body, signatureAlgorithm),
      [signatureHeaders.algorithm]: signatureAlgorithm,
    }),
  });
  const call = async (method: string, url: string, body: Buffer, key: SessionKey | undefined): Promise<void> => {
    const reply = await client({ method, url, headers: headersOf(key, body), body });
    if (reply.status >= 400) throw failureOf(reply);
    if (reply.status >= 300) throw new RequestError(500, `Unexpected status code when handling forwarded request: ${reply.status}`);
  };
  const at = (leaderUrl: string, connector: string, what: string): string =>
    `${leaderUrl.replace(/\/$/, '')}/connectors/${encodeURIComponent(connector)}/${what}`;
  return {
    putTaskConfigs: (leaderUrl, connector, configs, key) =>
      call('POST', at(leaderUrl, connector, 'tasks'), Buffer.from(stringifyJson(configs)), key),
    fenceZombies: (leaderUrl, connector, key) => call('PUT', at(leaderUrl, connector, 'fence'), Buffer.alloc(0), key),
  };
}
