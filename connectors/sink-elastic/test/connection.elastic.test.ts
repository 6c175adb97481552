import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import type { RawConfig } from '@millrace/runtime/api';

import { makeCertificates, password } from '../../../runtime/tls/test/certificates.ts';
import { useElasticsearch } from '../../../test/services/share.ts';
import plugin from '../index.ts';
import { tlsOptions } from '../tls.ts';
import { ask, documentsOf, freshName } from './elastic-index.ts';
import { startFaultProxy } from './fault-proxy.ts';
import { record, startTask, valuesOf } from './task-fixture.ts';

const pass = { fault: () => 'pass' as const };

async function writeThrough(url: string, raw: RawConfig = {}): Promise<number> {
  const topic = freshName();
  await using task = await startTask({
    'connection.url': url,
    topics: topic,
    'schema.ignore': 'true',
    'read.timeout.ms': '60000',
    'max.retries': '1',
    ...raw,
  });
  await task.write(Array.from({ length: 20 }, (_, offset) => record(offset, { topic })));
  return (await documentsOf((await useElasticsearch()).url, topic)).size;
}

async function problems(raw: RawConfig): Promise<Record<string, string>> {
  const found = await plugin.validate?.(valuesOf(raw), raw);
  return Object.fromEntries((found ?? []).map(({ key, message }) => [key, message]));
}

describe('a connection', () => {
  it('with gzip', async () => {
    const { url } = await useElasticsearch();
    await using proxy = await startFaultProxy(url, pass);
    equal(await writeThrough(proxy.url, { 'connection.compression': 'true' }), 20);
    ok(proxy.bulks.length > 0 && proxy.bulks.every(({ headers }) => headers['content-encoding'] === 'gzip'));
  });

  it('with a user and a password, with an API key, with a user in the address', async () => {
    const { url } = await useElasticsearch();
    const basic = `Basic ${Buffer.from('me:pass wörd').toString('base64')}`;
    const user = { 'connection.username': 'me', 'connection.password': 'pass wörd' };
    await using byUser = await startFaultProxy(url, { ...pass, authorization: basic });
    equal(await writeThrough(byUser.url, user), 20);
    equal(await writeThrough(byUser.url.replace('http://', 'http://me:pass%20w%C3%B6rd@')), 20);
    await using byKey = await startFaultProxy(url, { ...pass, authorization: 'ApiKey c2VjcmV0' });
    equal(await writeThrough(byKey.url, { 'connection.api.key': 'c2VjcmV0' }), 20);

    const wrong = { 'connection.url': byUser.url, 'connection.username': 'me', 'connection.password': 'hunter2' };
    deepEqual(Object.keys(await problems(wrong)), ['connection.username', 'connection.password']);
    deepEqual(Object.keys(await problems({ 'connection.url': byKey.url, 'connection.api.key': 'eA==' })), ['connection.api.key']);
    await rejects(writeThrough(byUser.url, wrong), (error: Error) => {
      match(error.message, /status 401/);
      return !error.message.includes('hunter2');
    });
  });

  it('through an HTTP proxy that wants a password', async () => {
    const { url } = await useElasticsearch();
    const seen: (string | undefined)[] = [];
    const tunnels = createServer().on('connect', (request, socket, head: Buffer) => {
      seen.push(request.headers['proxy-authorization']);
      const [host, port] = (request.url ?? '').split(':');
      const onward = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        onward.write(head);
        socket.pipe(onward).pipe(socket);
      });
      for (const each of [socket, onward]) each.on('error', () => socket.destroy());
    });
    await new Promise<void>((resolve) => tunnels.listen(0, '127.0.0.1', resolve));
    const port = String((tunnels.address() as AddressInfo).port);
    equal(await writeThrough(url, { 'proxy.host': '127.0.0.1', 'proxy.port': port, 'proxy.username': 'p', 'proxy.password': 'x:y' }), 20);
    ok(seen.length > 0 && seen.every((header) => header === `Basic ${Buffer.from('p:x:y').toString('base64')}`), seen.join());
    tunnels.close();
  });

  it('by TLS, with trusted certificates in PKCS12 or PEM, and ours', async () => {
    const { url } = await useElasticsearch();
    await using certificates = await makeCertificates();
    const tls = { key: await certificates.text('server.pem'), cert: await certificates.text('server.pem') };
    const ca = await certificates.text('ca.pem');
    await using proxy = await startFaultProxy(url, { ...pass, tls: { ...tls, ca, requestCert: true, rejectUnauthorized: true } });
    const ssl = 'elastic.https.ssl.';
    const ours = { [`${ssl}keystore.location`]: certificates.path('client.p12'), [`${ssl}keystore.password`]: password };
    const theirs = { [`${ssl}truststore.location`]: certificates.path('trust.p12'), [`${ssl}truststore.password`]: password };
    const secured = { 'elastic.security.protocol': 'SSL' };
    equal(await writeThrough(proxy.url, { ...secured, ...ours, ...theirs }), 20);
    const pem = {
      [`${ssl}truststore.certificates`]: ca.replaceAll('\n', '\\n'),
      [`${ssl}keystore.location`]: certificates.path('client.pem'),
    };
    equal(await writeThrough(proxy.url, { ...secured, ...pem }), 20);

    const bad = async (raw: RawConfig): Promise<string> =>
      Object.values(await problems({ 'connection.url': proxy.url, ...secured, ...raw })).join();
    match(await bad(ours), /cannot be reached.*(certificate|signed)/i);
    match(await bad({ ...theirs, [`${ssl}truststore.password`]: 'wrong' }), /trust\.p12 cannot be opened/);
    match(
      await bad({ [`${ssl}truststore.location`]: certificates.path('java.jks') }),
      /neither PKCS12 nor PEM; JKS is not supported.*keytool/,
    );
    match(await bad({ [`${ssl}truststore.location`]: '/no/such/file' }), /cannot be read \(ENOENT\)/);

    const client = await certificates.text('client.pem');
    const inline = { [`${ssl}keystore.key`]: client, [`${ssl}keystore.certificate.chain`]: client };
    equal(await bad({ ...theirs, ...inline }), '');
    const locked = { [`${ssl}keystore.location`]: certificates.path('locked.pem') };
    equal(await bad({ ...theirs, ...locked, [`${ssl}key.password`]: password }), '');
    match(await bad({ ...theirs, ...locked }), /ssl\.\*: the key, the certificates or the ciphers cannot be used/);
  });

  it('by TLS of the versions and ciphers that are wanted, with a certificate for any host if so wanted', async () => {
    const { url } = await useElasticsearch();
    await using certificates = await makeCertificates();
    const tls = { key: await certificates.text('server.pem'), cert: await certificates.text('server.pem'), maxVersion: 'TLSv1.2' } as const;
    await using proxy = await startFaultProxy(url, { ...pass, tls });
    const ssl = 'elastic.https.ssl.';
    const trusting = { 'elastic.security.protocol': 'SSL', [`${ssl}truststore.location`]: certificates.path('ca.pem') };
    const said = async (raw: RawConfig): Promise<string> =>
      Object.values(await problems({ 'connection.url': proxy.url, ...trusting, ...raw })).join();
    equal(await said({}), '');
    match(await said({ [`${ssl}enabled.protocols`]: 'TLSv1.3' }), /cannot be reached/);
    equal(await said({ [`${ssl}cipher.suites`]: 'ECDHE-RSA-AES256-GCM-SHA384' }), '');
    match(await said({ [`${ssl}cipher.suites`]: 'ECDHE-ECDSA-AES256-GCM-SHA384' }), /cannot be reached/);
    match(await said({ [`${ssl}cipher.suites`]: 'nonsense' }), /ciphers cannot be used/);
    const options = (raw: RawConfig) => tlsOptions(valuesOf({ ...trusting, ...raw }));
    equal((await options({})).checkServerIdentity, undefined);
    equal((await options({ [`${ssl}endpoint.identification.algorithm`]: '' })).checkServerIdentity?.('any', {} as never), undefined);
  });
});

describe('validation', () => {
  it('asks Elasticsearch', async () => {
    const { url } = await useElasticsearch();
    deepEqual(await problems({ 'connection.url': url }), {});
    const message =
      (await problems({ 'connection.url': 'http://user:hunter2@127.0.0.1:1', 'connection.timeout.ms': '2000' }))['connection.url'] ?? '';
    match(message, /cannot be reached/);
    equal(message.includes('hunter2'), false);
  });

  it('looks for external resources', async () => {
    const { url } = await useElasticsearch();
    const [index, alias] = [freshName(), freshName()];
    await ask(url, 'PUT', `/${index}`, { aliases: { [alias]: {} } });
    const mapped = (usage: string, resource: string): Promise<Record<string, string>> =>
      problems({
        'connection.url': url,
        topics: 'a',
        'external.resource.usage': usage,
        'topic.to.external.resource.mapping': `a:${resource}`,
      });
    deepEqual(await mapped('INDEX', index), {});
    deepEqual(await mapped('ALIAS_INDEX', alias), {});
    match(Object.values(await mapped('ALIAS_INDEX', index)).join(), /There is no alias of index/);
    match(Object.values(await mapped('INDEX', 'nothing')).join(), /There is no index "nothing" in Elasticsearch: make it first/);
  });
});
