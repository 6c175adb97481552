import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { DEBEZIUM_VERSION, startConnect } from './connect.ts';
import { KAFKA_VERSION } from './kafka-config.ts';
import { useKafka } from './share.ts';

interface Plugin {
  class: string;
  type: string;
  version: string;
}

const get = async <T>(url: string): Promise<T> => (await (await fetch(url)).json()) as T;

describe('the real Kafka Connect', () => {
  test('a distributed worker offers Debezium, and is back after a kill -9', async () => {
    const { brokers } = await useKafka();
    await using worker = await startConnect({ brokers, group: `services-${process.pid}` });
    assert.equal((await get<{ version: string }>(worker.url)).version, KAFKA_VERSION);
    const plugins = await get<Plugin[]>(`${worker.url}/connector-plugins`);
    const debezium = plugins.find((each) => each.class === 'io.debezium.connector.postgresql.PostgresConnector');
    assert.deepEqual(debezium, { class: debezium?.class, type: 'source', version: DEBEZIUM_VERSION });
    assert.ok(plugins.some((each) => each.class.endsWith('FileStreamSinkConnector')));

    await worker.kill('SIGKILL');
    await worker.restart();
    assert.deepEqual(await get(`${worker.url}/connectors`), []);
  });

  test('a standalone worker starts with the connectors it is given', { timeout: 120_000 }, async () => {
    const { brokers } = await useKafka();
    const config = {
      name: 'first',
      'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
      topic: `services-${process.pid}`,
      file: import.meta.filename,
    };
    await using worker = await startConnect({ brokers, mode: 'standalone', connectors: [config] });
    // It answers before it has made them.
    while ((await get<string[]>(`${worker.url}/connectors`)).length === 0) await sleep(50);
    assert.deepEqual(await get(`${worker.url}/connectors`), ['first']);
  });
});
