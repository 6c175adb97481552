/** The connector in a worker of its own process, from a topic of the embedded log. */
import { equal } from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { startMillrace } from '../../../test/services/millrace.ts';
import { useElasticsearch } from '../../../test/services/share.ts';
import { documentsOf, freshName } from './elastic-index.ts';

it("the peer's quick start config writes each record once, kill -9 and all", async () => {
  const { url } = await useElasticsearch();
  const topic = freshName();
  await using worker = await startMillrace();
  const file = join(worker.folder, 'lines.txt');
  const lines = (from: number, to: number): string => Array.from({ length: to - from }, (_, i) => `line ${from + i}\n`).join('');
  appendFileSync(file, lines(0, 2_000));
  const setUp = async (): Promise<void> => {
    await worker.put('lines', {
      'connector.class': 'FileStreamSource',
      topic,
      file,
      transforms: 'hoist',
      'transforms.hoist.type': 'org.apache.kafka.connect.transforms.HoistField$Value',
      'transforms.hoist.field': 'line',
    });
    await worker.put('elasticsearch-sink', {
      'connector.class': 'io.confluent.connect.elasticsearch.ElasticsearchSinkConnector',
      'tasks.max': '1',
      topics: topic,
      'key.ignore': 'true',
      'connection.url': url,
      'type.name': 'kafka-connect',
      'read.timeout.ms': '60000',
    });
  };
  await setUp();
  await until(async () => (await documentsOf(url, topic).catch(() => new Map())).size > 0);
  await worker.kill();
  appendFileSync(file, lines(2_000, 3_000));
  await worker.restart();
  await setUp();
  await until(async () => (await documentsOf(url, topic)).size >= 3_000);
  const found = await documentsOf(url, topic);
  equal(found.size, 3_000);
  equal(new Set([...found.values()].map(({ _source }) => _source['line'])).size, 3_000);
  equal((await worker.status('elasticsearch-sink')).tasks[0]?.state, 'RUNNING');
});

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error('it did not come true within a minute');
    await sleep(100);
  }
}
