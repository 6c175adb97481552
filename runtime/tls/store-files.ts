/** The files that `ssl.keystore.location` and `ssl.truststore.location` name. */
import { readFile } from 'node:fs/promises';

import { ConfigError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';

export interface StoreFile {
  readonly key: string;
  readonly location: string;
  readonly type: 'PEM' | 'PKCS12';
  readonly bytes: Buffer;
}

/**
 * Undefined where none is set. What a store is, its bytes tell: Java takes a PKCS12 file for what it is too, where it
 * is called JKS (keytool has made PKCS12 by default for long). Throws a ConfigError, for JKS with the command that
 * converts it. `prefix` stands before the keys in messages.
 */
export async function storeFile(settings: RawConfig, store: 'keystore' | 'truststore', prefix: string): Promise<StoreFile | undefined> {
  const key = `${prefix}ssl.${store}.location`;
  const location = textOf(settings, `ssl.${store}.location`);
  if (location === undefined) return undefined;
  const given = textOf(settings, `ssl.${store}.type`)?.trim().toUpperCase();
  const named = given ?? (/\.(p12|pfx|pkcs12)$/i.test(location) ? 'PKCS12' : /\.(pem|crt|cer|key)$/i.test(location) ? 'PEM' : 'JKS');
  let bytes: Buffer;
  try {
    bytes = await readFile(location);
  } catch (cause) {
    if (named !== 'PEM' && named !== 'PKCS12') throw unsupported(prefix, store, named, location);
    throw new ConfigError(`${key}: the file ${location} cannot be read (${(cause as NodeJS.ErrnoException).code}).`, { cause });
  }
  const type = typeOf(bytes);
  if (type === 'PEM' || type === 'PKCS12') return { key, location, type, bytes };
  throw unsupported(prefix, store, type ?? named, location);
}

function typeOf(bytes: Buffer): string | undefined {
  if (bytes.includes('-----BEGIN ')) return 'PEM';
  const magic = bytes.toString('hex', 0, 4);
  if (magic === 'feedfeed') return 'JKS';
  if (magic === 'cececece') return 'JCEKS';
  return bytes[0] === 0x30 ? 'PKCS12' : undefined;
}

function unsupported(prefix: string, store: string, type: string, location: string): ConfigError {
  const keys = `${prefix}ssl.${store}`;
  return new ConfigError(`${keys}.location: ${location} is a store of type ${type}, which is not supported; PKCS12 and PEM are.`, {
    hint: `Convert it: keytool -importkeystore -srckeystore ${location} -destkeystore ${location.replace(/\.jks$/i, '')}.p12 -deststoretype PKCS12, and set ${keys}.location to that file and ${keys}.type=PKCS12.`,
  });
}

/** The text, or undefined where it is absent or blank. */
export function textOf(settings: RawConfig, key: string): string | undefined {
  const text = settings[key];
  return text === undefined || text.trim() === '' ? undefined : text;
}
