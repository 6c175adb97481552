import { deepEqual, equal, match } from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';

import { until } from '../../../test/chaos/until.ts';
import { startMillrace } from '../../../test/services/millrace.ts';
import { useElasticsearch } from '../../../test/services/share.ts';
import { documentsOf, freshName } from './elastic-index.ts';
import { committedOffset, whileRunning } from './worker-sink.ts';

interface Shown {
  readonly offset: number;
  readonly state: string;
}

it('a dead letter that is resubmitted straight through the sink, and comes too late there, is overtaken in its ledger', async () => {
  const { url } = await useElasticsearch();
  const topic = freshName();
  await using worker = await startMillrace();
  const file = join(worker.folder, 'json.txt');
  const lines = [
    { id: 'z', n: 1 },
    { id: 'a', n: 'no number' },
    { id: 'b', n: 'no number' },
    { id: 'a', n: 2 },
  ];
  const append = (some: readonly object[]): void => appendFileSync(file, some.map((line) => `${JSON.stringify(line)}\n`).join(''));
  append(lines.slice(0, 1));
  const text = 'org.apache.kafka.connect.storage.StringConverter';
  await worker.put('lines', { 'connector.class': 'FileStreamSource', topic, file, 'value.converter': text });
  await worker.put('index', {
    'connector.class': 'io.confluent.connect.elasticsearch.ElasticsearchSinkConnector',
    'connection.url': url,
    'read.timeout.ms': '120000',
    topics: topic,
    'schema.ignore': 'true',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': 'false',
    transforms: 'createKey,extractKey',
    'transforms.createKey.type': 'org.apache.kafka.connect.transforms.ValueToKey',
    'transforms.createKey.fields': 'id',
    'transforms.extractKey.type': 'org.apache.kafka.connect.transforms.ExtractField$Key',
    'transforms.extractKey.field': 'id',
    'errors.tolerance': 'all',
    'errors.deadletterqueue.topic.name': `${topic}-letters`,
    'errors.deadletterqueue.topic.replication.factor': '1',
    'errors.deadletterqueue.context.headers.enable': 'true',
  });
  const names = ['lines', 'index'];
  // The first alone says that n is a number: requests under way at once have no order.
  await whileRunning(worker, names, 'the first line', async () => (await committedOffset(worker, 'index')) === 1);
  append(lines.slice(1));
  await whileRunning(worker, names, 'all lines', async () => (await committedOffset(worker, 'index')) === lines.length);
  const letters = async (): Promise<readonly Shown[]> =>
    ((await worker.request('GET', '/connectors/index/dead-letters')) as { letters: readonly Shown[] }).letters;
  const states = async (): Promise<string> => (await letters()).map(({ state }) => state).join();
  equal(await states(), 'new,new');
  const mended = (offset: number, id: string): object => ({ partition: 0, offset, value: { json: { id, n: 7 } } });
  await worker.request('POST', '/connectors/index/dead-letters/resubmit', {
    letters: [mended(0, 'a'), mended(1, 'b')],
    target: 'sink',
    force: true,
  });
  await whileRunning(worker, names, 'what became of both', async () => (await states()) === 'overtaken,resubmitted');
  await until('b is there', async () => (await documentsOf(url, topic)).has('b'));
  const documents = await documentsOf(url, topic);
  deepEqual(
    ['a', 'b', 'z'].map((id) => documents.get(id)?._source['n']),
    [2, 7, 1],
  );
  const [first] = await letters();
  match(JSON.stringify(first), /document \\"a\\" of .* has the later version \d+\./);
});
