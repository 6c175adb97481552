import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConfigError } from '../api/index.ts';
import { clientSettings, groupSettings, networkSettings, producerSettings, refuseSettings } from './client-settings.ts';
import { parseJaas } from './jaas.ts';
import { settingVerdict } from './known-settings.ts';

const brokers = { 'bootstrap.servers': 'a:9092' };
const secret = 'very-secret-word';

function refuses(settings: Record<string, string>, pattern: RegExp): () => Promise<void> {
  return () =>
    assert.rejects(networkSettings({ ...brokers, ...settings }), (error) => {
      assert.ok(error instanceof ConfigError, String(error));
      assert.match(error.message, pattern);
      assert.ok(!error.message.includes(secret), 'no secret in the message');
      return true;
    });
}

describe('the layers of a client', () => {
  const worker = {
    'bootstrap.servers': 'a:9092',
    'security.protocol': 'SASL_SSL',
    'session.timeout.ms': '10000',
    'group.id': 'connect',
    'producer.max.request.size': '5',
    'producer.security.protocol': 'PLAINTEXT',
    'consumer.session.timeout.ms': '7',
  };

  test('the worker says how brokers are reached, and nothing else', () => {
    assert.deepEqual(clientSettings('admin', worker), { 'bootstrap.servers': 'a:9092', 'security.protocol': 'SASL_SSL' });
  });

  test('the prefix wins over the worker, the connector over both', () => {
    const settings = clientSettings('producer', worker, { 'max.request.size': '6' });
    assert.deepEqual(settings, { 'bootstrap.servers': 'a:9092', 'security.protocol': 'PLAINTEXT', 'max.request.size': '6' });
    assert.equal(clientSettings('consumer', worker)['session.timeout.ms'], '7');
  });
});

describe('bootstrap.servers', () => {
  test('hosts, IPv6 and a protocol in front', async () => {
    const { bootstrap } = await networkSettings({ 'bootstrap.servers': 'a:1, [::1]:2 ,PLAINTEXT://c:3' });
    assert.deepEqual(
      bootstrap.map(({ host, port }) => `${host} ${port}`),
      ['a 1', '::1 2', 'c 3'],
    );
  });
  test('none is refused', refuses({ 'bootstrap.servers': '' }, /bootstrap\.servers/));
  test('a port is needed', refuses({ 'bootstrap.servers': 'a' }, /"a" is not host:port/));
});

describe('SASL', () => {
  const jaas = (module: string): string => `org.apache.kafka.common.security.${module} required username="u" password="${secret}";`;
  for (const [mechanism, module] of [
    ['PLAIN', 'plain.PlainLoginModule'],
    ['SCRAM-SHA-256', 'scram.ScramLoginModule'],
    ['SCRAM-SHA-512', 'scram.ScramLoginModule'],
  ] as const) {
    test(`${mechanism} is translated`, async () => {
      const { connection } = await networkSettings({
        ...brokers,
        'security.protocol': 'SASL_PLAINTEXT',
        'sasl.mechanism': mechanism,
        'sasl.jaas.config': jaas(module),
      });
      assert.deepEqual(connection.sasl, { mechanism, username: 'u', password: secret });
    });
  }
  const sasl = { 'security.protocol': 'SASL_PLAINTEXT', 'sasl.mechanism': 'PLAIN' };
  test('Kerberos is refused, with advice', refuses({ 'security.protocol': 'SASL_PLAINTEXT' }, /GSSAPI.*SCRAM-SHA-512/));
  test('a missing JAAS text is refused', refuses(sasl, /sasl\.jaas\.config: PLAIN needs a user/));
  test('the wrong module is refused', refuses({ ...sasl, 'sasl.jaas.config': jaas('scram.ScramLoginModule') }, /does not fit/));
  test(
    'a malformed JAAS text is refused',
    refuses({ ...sasl, 'sasl.jaas.config': jaas('plain.PlainLoginModule').slice(0, -1) }, /cannot be read/),
  );
  test('a quote that stays open is refused', refuses({ ...sasl, 'sasl.jaas.config': `m required password="${secret}` }, /quote/));

  test('JAAS: quotes, escapes and flags', () => {
    assert.deepEqual(parseJaas(`a.B required\n username='x y'  password="q\\"=;" serviceName = kafka;`), {
      loginModule: 'a.B',
      options: { username: 'x y', password: 'q"=;', serviceName: 'kafka' },
    });
  });
});

describe('TLS', () => {
  const tls = { 'security.protocol': 'SSL', 'ssl.truststore.password': secret };
  test(
    'a JKS store is refused with the command that converts it',
    refuses({ ...tls, 'ssl.truststore.location': '/x/trust.jks' }, /JKS.*keytool -importkeystore/),
  );
  test('a file that is not there is named', refuses({ ...tls, 'ssl.truststore.location': '/not/there.pem' }, /\/not\/there\.pem.*ENOENT/));
  test('a key without its certificate is refused', refuses({ ...tls, 'ssl.keystore.key': secret }, /one needs the other/));
  test(
    'a key that is none is refused',
    refuses({ ...tls, 'ssl.keystore.key': secret, 'ssl.keystore.certificate.chain': 'x' }, /cannot be used/),
  );
  test('an empty endpoint algorithm turns the check of names off', async () => {
    const { connection } = await networkSettings({ ...brokers, 'security.protocol': 'SSL', 'ssl.endpoint.identification.algorithm': '' });
    assert.equal(connection.tls?.checkServerIdentity?.('any', {} as never), undefined);
    const { connection: checked } = await networkSettings({ ...brokers, 'security.protocol': 'SSL' });
    assert.equal(checked.tls?.checkServerIdentity, undefined);
  });
});

describe('producers and consumers', () => {
  test('delivery is for ever by default', () => {
    assert.equal(producerSettings({}).deliveryTimeoutMs, Infinity);
    assert.equal(producerSettings({ 'delivery.timeout.ms': '2147483647' }).deliveryTimeoutMs, Infinity);
    assert.equal(producerSettings({ 'delivery.timeout.ms': '1000' }).deliveryTimeoutMs, 1000);
  });
  test('weaker acks are refused', () => assert.throws(() => producerSettings({ acks: '1' }), ConfigError));
  test('a number that is none names its key', () =>
    assert.throws(() => producerSettings({ 'max.request.size': 'big' }), /max\.request\.size: "big"/));
  test('an assignor that is not range is refused, range among others is taken', () => {
    const range = 'org.apache.kafka.clients.consumer.RangeAssignor';
    assert.throws(
      () => groupSettings({ 'partition.assignment.strategy': 'org.apache.kafka.clients.consumer.StickyAssignor' }),
      /RangeAssignor/,
    );
    assert.equal(groupSettings({ 'partition.assignment.strategy': `${range},x.Y` }).sessionTimeoutMs, 45_000);
  });
  test('a transactional id is not for settings to say', () =>
    assert.throws(() => refuseSettings('producer', { 'transactional.id': 't' }), /transactional\.id/));
  test('each known setting has its verdict', () => {
    assert.equal(settingVerdict('producer', 'max.request.size').kind, 'used');
    assert.equal(settingVerdict('producer', 'linger.ms').kind, 'ignored');
    assert.equal(settingVerdict('producer', 'partitioner.class').kind, 'refused');
    assert.equal(settingVerdict('consumer', 'no.such.key').kind, 'unknown');
  });
});
