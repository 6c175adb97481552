import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { uniqueName, until } from '../../test/contract/log-fixture.ts';
import { SASL_USER } from '../../test/services/kafka-config.ts';
import { startKafka } from '../../test/services/kafka.ts';
import type { KafkaServer } from '../../test/services/kafka.ts';
import { ConfigError } from '../api/index.ts';
import { joinNamed, sessionTimeoutMs } from './test/worker-group-fixture.ts';

describe('a worker group and its coordinator', () => {
  let kafka: KafkaServer;
  before(async () => {
    const authorizer = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer';
    kafka = await startKafka({
      private: true,
      sasl: true,
      properties: { 'authorizer.class.name': authorizer, 'super.users': 'User:ANONYMOUS' },
    });
  });
  after(() => kafka[Symbol.asyncDispose]());

  test('out of reach for unreachableMs: the work stops, and goes on when the coordinator is back', async () => {
    await using a = await joinNamed(kafka.brokers, uniqueName('workers'), 'A', { sessionTimeoutMs: 40_000, unreachableMs: 1000 });
    await until('A is in', () => a.told() !== undefined);
    const memberId = a.memberId();
    await kafka.stop();
    await until('A stops', () => a.events.at(-1) === 'lost');
    assert.match(a.warnings.join(), /out of reach for 1000 ms/);
    await kafka.restart();
    await until('A is back', () => a.told() !== undefined);
    assert.deepEqual(a.events, ['told A by A', 'lost', 'told A by A']);
    assert.equal(a.memberId(), memberId, 'nobody has to wait for an old self of it');
  });

  test('back in time: nothing stops', async () => {
    await using a = await joinNamed(kafka.brokers, uniqueName('workers'), 'A', { sessionTimeoutMs: 60_000, unreachableMs: 60_000 });
    await until('A is in', () => a.told() !== undefined);
    await kafka.restart();
    a.transport.rejoin();
    await until('A joined again', () => a.events.length >= 2);
    assert.equal(a.events.includes('lost'), false);
  });

  test('silent for a whole session, though connections stay open: the work stops', async () => {
    const groupId = uniqueName('workers');
    // Whatever a request may wait for: the session is what counts.
    const settings = { 'bootstrap.servers': kafka.brokers.join(','), 'request.timeout.ms': '120000' };
    await using a = await joinNamed(kafka.brokers, groupId, 'A', { settings, unreachableMs: 60_000 });
    await until('A is in', () => a.told() !== undefined);
    await kafka.pause();
    try {
      // A JoinGroup under way must not keep it from noticing.
      a.transport.rejoin();
      await until('A stops', () => a.events.at(-1) === 'lost');
      assert.match(a.warnings.join(), new RegExp(`session.timeout.ms=${sessionTimeoutMs}`));
    } finally {
      kafka.resume();
    }
    await until('A is back', () => a.told() !== undefined);
  });

  test('a closed member does not wait for a coordinator that is silent', async () => {
    const a = await joinNamed(kafka.brokers, uniqueName('workers'), 'A');
    await until('A is in', () => a.told() !== undefined);
    await kafka.pause();
    try {
      await a[Symbol.asyncDispose]();
    } finally {
      kafka.resume();
    }
  });

  test('without the right to read the group: refused, with what is missing', async () => {
    const { username, password } = SASL_USER;
    const settings = {
      'bootstrap.servers': kafka.saslBrokers.join(','),
      'security.protocol': 'SASL_PLAINTEXT',
      'sasl.mechanism': 'PLAIN',
      'sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required username="${username}" password="${password}";`,
    };
    const groupId = uniqueName('workers');
    await assert.rejects(
      joinNamed(kafka.saslBrokers, groupId, 'A', { settings }),
      (error) => error instanceof ConfigError && error.message.includes(groupId) && /READ on the group/.test(error.hint ?? ''),
    );
  });
});
