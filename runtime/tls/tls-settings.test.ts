import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connect, createServer } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';

import { ConfigError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';
import { makeCertificates, password } from './test/certificates.ts';
import type { Certificates } from './test/certificates.ts';
import { serverTlsOptions, tlsOptions } from './tls-settings.ts';

let certificates: Certificates;
before(async () => (certificates = await makeCertificates()));
after(async () => certificates[Symbol.asyncDispose]());

/** What the server greets with, over a connection of these two; rejects when there is none. */
async function greeting(server: RawConfig, client: RawConfig, host = '127.0.0.1'): Promise<{ text: string; protocol: string | null }> {
  const listener = createServer(await serverTlsOptions(server), (socket) => void socket.on('error', () => {}).end('hello'));
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  try {
    const options: ConnectionOptions = await tlsOptions(client);
    const socket = connect({ ...options, host, port: (listener.address() as AddressInfo).port });
    await once(socket, 'secureConnect');
    const protocol = socket.getProtocol();
    const parts: Buffer[] = [];
    for await (const part of socket as AsyncIterable<Buffer>) parts.push(part);
    const text = Buffer.concat(parts).toString();
    // In TLS 1.3 a server judges a client's certificate when the client is ready already.
    if (text === '') throw new Error('the server hung up');
    return { text, protocol };
  } finally {
    listener.close();
  }
}

const keystore = (file: string, more: RawConfig = {}): RawConfig => ({ 'ssl.keystore.location': certificates.path(file), ...more });
const secret: RawConfig = { 'ssl.keystore.password': password };
const trust = (): RawConfig => ({ 'ssl.truststore.location': certificates.path('ca.pem') });

describe('ssl.* settings', () => {
  test('a server’s key from every kind of store', async () => {
    const oneLine = async (file: string): Promise<string> => (await certificates.text(file)).trim().replaceAll('\n', '\\n');
    const stores: Record<string, RawConfig> = {
      PEM: keystore('server.pem', { 'ssl.keystore.type': 'PEM' }),
      'PEM with an encrypted key': keystore('locked.pem', { 'ssl.key.password': password }),
      'PEM in the settings': {
        'ssl.keystore.type': 'PEM',
        'ssl.keystore.key': await oneLine('server.key'),
        'ssl.keystore.certificate.chain': await oneLine('server.crt'),
      },
      PKCS12: keystore('server.p12', { ...secret, 'ssl.keystore.type': 'PKCS12' }),
      'PKCS12 with an elliptic key': keystore('server-ec.p12', secret),
      'PKCS12 that is called JKS': keystore('really-p12.jks', { ...secret, 'ssl.keystore.type': 'JKS' }),
    };
    for (const [kind, settings] of Object.entries(stores)) {
      assert.equal((await greeting(settings, trust())).text, 'hello', kind);
    }
  });

  test('a client trusts whom its truststore names, and checks the name', async () => {
    const server = keystore('server.p12', secret);
    const store = { 'ssl.truststore.location': certificates.path('trust.p12'), 'ssl.truststore.password': password };
    assert.equal((await greeting(server, store)).text, 'hello');
    await assert.rejects(greeting(server, {}), /self-signed|unable to verify|local issuer/);
    await assert.rejects(greeting(keystore('stranger.pem'), trust()), /unable to verify|local issuer/);
  });

  test('a keystore’s chain is not whom a server trusts', async () => {
    const server = (truststore: string): RawConfig => ({
      ...keystore('server.p12', { ...secret, 'ssl.client.auth': 'required' }),
      'ssl.truststore.location': certificates.path(truststore),
    });
    const client = { ...trust(), ...keystore('client.p12', secret) };
    assert.equal((await greeting(server('ca.pem'), client)).text, 'hello');
    await assert.rejects(greeting(server('elsewhere.pem'), client));
  });

  test('versions and ciphers', async () => {
    const server = keystore('server.pem', { 'ssl.enabled.protocols': 'TLSv1.2' });
    assert.equal((await greeting(server, trust())).protocol, 'TLSv1.2');
    const cipher = { ...trust(), 'ssl.cipher.suites': 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384' };
    assert.equal((await greeting(keystore('server.pem'), cipher)).protocol, 'TLSv1.2');
    await assert.rejects(greeting(server, { ...trust(), 'ssl.enabled.protocols': 'TLSv1.3' }));
  });

  test('what cannot be followed names its key, and tells no secret', async () => {
    const refuses = async (settings: RawConfig, message: RegExp, hint?: RegExp): Promise<void> =>
      assert.rejects(serverTlsOptions(settings, 'listeners.https.'), (error: unknown) => {
        assert.ok(error instanceof ConfigError, String(error));
        assert.match(error.message, message);
        if (hint) assert.match(error.hint ?? '', hint);
        assert.doesNotMatch(`${error.message} ${error.hint}`, /hunter2/);
        return true;
      });
    await refuses(
      keystore('java.jks', secret),
      /^listeners\.https\.ssl\.keystore\.location: .*java\.jks is a store of type JKS/,
      /keytool -importkeystore -srckeystore/,
    );
    await refuses({}, /^listeners\.https\.ssl\.keystore\.location: HTTPS needs a private key/);
    await refuses(keystore('none.p12'), /none\.p12 cannot be read \(ENOENT\)/);
    await refuses(
      keystore('server.p12', { 'ssl.keystore.password': 'hunter2-no' }),
      /server\.p12 cannot be opened/,
      /listeners\.https\.ssl\.keystore\.password/,
    );
    await refuses(keystore('locked.pem', { 'ssl.key.password': 'hunter2-no' }), /^listeners\.https\.ssl\.\*: the key, .* cannot be used/);
    await refuses(keystore('trust.p12', secret), /holds no private key with its certificate/);
    await refuses(keystore('server.pem', { 'ssl.enabled.protocols': 'SSLv3' }), /ssl\.enabled\.protocols: SSLv3 is not supported/);
    await refuses(keystore('server.pem', { 'ssl.cipher.suites': 'TLS_NONE_SUCH' }), /cannot be used/);
  });
});
