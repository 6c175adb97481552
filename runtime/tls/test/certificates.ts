import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { requireCommand } from '../../../test/services/command.ts';

const run = promisify(execFile);

/** What no message and no log may hold. */
export const password = 'hunter2-keeps-it';

/** Certificates of a company of their own, in every shape that `ssl.*` settings take. */
export interface Certificates extends AsyncDisposable {
  /** Path of a file in the folder. */
  path(name: string): string;
  text(name: string): Promise<string>;
}

/**
 * Files: `ca.pem`; `server.pem`, `client.pem` and `stranger.pem` (of another company), each key and certificate;
 * `locked.pem` (the server's, its key encrypted); `server.p12` (with its chain), `server-ec.p12`; `client.p12`;
 * `trust.p12` (the CA alone); `really-p12.jks`; `java.jks`, of which only the first bytes are a keystore's.
 */
export async function makeCertificates(): Promise<Certificates> {
  const openssl = await requireCommand('openssl', 'openssl');
  const folder = await mkdtemp(join(tmpdir(), 'millrace-certificates-'));
  const ssl = (...args: string[]) => run(openssl, args, { cwd: folder });
  const key = { rsa: ['-newkey', 'rsa:2048'], ec: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'] };
  const joined = async (target: string, ...parts: string[]): Promise<void> => {
    const texts = await Promise.all(parts.map((part) => readFile(join(folder, part), 'utf8')));
    await writeFile(join(folder, target), texts.join(''));
  };

  const authority = (name: string) =>
    ssl('req', '-x509', ...key.rsa, '-nodes', '-days', '2', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.pem`);
  const issued = async (name: string, kind: 'rsa' | 'ec', by: string): Promise<void> => {
    const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
    await ssl(
      ...['req', '-x509', '-CA', `${by}.pem`, '-CAkey', `${by}.key`, ...key[kind], '-nodes', '-days', '2', '-subj', `/CN=${name}`],
      ...['-addext', names, '-addext', 'basicConstraints=CA:FALSE', '-keyout', `${name}.key`, '-out', `${name}.crt`],
    );
    await joined(`${name}.pem`, `${name}.key`, `${name}.crt`);
  };
  const store = (name: string, from: string, ...more: string[]) =>
    ssl('pkcs12', '-export', '-in', from, '-out', name, '-passout', `pass:${password}`, ...more);

  await authority('ca');
  await authority('elsewhere');
  await issued('server', 'rsa', 'ca');
  await issued('server-ec', 'ec', 'ca');
  await issued('client', 'rsa', 'ca');
  await issued('stranger', 'rsa', 'elsewhere');
  await ssl('pkcs8', '-topk8', '-in', 'server.key', '-out', 'locked.key', '-passout', `pass:${password}`);
  await joined('locked.pem', 'locked.key', 'server.crt');
  await store('server.p12', 'server.pem', '-certfile', 'ca.pem');
  await store('server-ec.p12', 'server-ec.pem');
  await store('client.p12', 'client.pem');
  await store('trust.p12', 'ca.pem', '-nokeys');
  await writeFile(join(folder, 'really-p12.jks'), await readFile(join(folder, 'server.p12')));
  await writeFile(join(folder, 'java.jks'), Buffer.from('feedfeed00000002', 'hex'));
  return {
    path: (name) => join(folder, name),
    text: (name) => readFile(join(folder, name), 'utf8'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
