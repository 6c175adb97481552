import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { RawConfig } from '../api/index.ts';
import { workerSettings } from './worker-file.ts';
import { basicAuthClasses } from './worker-keys.ts';
import type { WorkerSettings } from './worker-settings.ts';

const base = { 'bootstrap.servers': 'embedded:data', 'key.converter': 'JsonConverter', 'value.converter': 'JsonConverter' };
const settingsOf = (config: RawConfig, environment: NodeJS.ProcessEnv = {}): WorkerSettings =>
  workerSettings({ ...base, ...config }, { file: 'w', mode: 'standalone', environment });
const refuses = (config: RawConfig, message: RegExp): void => assert.throws(() => settingsOf(config), message);
const [extension = '', alias = ''] = basicAuthClasses;

describe('HTTPS listeners', () => {
  const keystore = { 'ssl.keystore.location': '/k.p12', 'ssl.keystore.password': 'hunter2' };
  const prefixed = (prefix: string, config: RawConfig): RawConfig =>
    Object.fromEntries(Object.entries(config).map(([key, value]) => [prefix + key, value]));

  test('take the keys with their prefix, and none of the others then', () => {
    const { rest, warnings } = settingsOf({
      listeners: 'HTTPS://:8443,http://127.0.0.1:8083',
      'ssl.truststore.location': '/brokers.p12',
      ...prefixed('listeners.https.', { ...keystore, 'ssl.client.auth': 'Required' }),
    });
    assert.deepEqual(rest.tls, { prefix: 'listeners.https.', settings: { ...keystore, 'ssl.client.auth': 'Required' } });
    assert.deepEqual(rest.adminTls, { prefix: '', settings: { 'ssl.truststore.location': '/brokers.p12' } });
    assert.deepEqual(warnings, ['ssl.truststore.location has no effect on the embedded log.']);
  });

  test('take those without a prefix where there are no others', () => {
    const { rest, warnings } = settingsOf({ listeners: 'https://:8443', ...keystore });
    assert.deepEqual(rest.tls, { prefix: '', settings: keystore });
    assert.deepEqual(warnings, []);
  });

  test('what no listener needs is warned about', () => {
    const config = {
      'listeners.https.ssl.key.password': 'hunter2',
      'admin.listeners.https.ssl.key.password': 'x',
      'ssl.client.auth': 'required',
    };
    const { warnings } = settingsOf(config);
    assert.deepEqual(
      warnings,
      Object.keys(config).map((key) => `${key} has no effect: no listener there is https.`),
    );
    assert.match(settingsOf({ 'listeners.https.ssl.colour': 'red' }).warnings[0] ?? '', /^listeners.https.ssl.colour is unknown/);
  });

  test('a kind of client authentication that there is not is refused', () => {
    refuses({ 'listeners.https.ssl.client.auth': 'maybe' }, /Invalid value maybe for configuration listeners.https.ssl.client.auth/);
    refuses({ 'ssl.client.auth': 'maybe' }, /Invalid value maybe for configuration ssl.client.auth/);
    refuses({ listeners: 'ftp://:1' }, /write http:\/\/HOST:PORT or https:\/\/HOST:PORT/);
    refuses({ 'rest.advertised.listener': 'ftp' }, /must be one of http, https/);
  });
});

describe('basic authentication', () => {
  test('is off by default', () => {
    const { rest } = settingsOf({ 'rest.extension.classes': '' }, { KAFKA_OPTS: '-Djava.security.auth.login.config=/jaas' });
    assert.equal(rest.basicAuth, undefined);
    assert.equal(rest.alwaysSigned, false);
  });

  test('with Connect’s class, by a key or by KAFKA_OPTS', () => {
    for (const name of [extension, alias, ` ${extension} `]) {
      const { rest, warnings } = settingsOf({ 'rest.extension.classes': name, 'java.security.auth.login.config': '/jaas' });
      assert.deepEqual(rest.basicAuth, { kind: 'jaas', file: '/jaas' });
      assert.equal(rest.alwaysSigned, true);
      assert.deepEqual(warnings, []);
    }
    const by = (KAFKA_OPTS: string): string | undefined =>
      settingsOf({ 'rest.extension.classes': extension }, { KAFKA_OPTS }).rest.basicAuth?.file;
    assert.equal(by('-Xmx1g -Djava.security.auth.login.config=/etc/jaas.conf -Dx=y'), '/etc/jaas.conf');
    assert.equal(by('-Djava.security.auth.login.config=/old -Djava.security.auth.login.config==file:///new'), '/new');
    assert.equal(by('-Djava.security.auth.login.config=file:/new'), '/new');
  });

  test('with a file of our own', () => {
    const { rest } = settingsOf({ 'millrace.rest.basic.auth.file': '/users' });
    assert.deepEqual(rest.basicAuth, { kind: 'users', file: '/users' });
  });

  test('half set, or set twice, is refused', () => {
    refuses({ 'rest.extension.classes': extension }, /basic authentication needs a JAAS file\. Name it with java\.security/);
    refuses({ 'rest.extension.classes': `${extension},org.example.Mine`, 'java.security.auth.login.config': '/j' }, /cannot be honoured/);
    refuses(
      { 'rest.extension.classes': extension, 'java.security.auth.login.config': '/j', 'millrace.rest.basic.auth.file': '/u' },
      /both say who may call REST/,
    );
    assert.match(settingsOf({ 'java.security.auth.login.config': '/j' }).warnings[0] ?? '', /no effect without rest\.extension\.classes/);
  });

  test('a group that shares no key is warned', () => {
    const topics = { 'config.storage.topic': 'c', 'offset.storage.topic': 'o', 'status.storage.topic': 's', 'group.id': 'g' };
    const warnings = (protocol: string): readonly string[] =>
      workerSettings(
        { ...base, ...topics, 'bootstrap.servers': 'b:1', 'connect.protocol': protocol, 'millrace.rest.basic.auth.file': '/u' },
        { file: 'w', mode: 'distributed' },
      ).warnings;
    assert.deepEqual(warnings('sessioned'), []);
    assert.match(warnings('eager')[0] ?? '', /^connect\.protocol=eager: workers share no key/);
  });
});
