import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Kafka, logLevel } from 'kafkajs';
import type { KafkaConfig, SASLOptions } from 'kafkajs';

import { SASL_USER } from './kafka-config.ts';
import { startKafka } from './kafka.ts';
import { kcat } from './kcat.ts';
import { useKafka } from './share.ts';

const client = (config: KafkaConfig): Kafka => new Kafka({ logLevel: logLevel.NOTHING, ...config });

async function produce(kafka: Kafka, topic: string, values: string[]): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, acks: -1, messages: values.map((value) => ({ value })) });
  await producer.disconnect();
}

async function endOffset(kafka: Kafka, topic: string): Promise<number> {
  const admin = kafka.admin();
  await admin.connect();
  const [partition] = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  return Number(partition?.high);
}

describe('Kafka', () => {
  test('a kill -9 and a restart keep the records and the port', async () => {
    await using server = await startKafka({ private: true });
    const kafka = client({ brokers: server.brokers });
    await produce(kafka, 'kept', ['a', 'b', 'c']);
    const before = server.pid;

    await server.kill('SIGKILL');
    await assert.rejects(endOffset(client({ brokers: server.brokers, retry: { retries: 0 } }), 'kept'));
    await server.restart();

    assert.notEqual(server.pid, before);
    assert.equal(await endOffset(kafka, 'kept'), 3);
  });

  test('a paused one keeps its callers waiting, and answers them when it is resumed', async () => {
    await using server = await startKafka({ private: true });
    const kafka = client({ brokers: server.brokers });
    const admin = kafka.admin();
    await admin.connect();
    await server.pause();
    const answer = admin.describeCluster();
    assert.equal(await Promise.race([answer, sleep(500, 'none')]), 'none');
    server.resume();
    assert.equal((await answer).brokers.length, 1);
    await admin.disconnect();
  });

  test('listens under SASL and SSL on request, and takes further properties', async () => {
    await using server = await startKafka({ sasl: true, ssl: true, properties: { 'num.partitions': '3' } });
    const mechanisms: SASLOptions[] = [
      { mechanism: 'plain', ...SASL_USER },
      { mechanism: 'scram-sha-256', ...SASL_USER },
    ];
    for (const sasl of mechanisms) {
      await produce(client({ brokers: server.saslBrokers, sasl }), `sasl-${sasl.mechanism}`, ['a']);
    }
    const wrong: SASLOptions = { mechanism: 'plain', username: SASL_USER.username, password: 'wrong' };
    await assert.rejects(endOffset(client({ brokers: server.saslBrokers, sasl: wrong, retry: { retries: 0 } }), 'x'));

    const ssl = { ca: [readFileSync(server.caFile!)] };
    await produce(client({ brokers: server.sslBrokers, ssl }), 'ssl', ['a']);
    const listing = await kcat(['-b', server.brokers[0]!, '-L', '-J']);
    const { topics } = JSON.parse(listing) as { topics: { topic: string; partitions: unknown[] }[] };
    const partitions = Object.fromEntries(topics.map((each) => [each.topic, each.partitions.length]));
    assert.deepEqual(partitions, { 'sasl-plain': 3, 'sasl-scram-sha-256': 3, ssl: 3 });
  });

  test('a start that fails tells the last words of the server', async () => {
    await assert.rejects(startKafka({ properties: { 'process.roles': 'nonsense' } }), /nonsense/);
  });

  test('the shared one answers, and kcat reads what kafkajs wrote', async () => {
    const server = await useKafka();
    const topic = `shared-${process.pid}`;
    await produce(client({ brokers: server.brokers }), topic, ['one', 'two']);
    const read = await kcat(['-b', server.brokers[0]!, '-C', '-t', topic, '-e', '-q']);
    assert.equal(read, 'one\ntwo\n');
  });
});
