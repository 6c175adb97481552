/**
 * A worker that is killed again and again behind a target that goes wrong, with poison of several kinds on the way: in
 * the end objects and dead letters are the input, each record once. MILLRACE_CHAOS=full: a million records.
 */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { createRandom, isFull, seedNote } from '../../../test/chaos/seed.ts';
import { until } from '../../../test/chaos/until.ts';
import { readEmbedded } from '../../../test/e2e/topic-records.ts';
import { startMillrace } from '../../../test/services/millrace.ts';
import type { S3Server } from '../../../test/services/s3.ts';
import { useS3 } from '../../../test/services/share.ts';
import { faultProxy } from './fault-proxy.ts';
import type { Fault } from './fault-proxy.ts';
import { objectsIn } from './harness.ts';
import { committedOffset, reach, uploadsIn, whileRunning } from './worker-sink.ts';

const records = isFull ? 1_000_000 : 30_000;
/** Objects of six megabytes: a part, and a bit. */
const flushSize = 10_000;
const kills = isFull ? 8 : 2;
const noise = 'x'.repeat(600);

const poison: readonly ((id: number) => string)[] = [
  (id) => `no JSON ${id}`,
  (id) => `{"id":${id}`,
  (id) => `{"id":${id},"other":1}`,
  (id) => `{"id":${id},"at":"yesterday"}`,
  (id) => `{"id":${id},"at":true}`,
  (id) => `{"id":${id},"at":{"year":2026}}`,
  (id) => `{"id":${id},"at":null}`,
  (id) => `[${id}]`,
  (id) => String(id),
  (id) => `{"id":${id},"at":1,"deep":${'['.repeat(2_000)}${']'.repeat(2_000)}}`,
];

let server: S3Server;
let client: S3Client;
before(async () => {
  server = await useS3();
  client = await server.client();
});
after(() => client.destroy());

it(`objects and dead letters are the input, ${seedNote}`, async () => {
  const random = createRandom('s3');
  const bucket = await server.createBucket();
  await using proxy = await faultProxy(server.endpoint);
  await using worker = await startMillrace();
  const folder = join(worker.folder, 'input');
  mkdirSync(folder);
  const file = join(folder, 'lines.txt');
  const bad = new Set<number>();
  const lines = Array.from({ length: records }, (_, id) => {
    if (random.between(1, 100) > 1) return `{"id":${id},"at":${id * 100},"noise":"${noise}"}\n`;
    bad.add(id);
    return `${poison[random.between(0, poison.length - 1)]?.(id)}\n`;
  });
  for (let at = 0; at < lines.length; at += 10_000) appendFileSync(file, lines.slice(at, at + 10_000).join(''));
  const faults: readonly Fault[] = ['cut', 'lose-answer', 'busy', 'throttled', { delayMs: 100 }];
  let calm = false;
  proxy.fault = () => (calm || random.next() > 0.3 ? 'pass' : (faults[random.between(0, faults.length - 1)] as Fault));

  await worker.put('lines', {
    'connector.class': 'FileStreamSource',
    topic: 'lines',
    file,
    'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
  });
  await worker.put('objects', {
    'connector.class': 'io.confluent.connect.s3.S3SinkConnector',
    topics: 'lines',
    ...reach(proxy.endpoint, bucket),
    'format.class': 'io.confluent.connect.s3.format.json.JsonFormat',
    's3.part.size': '5242880',
    's3.retry.backoff.ms': '10',
    'retry.backoff.ms': '100',
    's3.request.timeout.ms': '5000',
    'flush.size': String(flushSize),
    'partitioner.class': 'io.confluent.connect.storage.partitioner.TimeBasedPartitioner',
    'path.format': "'hour'=HH",
    'partition.duration.ms': '3600000',
    locale: 'en-US',
    timezone: 'UTC',
    'timestamp.extractor': 'RecordField',
    'timestamp.field': 'at',
    'rotate.interval.ms': '3600000',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': 'false',
    'errors.tolerance': 'all',
    'errors.deadletterqueue.topic.name': 'dead',
    'errors.deadletterqueue.topic.replication.factor': '1',
    'errors.deadletterqueue.context.headers.enable': 'true',
  });
  const step = Math.floor(records / (kills + 2));
  for (let kill = 1; kill <= kills; kill++) {
    await whileRunning(worker, 'objects', `offset ${step * kill}`, async () => (await committedOffset(worker, 'objects')) >= step * kill);
    await sleep(random.between(0, 300));
    await worker.kill();
    await worker.restart();
  }
  await whileRunning(worker, 'objects', 'nearly all', async () => (await committedOffset(worker, 'objects')) >= records - flushSize * 2);
  calm = true;
  // The rest closes by the clock.
  const config = (await worker.request('GET', '/connectors/objects/config')) as Record<string, string>;
  await worker.put('objects', { ...config, 'rotate.wall.clock.interval.ms': '1000' });
  await whileRunning(worker, 'objects', 'all', async () => (await committedOffset(worker, 'objects')) === records);
  await until('no uploads', async () => (await uploadsIn(client, bucket)).length === 0);
  await worker.stop();

  const counts = new Map<number, number>();
  const seen = (id: number): void => void counts.set(id, (counts.get(id) ?? 0) + 1);
  for (const [name, bytes] of await objectsIn(client, bucket)) {
    for (const line of bytes.toString().trimEnd().split('\n')) {
      const { id } = JSON.parse(line) as { id: number };
      ok(!bad.has(id), `poison in ${name}: ${line}`);
      seen(id);
    }
  }
  const letters = (await readEmbedded(join(worker.folder, 'log'), ['dead']))['dead'] ?? [];
  for (const { headers } of letters) {
    const told = Object.fromEntries(headers.map(([key, value]) => [key.replace('__connect.errors.', ''), value]));
    deepEqual([told['topic'], told['partition'], told['connector.name']], ['lines', '0', 'objects']);
    ok(told['stage'] === 'VALUE_CONVERTER' || told['stage'] === 'TASK_PUT', told['stage'] ?? 'no stage');
    ok((told['exception.message'] ?? '').length > 10);
    seen(Number(told['offset']));
  }
  deepEqual(
    letters.map(({ headers }) => Number(headers.find(([key]) => key.endsWith('.offset'))?.[1])).toSorted((a, b) => a - b),
    [...bad],
  );
  const twice = [...counts].filter(([, count]) => count > 1).map(([id]) => id);
  deepEqual(twice.slice(0, 10), []);
  equal(counts.size, records);
});
