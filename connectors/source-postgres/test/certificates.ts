/** Certificates for a PostgreSQL with TLS and its clients, made anew. */
import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { requireCommand } from '../../../test/services/command.ts';
import { unprivilegedUser } from '../../../test/services/data-folder.ts';

const run = promisify(execFile);

/** Of the client's locked keys. */
export const keyPassword = 'hunter2-opens-it';

export interface Certificates extends AsyncDisposable {
  path(name: string): string;
  /** Flags of a server that offers TLS. */
  readonly serverFlags: readonly string[];
}

/**
 * `ca.pem` and `other-ca.pem`; `server.crt`, for the address 127.0.0.1 and no name; of the client `carol`: `client.crt`,
 * its key as `client.key` (PEM), `client.pk8` (DER), `locked.pem`, `locked.pk8` (both encrypted), and `client.p12`.
 *
 * The user `secure` gets in with TLS only, `open` without only, `carol` with her certificate.
 */
export async function makeCertificates(): Promise<Certificates> {
  const openssl = await requireCommand('openssl', 'openssl');
  const folder = await mkdtemp(join(tmpdir(), 'millrace-pg-tls-'));
  const ssl = (...args: string[]) => run(openssl, args, { cwd: folder });
  const path = (name: string): string => join(folder, name);
  const authority = (name: string) =>
    ssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
    );
  const issued = (name: string, subject: string, ...more: string[]) =>
    ssl(
      ...['req', '-x509', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${subject}`],
      ...['-addext', 'basicConstraints=CA:FALSE', ...more, '-keyout', `${name}.key`, '-out', `${name}.crt`],
    );
  const converted = (target: string, ...more: string[]) => ssl('pkcs8', '-topk8', '-in', 'client.key', '-out', target, ...more);
  const locked = ['-v2', 'aes-256-cbc', '-passout', `pass:${keyPassword}`];

  await authority('ca');
  await authority('other-ca');
  await issued('server', 'database', '-addext', 'subjectAltName=IP:127.0.0.1');
  await issued('client', 'carol');
  await converted('client.pk8', '-outform', 'DER', '-nocrypt');
  await converted('locked.pk8', '-outform', 'DER', ...locked);
  await converted('locked.pem', ...locked);
  await ssl('pkcs12', '-export', '-in', 'client.crt', '-inkey', 'client.key', '-out', 'client.p12', '-passout', `pass:${keyPassword}`);
  const rules = [
    'hostssl all carol all cert',
    'hostnossl all secure all reject',
    'hostssl all open all reject',
    'host all carol all reject',
    'host all all all trust',
  ];
  await writeFile(path('hba.conf'), rules.join('\n'));
  // PostgreSQL wants its key to be its own, and the folder has to let it in.
  const { uid, gid } = unprivilegedUser();
  await chmod(folder, 0o755);
  await chmod(path('server.key'), 0o600);
  if (uid !== undefined && gid !== undefined) await chown(path('server.key'), uid, gid);
  const settings = {
    ssl: 'on',
    ssl_cert_file: path('server.crt'),
    ssl_key_file: path('server.key'),
    ssl_ca_file: path('ca.pem'),
    hba_file: path('hba.conf'),
  };
  return {
    path,
    serverFlags: Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
