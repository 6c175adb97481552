/** Signatures of the calls between workers, made and verified (KIP-507). Source: org.apache.kafka.connect.runtime.rest.InternalRequestSignature. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { ConfigError } from '../api/index.ts';

/** Java's names of MACs and key generators; their case does not count, as in Java. Sizes are Java's defaults. */
const macs: Readonly<Record<string, { readonly hash: string; readonly keyBytes: number }>> = {
  hmacmd5: { hash: 'md5', keyBytes: 64 },
  hmacsha1: { hash: 'sha1', keyBytes: 64 },
  hmacsha224: { hash: 'sha224', keyBytes: 28 },
  hmacsha256: { hash: 'sha256', keyBytes: 32 },
  hmacsha384: { hash: 'sha384', keyBytes: 48 },
  hmacsha512: { hash: 'sha512', keyBytes: 64 },
};

/** `X-Connect-Authorization`: base64 of the MAC over the body as it is sent. Throws a ConfigError for an algorithm that there is not. */
export function signatureOf(key: Uint8Array, body: Uint8Array, algorithm: string): string {
  return createHmac(macOf(algorithm).hash, key).update(body).digest('base64');
}

/** Takes the same time wherever the two differ. Throws as {@link signatureOf}. */
export function signatureFits(signature: string, key: Uint8Array, body: Uint8Array, algorithm: string): boolean {
  const expected = createHmac(macOf(algorithm).hash, key).update(body).digest();
  const given = Buffer.from(signature, 'base64');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** The bytes of a key that Java's generator of that name makes when it is told no size. Throws as {@link signatureOf}. */
export function defaultKeyBytes(algorithm: string): number {
  return macOf(algorithm).keyBytes;
}

export function knowsSignature(algorithm: string): boolean {
  return Object.hasOwn(macs, algorithm.toLowerCase());
}

function macOf(algorithm: string): { readonly hash: string; readonly keyBytes: number } {
  const mac = knowsSignature(algorithm) ? macs[algorithm.toLowerCase()] : undefined;
  if (mac !== undefined) return mac;
  throw new ConfigError(`there is no signature algorithm ${algorithm}.`, {
    hint: 'Use HmacSHA256, HmacSHA384, HmacSHA512, HmacSHA224, HmacSHA1 or HmacMD5.',
  });
}
