import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { appendValues, createTopic, readPartition } from '../../test/contract/log-fixture.ts';
import { SASL_USER } from '../../test/services/kafka-config.ts';
import { startKafka } from '../../test/services/kafka.ts';
import type { KafkaServer } from '../../test/services/kafka.ts';
import { ConfigError, RetriableError } from '../api/index.ts';
import { openKafkaLog } from './kafka-log.ts';

const run = promisify(execFile);
const quick = { 'default.api.timeout.ms': '1000' };
const admin = { 'admin.default.api.timeout.ms': '1000' };

describe('security', () => {
  let server: KafkaServer;
  let folder: string;
  before(async () => {
    server = await startKafka({ private: true, sasl: true, ssl: true });
    folder = await mkdtemp(join(tmpdir(), 'millrace-security-'));
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  async function roundTrip(settings: Record<string, string>): Promise<void> {
    await using log = await openKafkaLog(settings);
    const topic = await createTopic(log);
    await appendValues(log, topic, 0, ['through']);
    assert.deepEqual(
      (await readPartition(log, topic, 0)).map(({ value }) => value),
      ['through'],
    );
  }

  const sasl = (mechanism: string, password: string): Record<string, string> => {
    const module = mechanism === 'PLAIN' ? 'plain.PlainLoginModule' : 'scram.ScramLoginModule';
    return {
      'bootstrap.servers': server.saslBrokers.join(','),
      'security.protocol': 'SASL_PLAINTEXT',
      'sasl.mechanism': mechanism,
      'sasl.jaas.config': `org.apache.kafka.common.security.${module} required username="${SASL_USER.username}" password="${password}";`,
    };
  };
  const tls = (settings: Record<string, string>): Record<string, string> => ({
    'bootstrap.servers': server.sslBrokers.join(','),
    'security.protocol': 'SSL',
    ...settings,
  });

  for (const mechanism of ['PLAIN', 'SCRAM-SHA-256']) {
    test(`${mechanism}: records go through; a wrong password is a ConfigError that does not tell it`, async () => {
      await roundTrip(sasl(mechanism, SASL_USER.password));
      await assert.rejects(openKafkaLog({ ...sasl(mechanism, 'not-this-one'), ...admin }), (error) => {
        assert.ok(error instanceof ConfigError, String(error));
        assert.match(error.message, /login was refused.*sasl\.jaas\.config/s);
        assert.ok(!error.message.includes('not-this-one'));
        return true;
      });
    });
  }

  test('TLS with PEM: in a file, and inline on one line', async () => {
    const caFile = server.caFile as string;
    await roundTrip(tls({ 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': caFile }));
    const inline = (await readFile(caFile, 'utf8')).trim().replaceAll('\n', ' ');
    await roundTrip(tls({ 'ssl.truststore.type': 'PEM', 'ssl.truststore.certificates': inline }));
  });

  test("TLS with a PKCS12 truststore of Java's keytool", async () => {
    const store = join(folder, 'trust.p12');
    await run('keytool', [
      '-importcert',
      '-noprompt',
      '-alias',
      'ca',
      '-file',
      server.caFile as string,
      '-keystore',
      store,
      '-storetype',
      'PKCS12',
      '-storepass',
      'changeit',
    ]);
    const settings = { 'ssl.truststore.type': 'PKCS12', 'ssl.truststore.location': store };
    await roundTrip(tls({ ...settings, 'ssl.truststore.password': 'changeit' }));
    await assert.rejects(openKafkaLog(tls({ ...settings, 'ssl.truststore.password': 'wrong-word' })), (error) => {
      assert.ok(
        error instanceof ConfigError && /ssl\.truststore\.password/.test(error.message) && !error.message.includes('wrong-word'),
        String(error),
      );
      return true;
    });
  });

  test('a certificate that nobody vouches for is a ConfigError', async () => {
    await assert.rejects(
      openKafkaLog(tls(admin)),
      (error) => error instanceof ConfigError && /not trusted.*ssl\.truststore/s.test(error.message),
    );
  });

  test('a listener of another protocol is named', async () => {
    const plain = { 'bootstrap.servers': server.sslBrokers.join(','), ...admin };
    await assert.rejects(openKafkaLog(plain), (error) => error instanceof ConfigError && /security\.protocol/.test(error.message));
    await assert.rejects(openKafkaLog(tls({ 'bootstrap.servers': server.brokers.join(','), ...admin })), /127\.0\.0\.1/);
  });

  test('nobody there, and a name that does not exist: bootstrap.servers is named', async () => {
    await assert.rejects(openKafkaLog({ 'bootstrap.servers': '127.0.0.1:1', ...admin, ...quick }), (error) => {
      assert.ok(error instanceof RetriableError && /bootstrap\.servers=127\.0\.0\.1:1.*refused/.test(error.message), String(error));
      return true;
    });
    await assert.rejects(
      openKafkaLog({ 'bootstrap.servers': 'no-such-host.invalid:9092', ...admin }),
      /bootstrap\.servers=no-such-host\.invalid:9092.*cannot be resolved/,
    );
  });
});
