/** What `database.ssl*` says, as Node's TLS takes it. Source: pgjdbc's LibPQFactory and LazyKeyManager, libpq's "SSL Support". */
import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { checkServerIdentity } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';

import { ConfigError } from '@millrace/runtime/api';

import type { Config } from './config.ts';

type FileKey = 'database.sslrootcert' | 'database.sslcert' | 'database.sslkey';

/** `mode` is anything but `disable`. Throws a ConfigError for files that cannot be read or used. */
export async function tlsOptions(config: Config, mode: string): Promise<ConnectionOptions> {
  const file = async (key: FileKey): Promise<Buffer | undefined> => {
    const path = config[key];
    if (path === null || path === '') return undefined;
    try {
      return await readFile(path);
    } catch (cause) {
      throw new ConfigError(`${key}: cannot read "${path}": ${(cause as Error).message}.`, { cause });
    }
  };
  const [ca, cert, key] = [await file('database.sslrootcert'), await file('database.sslcert'), await file('database.sslkey')];
  const host = config['database.hostname'];
  return {
    // As libpq: `require` checks the authority when one is given.
    rejectUnauthorized: mode.startsWith('verify') || (mode === 'require' && ca !== undefined),
    // By the name in the config: for an address, pg would have Node look for "localhost" in the certificate.
    checkServerIdentity: mode === 'verify-full' ? (_name, certificate) => checkServerIdentity(host, certificate) : () => undefined,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : clientKey(config, key)),
  };
}

/** PEM, PKCS-8 in DER (pgjdbc's own form), or PKCS-12, which holds the certificate as well. */
function clientKey(config: Config, bytes: Buffer): ConnectionOptions {
  const path = config['database.sslkey'] ?? '';
  const passphrase = config['database.sslpassword']?.reveal();
  const secret = passphrase === undefined ? {} : { passphrase };
  if (/\.(p12|pfx)$/i.test(path)) return { pfx: bytes, ...secret };
  try {
    const pem = bytes.includes('-----BEGIN');
    const key = createPrivateKey(pem ? { key: bytes, format: 'pem', ...secret } : { key: bytes, format: 'der', type: 'pkcs8', ...secret });
    return { key: key.export({ type: 'pkcs8', format: 'pem' }) };
  } catch (cause) {
    const old = /unsupported|digital envelope/i.test((cause as Error).message)
      ? ' Its encryption may be too old for OpenSSL 3: make it anew with openssl pkcs8 -topk8 -v2 aes-256-cbc.'
      : '';
    throw new ConfigError(`database.sslkey: "${path}" cannot be used: ${(cause as Error).message}.${old}`, {
      cause,
      hint: 'It has to be a PEM, PKCS-8 (DER) or PKCS-12 file, and database.sslpassword its password where it has one.',
    });
  }
}
