import { deepEqual, equal, match, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RawConfig } from '@millrace/runtime/api';

import { parseConfig } from '../../../runtime/plugins/config-validation.ts';
import { config } from '../config.ts';
import { nodeUrls } from '../node-urls.ts';
import { resourceNames } from '../resource-names.ts';
import { ruleProblems } from '../rules.ts';
import { readSettings } from '../settings.ts';
import { valuesOf } from './task-fixture.ts';

const problems = (raw: RawConfig): string[] => ruleProblems(valuesOf(raw), raw).map(({ key }) => key);

describe('keys that do not go together', () => {
  const rows: readonly (readonly [raw: RawConfig, keys: readonly string[]])[] = [
    [{}, []],
    [{ 'connection.username': 'u' }, ['connection.username', 'connection.password']],
    [{ 'connection.username': 'u', 'connection.password': 'p', 'connection.api.key': 'k' }, ['connection.api.key', 'connection.username']],
    [{ 'key.ignore': 'true', 'topic.key.ignore': 'a' }, ['key.ignore', 'topic.key.ignore']],
    [{ 'linger.ms': '5000', 'flush.timeout.ms': '1000' }, ['linger.ms', 'flush.timeout.ms']],
    [{ 'max.buffered.records': '9999' }, ['max.buffered.records', 'batch.size', 'max.in.flight.requests']],
    [{ 'proxy.username': 'u' }, ['proxy.username', 'proxy.host']],
    [{ 'proxy.host': 'h', 'proxy.username': 'u' }, ['proxy.username', 'proxy.password']],
    [{ 'elastic.https.ssl.truststore.location': '/x' }, ['elastic.security.protocol']],
    [{ 'data.stream.type': 'LOGS' }, ['data.stream.type', 'data.stream.dataset']],
    [{ 'data.stream.timestamp.field': 'ts' }, ['data.stream.timestamp.field']],
    [{ 'data.stream.type': 'LOGS', 'data.stream.dataset': 'd', 'write.method': 'UPSERT' }, ['write.method']],
    [{ 'data.stream.type': 'LOGS', 'data.stream.dataset': 'd', 'behavior.on.null.values': 'delete' }, ['behavior.on.null.values']],
    [{ 'external.resource.usage': 'INDEX' }, ['external.resource.usage', 'topic.to.external.resource.mapping']],
    [
      { 'external.resource.usage': 'INDEX', 'topic.to.external.resource.mapping': 'a:b:c', topics: 'a' },
      ['topic.to.external.resource.mapping'],
    ],
    [
      { 'external.resource.usage': 'INDEX', 'topic.to.external.resource.mapping': 'a:x,b:x', topics: 'a,b' },
      ['topic.to.external.resource.mapping'],
    ],
    [
      { 'external.resource.usage': 'INDEX', 'topic.to.external.resource.mapping': 'a:x', topics: 'a,b' },
      ['topic.to.external.resource.mapping'],
    ],
    [{ 'external.resource.usage': 'INDEX', 'topic.to.external.resource.mapping': 'a:x', topics: 'a' }, []],
  ];
  for (const [raw, keys] of rows) it(JSON.stringify(raw), () => deepEqual(problems(raw), keys));
});

describe('keys that are refused', () => {
  const refused = (raw: RawConfig): string => parseConfig(config, { 'connection.url': 'http://h', ...raw }).problems[0]?.message ?? '';
  it('Kerberos', () => match(refused({ 'kerberos.user.principal': 'me' }), /Kerberos is not supported/));
  it('a class for TLS', () => match(refused({ 'elastic.https.ssl.engine.factory.class': 'x.Y' }), /Java class/));
  it('a node that is no URL, without its password', () => {
    const message = refused({ 'connection.url': 'ftp://me:secret@h' });
    match(message, /scheme must be http or https/);
    equal(message.replace(/^Invalid value \S+/, '').includes('secret'), false);
  });
  it('a part of a data stream name', () => match(refused({ 'data.stream.dataset': 'a-b' }), /none of/));
  it('nothing of what the peer has by default', () => equal(refused({}), ''));
});

describe('names', () => {
  const name = (topic: string, raw: RawConfig = {}): string => {
    const values = valuesOf(raw);
    const settings = readSettings(values, raw);
    return resourceNames(values, settings.dataStream, settings.external)(topic);
  };
  it('of indices', () => {
    deepEqual(
      ['Shop.Orders', '-a', '__a', '.', '..', 'x'.repeat(300)].map((topic) => name(topic)),
      ['shop.orders', 'a', '_a', 'dot', 'dotdot', 'x'.repeat(255)],
    );
  });
  it('of data streams', () => {
    const raw = { 'data.stream.type': 'LOGS', 'data.stream.dataset': 'd' };
    equal(name('Shop', raw), 'logs-d-shop');
    equal(name('Shop', { ...raw, 'data.stream.namespace': 'my_${topic}' }), 'logs-d-my_shop');
  });
  it('of external resources', () => {
    const raw = { 'external.resource.usage': 'ALIAS_INDEX', 'topic.to.external.resource.mapping': 'a:x, b:y', topics: 'a,b' };
    equal(name('b', raw), 'y');
    throws(() => name('c', raw), { name: 'ConfigError', message: /topic "c" is not in topic\.to\.external/ });
  });
  it('of nodes', () => {
    deepEqual(nodeUrls(['a:1', 'https://b', 'http://c/']).map(String), ['https://a:1/', 'https://b/', 'http://c/']);
    equal(String(nodeUrls(['localhost:9200'])[0]), 'http://localhost:9200/');
  });
});
