/** The key that calls between workers are signed with: made and replaced by the leader, read by all (KIP-507). */
import { randomBytes } from 'node:crypto';
import { RequestError } from '../ports/herder.ts';
import type { InternalSignature } from '../ports/peers.ts';
import { defaultKeyBytes, knowsSignature, signatureFits } from '../ports/signature.ts';
import type { SessionKey } from '../ports/stores.ts';
import { messageOf } from './herder-context.ts';
import type { HerderOptions, InterWorker } from './herder-context.ts';
import type { Leadership } from './leadership.ts';

export interface SessionKeys extends AsyncDisposable {
  /** After each assignment: a leader sees to it that there is a key, and that it is replaced in time. */
  assigned(): void;
  /** The key to sign with; undefined where there is none yet. */
  current(): SessionKey | undefined;
  /** Throws a RequestError for what was not signed by a worker of this cluster; where signatures are not asked for, never. */
  verify(signature: InternalSignature): void;
}

const retryMs = 1_000;
/** Node's longest timer. */
const longestMs = 2 ** 31 - 1;

export function createSessionKeys({ configStore, membership, interWorker, logger }: HerderOptions, leadership: Leadership): SessionKeys {
  let timer: NodeJS.Timeout | undefined;
  let busy = false;
  let closed = false;

  function checkIn(ms: number): void {
    clearTimeout(timer);
    if (closed) return;
    timer = setTimeout(() => void check(), Math.min(ms, longestMs));
    timer.unref();
  }

  async function check(): Promise<void> {
    if (interWorker === undefined || busy || closed || !leadership.assignment().leader || !isAsked(interWorker, membership)) return;
    busy = true;
    try {
      if (isDue(configStore.sessionKey(), interWorker)) {
        const key = { key: randomBytes(keyBytes(interWorker)), algorithm: interWorker.keyGenerationAlgorithm, createdMs: Date.now() };
        await leadership.write(() => configStore.putSessionKey(key));
        logger.debug('a new session key was given to the workers');
      }
      const created = configStore.sessionKey()?.createdMs ?? Date.now();
      if (interWorker.keyTtlMs > 0) checkIn(Math.max(created + interWorker.keyTtlMs - Date.now(), retryMs));
    } catch (error) {
      logger.warn(`a new session key could not be given to the workers, will try again: ${messageOf(error)}`);
      checkIn(retryMs);
    } finally {
      busy = false;
    }
  }

  return {
    assigned: () => void check(),
    current: () => configStore.sessionKey(),
    verify({ signature, algorithm, body }) {
      if (interWorker === undefined) throw new RequestError(500, 'This worker is alone: there are no other workers to ask this of it.');
      if (!isAsked(interWorker, membership)) return;
      if (signature === undefined || algorithm === undefined) {
        throw new RequestError(400, 'Internal request missing required signature');
      }
      const allowed = interWorker.verificationAlgorithms;
      const known = allowed.some((name) => name.toLowerCase() === algorithm.toLowerCase()) && knowsSignature(algorithm);
      if (!known) {
        throw new RequestError(
          400,
          `This worker does not support the '${algorithm}' key signing algorithm used by other workers. ` +
            `This worker is currently configured to use: [${allowed.join(', ')}]. Check that all workers' configuration files ` +
            'permit the same set of signature algorithms, and correct any misconfigured worker and restart it.',
        );
      }
      const key = configStore.sessionKey();
      if (key === undefined) {
        throw new RequestError(
          503,
          'This worker is still starting up and has not been able to read a session key from the config topic yet',
        );
      }
      if (!signatureFits(signature, key.key, body, algorithm)) {
        throw new RequestError(403, 'Internal request contained invalid signature.');
      }
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

/** The protocol is the one that the group elected, and the configured one until it has. */
function isAsked({ protocol, verifyAlways = false }: InterWorker, membership: HerderOptions['membership']): boolean {
  const elected = membership.figures()['connect-protocol'];
  return verifyAlways || (typeof elected === 'string' && elected !== '' ? elected : protocol).toLowerCase() === 'sessioned';
}

function isDue(key: SessionKey | undefined, settings: InterWorker): boolean {
  if (key === undefined) return true;
  if (settings.keyTtlMs > 0 && key.createdMs + settings.keyTtlMs <= Date.now()) return true;
  return key.algorithm !== settings.keyGenerationAlgorithm || key.key.length !== keyBytes(settings);
}

function keyBytes({ keySize, keyGenerationAlgorithm }: InterWorker): number {
  return keySize === undefined ? defaultKeyBytes(keyGenerationAlgorithm) : Math.ceil(keySize / 8);
}
