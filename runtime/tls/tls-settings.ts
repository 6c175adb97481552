/** Java's `ssl.*` settings as Node's TLS options: PEM, inline or in files, and PKCS12. */
import { createSecureContext } from 'node:tls';
import type { ConnectionOptions, SecureContextOptions } from 'node:tls';

import { ConfigError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';
import { certificatesOf, keyAndChainOf } from './pkcs12.ts';
import { storeFile, textOf } from './store-files.ts';

export interface ServerTls extends SecureContextOptions {
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
}

/**
 * Of a client. `prefix` stands before the keys in messages; the settings come without it. Throws a ConfigError that
 * names the key, for JKS with the command that converts it; no secret is in it.
 */
export async function tlsOptions(settings: RawConfig, prefix = ''): Promise<ConnectionOptions> {
  const options: ConnectionOptions = await contextOptions(settings, prefix);
  if (settings['ssl.endpoint.identification.algorithm']?.trim() === '') options.checkServerIdentity = () => undefined;
  return options;
}

/** Of a server, which needs a key; `ssl.client.auth` says whether clients do. Throws a ConfigError, as {@link tlsOptions}. */
export async function serverTlsOptions(settings: RawConfig, prefix = ''): Promise<ServerTls> {
  const options = await contextOptions(settings, prefix);
  if (options.key === undefined) {
    throw new ConfigError(
      `${prefix}ssl.keystore.location: HTTPS needs a private key and its certificate. Name a PKCS12 or PEM file that holds both.`,
    );
  }
  const auth = textOf(settings, 'ssl.client.auth')?.trim().toLowerCase() ?? 'none';
  return { ...options, requestCert: auth !== 'none', rejectUnauthorized: auth === 'required' };
}

async function contextOptions(settings: RawConfig, prefix: string): Promise<SecureContextOptions> {
  const options: SecureContextOptions = {
    ...(await keyOptions(settings, prefix)),
    ...(await trustOptions(settings, prefix)),
    ...versionOptions(settings, prefix),
  };
  const ciphers = listOf(settings, 'ssl.cipher.suites');
  if (ciphers.length > 0) {
    options.ciphers = ciphers.map(opensslCipher).join(':');
    // Of TLS 1.3 Node would go on to offer all suites, where none of them is named.
    if (!ciphers.some(isTls13) && options.minVersion !== 'TLSv1.3') options.maxVersion = 'TLSv1.2';
  }
  try {
    createSecureContext(options);
  } catch (cause) {
    throw new ConfigError(`${prefix}ssl.*: the key, the certificates or the ciphers cannot be used: ${(cause as Error).message}.`, {
      cause,
      hint: `Check ${prefix}ssl.keystore.*, ${prefix}ssl.key.password and ${prefix}ssl.truststore.*.`,
    });
  }
  return options;
}

async function keyOptions(settings: RawConfig, prefix: string): Promise<SecureContextOptions> {
  const passphrase = textOf(settings, 'ssl.key.password');
  const key = textOf(settings, 'ssl.keystore.key');
  const chain = textOf(settings, 'ssl.keystore.certificate.chain');
  const secret = passphrase === undefined ? {} : { passphrase };
  if (key !== undefined || chain !== undefined) {
    if (key === undefined || chain === undefined)
      throw new ConfigError(`${prefix}ssl.keystore.key and ${prefix}ssl.keystore.certificate.chain: one needs the other.`);
    return { key: pem(key), cert: pem(chain), ...secret };
  }
  const file = await storeFile(settings, 'keystore', prefix);
  if (file === undefined) return {};
  if (file.type === 'PEM') return { key: file.bytes, cert: file.bytes, ...secret };
  return { ...(await keyAndChainOf({ ...file, password: textOf(settings, 'ssl.keystore.password') ?? passphrase ?? '' })) };
}

async function trustOptions(settings: RawConfig, prefix: string): Promise<SecureContextOptions> {
  const inline = textOf(settings, 'ssl.truststore.certificates');
  if (inline !== undefined) return { ca: pem(inline) };
  const file = await storeFile(settings, 'truststore', prefix);
  if (file === undefined) return {};
  if (file.type === 'PEM') return { ca: file.bytes };
  return { ca: await certificatesOf({ ...file, password: textOf(settings, 'ssl.truststore.password') ?? '' }) };
}

/** Properties files often hold a PEM on one line: with spaces, or with the two signs `\n`, for its line ends. */
function pem(text: string): string {
  return text
    .replaceAll('\\n', '\n')
    .replace(/(-----BEGIN [^-]+-----)([^-]+)(-----END [^-]+-----)/g, (_whole, begin: string, body: string, end: string) => {
      const lines = body.includes(':') ? body.trim() : body.trim().split(/\s+/).join('\n');
      return `${begin}\n${lines}\n${end}\n`;
    });
}

function versionOptions(settings: RawConfig, prefix: string): SecureContextOptions {
  const wanted = listOf(settings, 'ssl.enabled.protocols');
  const enabled = wanted.filter((name) => /^TLSv1(\.[123])?$/.test(name));
  if (wanted.length > 0 && enabled.length === 0)
    throw new ConfigError(`${prefix}ssl.enabled.protocols: ${wanted.join(', ')} is not supported; write TLSv1.2,TLSv1.3.`);
  if (enabled.length === 0) return {};
  const sorted = enabled.toSorted() as NonNullable<SecureContextOptions['minVersion']>[];
  return { minVersion: sorted[0] as 'TLSv1.2', maxVersion: sorted.at(-1) as 'TLSv1.3' };
}

const isTls13 = (cipher: string): boolean => /^TLS_(AES_\d+_(GCM|CCM)|CHACHA20_POLY1305)_/.test(cipher);

/** TLS 1.3 suites have one name everywhere; of the older ones OpenSSL takes the standard's name too, through its own. */
function opensslCipher(name: string): string {
  if (isTls13(name) || !name.startsWith('TLS_')) return name;
  return name
    .replace(/^TLS_/, '')
    .replace('_WITH_', '_')
    .replace(/^RSA_/, '')
    .replace(/AES_(128|256)/, 'AES$1')
    .replace(/CHACHA20_POLY1305_SHA256$/, 'CHACHA20_POLY1305')
    .replace('CBC_', '')
    .replaceAll('_', '-');
}

function listOf(settings: RawConfig, key: string): readonly string[] {
  return (settings[key] ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
