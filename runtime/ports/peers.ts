/** Calls from worker to worker, signed with the cluster's session key (KIP-507). */
import type { RawConfig } from '../api/index.ts';
import type { SessionKey } from './stores.ts';

/** What came with a request to an internal endpoint, for the herder to verify. */
export interface InternalSignature {
  /** `X-Connect-Authorization`, base64; undefined when missing. */
  readonly signature: string | undefined;
  /** `X-Connect-Request-Signature-Algorithm`. */
  readonly algorithm: string | undefined;
  /** The body as it came; no bytes for an empty one. */
  readonly body: Buffer;
}

/** Rejects with a RequestError that carries the answer's status and message, or 500 when there was no answer. */
export interface Peers {
  /** `POST {leader}connectors/{n}/tasks` */
  putTaskConfigs(leaderUrl: string, connector: string, configs: readonly RawConfig[], key: SessionKey | undefined): Promise<void>;
  /** `PUT {leader}connectors/{n}/fence` */
  fenceZombies(leaderUrl: string, connector: string, key: SessionKey | undefined): Promise<void>;
}
