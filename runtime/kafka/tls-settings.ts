import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { ConfigError } from '../api/index.ts';
import { certificatesOf } from './pkcs12.ts';
import { listOf, textOf } from './setting-values.ts';
import type { Settings } from './setting-values.ts';

/**
 * Translates the JVM clients' `ssl.*` settings: PEM, inline or in files, and PKCS12. Throws a ConfigError, for JKS
 * with the command that converts it; no secret is in it.
 */
export async function tlsOptions(settings: Settings): Promise<TlsOptions> {
  const options: TlsOptions = { ...(await keyOptions(settings)), ...(await trustOptions(settings)), ...versionOptions(settings) };
  if (settings['ssl.endpoint.identification.algorithm']?.trim() === '') options.checkServerIdentity = () => undefined;
  const ciphers = listOf(settings, 'ssl.cipher.suites');
  if (ciphers.length > 0) options.ciphers = ciphers.map(opensslCipher).join(':');
  try {
    createSecureContext(options);
  } catch (cause) {
    throw new ConfigError(`ssl.*: the key, the certificates or the ciphers cannot be used: ${(cause as Error).message}.`, {
      cause,
      hint: 'Check ssl.keystore.*, ssl.key.password and ssl.truststore.*.',
    });
  }
  return options;
}

async function keyOptions(settings: Settings): Promise<TlsOptions> {
  const passphrase = textOf(settings, 'ssl.key.password');
  const key = textOf(settings, 'ssl.keystore.key');
  const chain = textOf(settings, 'ssl.keystore.certificate.chain');
  const secret = passphrase === undefined ? {} : { passphrase };
  if (key !== undefined || chain !== undefined) {
    if (key === undefined || chain === undefined)
      throw new ConfigError('ssl.keystore.key and ssl.keystore.certificate.chain: one needs the other.');
    return { key: pem(key), cert: pem(chain), ...secret };
  }
  const location = textOf(settings, 'ssl.keystore.location');
  if (location === undefined) return {};
  const type = storeType(settings, 'keystore', location);
  const bytes = await fileOf('ssl.keystore.location', location);
  if (type === 'PEM') return { key: bytes, cert: bytes, ...secret };
  const password = textOf(settings, 'ssl.keystore.password') ?? passphrase;
  return { pfx: bytes, ...(password === undefined ? {} : { passphrase: password }) };
}

async function trustOptions(settings: Settings): Promise<TlsOptions> {
  const inline = textOf(settings, 'ssl.truststore.certificates');
  if (inline !== undefined) return { ca: pem(inline) };
  const location = textOf(settings, 'ssl.truststore.location');
  if (location === undefined) return {};
  const type = storeType(settings, 'truststore', location);
  const bytes = await fileOf('ssl.truststore.location', location);
  if (type === 'PEM') return { ca: bytes };
  return { ca: await certificatesOf(bytes, textOf(settings, 'ssl.truststore.password') ?? '', location) };
}

function storeType(settings: Settings, store: 'keystore' | 'truststore', location: string): 'PEM' | 'PKCS12' {
  const key = `ssl.${store}.type`;
  const given = textOf(settings, key)?.trim().toUpperCase();
  const type = given ?? (/\.(p12|pfx|pkcs12)$/i.test(location) ? 'PKCS12' : /\.(pem|crt|cer)$/i.test(location) ? 'PEM' : 'JKS');
  if (type === 'PEM' || type === 'PKCS12') return type;
  throw new ConfigError(`${key}: ${type} ${given === undefined ? '(the default) ' : ''}is not supported.`, {
    hint: `Convert it: keytool -importkeystore -srckeystore ${location} -destkeystore ${location.replace(/\.jks$/i, '')}.p12 -deststoretype PKCS12, and set ssl.${store}.location to that file and ${key}=PKCS12.`,
  });
}

async function fileOf(key: string, location: string): Promise<Buffer> {
  try {
    return await readFile(location);
  } catch (cause) {
    throw new ConfigError(`${key}: the file ${location} cannot be read (${(cause as NodeJS.ErrnoException).code}).`, { cause });
  }
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

function versionOptions(settings: Settings): TlsOptions {
  const enabled = listOf(settings, 'ssl.enabled.protocols').filter((name) => /^TLSv1(\.[123])?$/.test(name));
  if (enabled.length === 0) return {};
  const sorted = enabled.toSorted() as NonNullable<TlsOptions['minVersion']>[];
  return { minVersion: sorted[0] as 'TLSv1.2', maxVersion: sorted.at(-1) as 'TLSv1.3' };
}

/** TLS 1.3 suites have one name everywhere; of the older ones OpenSSL takes the standard's name too, through its own. */
function opensslCipher(name: string): string {
  if (/^TLS_(AES|CHACHA20)/.test(name) || !name.startsWith('TLS_')) return name;
  return name
    .replace(/^TLS_/, '')
    .replace('_WITH_', '_')
    .replace(/^RSA_/, '')
    .replace(/AES_(128|256)/, 'AES$1')
    .replace(/CHACHA20_POLY1305_SHA256$/, 'CHACHA20_POLY1305')
    .replace('CBC_', '')
    .replaceAll('_', '-');
}
