import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';

import { scriptedHerder } from '../../test/contract/scripted-herder.ts';
import { ConfigError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';
import { createLogLevels } from '../logging/log-levels.ts';
import { ForwardError } from '../ports/herder.ts';
import { makeCertificates, password } from '../tls/test/certificates.ts';
import type { Certificates } from '../tls/test/certificates.ts';
import { serverTlsOptions, tlsOptions } from '../tls/tls-settings.ts';
import { createRestApp } from './app.ts';
import { createPeers } from './peers.ts';
import { createRestClient } from './rest-client.ts';
import { startRestServer } from './server.ts';

let certificates: Certificates;
before(async () => (certificates = await makeCertificates()));
after(async () => certificates[Symbol.asyncDispose]());

/** As a worker file has it: who this worker is, and whom it trusts, to clients and other workers alike. */
const ssl = (more: RawConfig = {}): RawConfig => ({
  'ssl.keystore.location': certificates.path('server.p12'),
  'ssl.keystore.password': password,
  'ssl.truststore.location': certificates.path('ca.pem'),
  ...more,
});
const herder = scriptedHerder(createLogLevels());
const app = createRestApp({ herder });
const serve = (settings: RawConfig, listeners = ['https://127.0.0.1:0'], handler = app) =>
  startRestServer(handler, listeners, { tls: () => serverTlsOptions(settings, 'listeners.https.') });
const clientOf = (settings: RawConfig) => createRestClient({ tls: () => tlsOptions(settings) });
const get = async (url: string, settings: RawConfig): Promise<number> =>
  (await clientOf(settings)({ method: 'GET', url: `${url}/connectors` })).status;

describe('HTTPS', () => {
  test('listeners of both kinds, side by side', async () => {
    await using server = await serve(ssl(), ['https://127.0.0.1:0', 'http://127.0.0.1:0', 'HTTPS://127.0.0.1:0']);
    assert.deepEqual(
      server.addresses.map(({ scheme }) => scheme),
      ['https', 'http', 'https'],
    );
    assert.match(server.url, /^https:\/\/127\.0\.0\.1:\d+$/);
    for (const { scheme, port } of server.addresses) assert.equal(await get(`${scheme}://127.0.0.1:${port}`, ssl()), 200);
    await assert.rejects(fetch(`http://127.0.0.1:${server.addresses[0]?.port}/connectors`));
  });

  test('Location says https', async () => {
    await using server = await serve(ssl());
    const body = Buffer.from('{"name":"secure","config":{"connector.class":"FileStreamSource","topic":"t"}}');
    const reply = await clientOf(ssl())({ method: 'POST', url: `${server.url}/connectors`, body });
    assert.equal(reply.header('location'), `${server.url}/connectors/secure`);
  });

  test('certificates of clients: none, requested, required', async () => {
    const trusted = { 'ssl.keystore.location': certificates.path('client.pem') };
    const stranger = { 'ssl.keystore.location': certificates.path('stranger.pem') };
    const nobody = { 'ssl.truststore.location': certificates.path('ca.pem') };
    for (const [auth, answers, refuses] of [
      ['none', [nobody, trusted, stranger], []],
      ['requested', [nobody, trusted], [stranger]],
      ['required', [trusted], [nobody, stranger]],
    ] as const) {
      await using server = await serve(ssl({ 'ssl.client.auth': auth }));
      for (const client of answers) assert.equal(await get(server.url, { ...nobody, ...client }), 200, auth);
      for (const client of refuses) await assert.rejects(get(server.url, { ...nobody, ...client }), /IO Error/, auth);
    }
  });

  test('between workers, each of which must show who it is', async () => {
    const settings = ssl({ 'ssl.client.auth': 'required' });
    await using leader = await serve(settings);
    const elsewhere = { ...herder, deleteConnector: () => Promise.reject(new ForwardError(`${leader.url}/`)) };
    const follower = createRestApp({ herder: elsewhere, client: clientOf(settings) });
    await using worker = await serve(settings, ['https://127.0.0.1:0'], follower);
    await herder.createConnector('far', { 'connector.class': 'FileStreamSource', topic: 't' });
    assert.equal((await clientOf(settings)({ method: 'DELETE', url: `${worker.url}/connectors/far` })).status, 204);

    await herder.createConnector('far', { 'connector.class': 'FileStreamSource', topic: 't' });
    const peers = createPeers({ signatureAlgorithm: 'HmacSHA256', tls: () => tlsOptions(settings) });
    await peers.putTaskConfigs(`${leader.url}/`, 'far', [], undefined);
    const distrustful = createPeers({ signatureAlgorithm: 'HmacSHA256' });
    await assert.rejects(distrustful.putTaskConfigs(`${leader.url}/`, 'far', [], undefined), /IO Error trying to forward REST request: /);
    const unable = createPeers({ signatureAlgorithm: 'HmacSHA256', tls: () => tlsOptions({ 'ssl.keystore.location': '/none.pem' }) });
    await assert.rejects(unable.fenceZombies(leader.url, 'far', undefined), /Failed to start RestClient: ssl\.keystore\.location/);
  });

  test('without a key it does not start, and leaves nothing open', async () => {
    const refused = (message: RegExp) => (error: unknown) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    };
    await assert.rejects(startRestServer(app, ['https://127.0.0.1:0']), refused(/needs a private key and its certificate/));
    await assert.rejects(serve({}), refused(/^listeners\.https\.ssl\.keystore\.location: HTTPS needs/));
    await assert.rejects(serve(ssl({ 'ssl.keystore.password': 'hunter2' })), refused(/cannot be opened/));
  });

  test('a client that never speaks TLS does not hold up the end', async () => {
    const server = await serve(ssl());
    const socket = connect(server.addresses[0]?.port ?? 0, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    const ended = new Promise((resolve) => socket.resume().once('close', resolve));
    await server[Symbol.asyncDispose]();
    await ended;
  });
});
