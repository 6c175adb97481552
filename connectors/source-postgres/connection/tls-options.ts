/** What `database.ssl*` says, as Node's TLS takes it. Source: pgjdbc's LibPQFactory and LazyKeyManager, libpq's "SSL Support". */
import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { checkServerIdentity } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';

import { ConfigError } from '@millrace/runtime/api';

import type { Config } from '../config/config.ts';

interface Found {
  readonly path: string;
  readonly bytes: Buffer;
}

type FileKey = 'database.sslrootcert' | 'database.sslcert' | 'database.sslkey';

/** `mode` is anything but `disable`. Throws a ConfigError for files that cannot be read or used. */
export async function tlsOptions(config: Config, mode: string): Promise<ConnectionOptions> {
  /** The file that the key names, or the first of its usual ones that is there. */
  const file = async (key: FileKey, ...usual: string[]): Promise<Found | undefined> => {
    const named = config[key] ?? '';
    for (const path of named === '' ? usual.map((name) => join(usualFolder(), name)) : [named]) {
      try {
        return { path, bytes: await readFile(path) };
      } catch (cause) {
        if (named === '' && /^(ENOENT|ENOTDIR)$/.test(String((cause as { code?: string }).code))) continue;
        throw new ConfigError(`${key}: cannot read "${path}": ${(cause as Error).message}.`, { cause });
      }
    }
    return undefined;
  };
  const usualRoot = mode.startsWith('verify') ? ['root.crt'] : [];
  const ca = (await file('database.sslrootcert', ...usualRoot))?.bytes;
  const key = await file('database.sslkey', 'postgresql.key', 'postgresql.pk8');
  const container = key !== undefined && isContainer(key);
  const cert = (await file('database.sslcert', ...(key === undefined || container ? [] : ['postgresql.crt'])))?.bytes;
  // A key that merely lies there is nothing without its certificate.
  const ownKey = cert === undefined && !container && (config['database.sslkey'] ?? '') === '' ? undefined : key;
  const host = config['database.hostname'];
  return {
    // As libpq: `require` checks the authority when one is given.
    rejectUnauthorized: mode.startsWith('verify') || (mode === 'require' && ca !== undefined),
    // By the name in the config: for an address, pg would have Node look for "localhost" in the certificate.
    checkServerIdentity: mode === 'verify-full' ? (_name, certificate) => checkServerIdentity(host, certificate) : () => undefined,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(ownKey === undefined ? {} : clientKey(config, ownKey)),
  };
}

/** Where libpq looks. */
const usualFolder = (): string =>
  process.platform === 'win32' ? join(process.env['APPDATA'] ?? homedir(), 'postgresql') : join(homedir(), '.postgresql');

const isContainer = ({ path }: Found): boolean => /\.(p12|pfx)$/i.test(path);

/** PEM, PKCS-8 in DER (pgjdbc's own form), or PKCS-12, which holds the certificate as well. */
function clientKey(config: Config, found: Found): ConnectionOptions {
  const { path, bytes } = found;
  const passphrase = config['database.sslpassword']?.reveal();
  const secret = passphrase === undefined ? {} : { passphrase };
  if (isContainer(found)) return { pfx: bytes, ...secret };
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
