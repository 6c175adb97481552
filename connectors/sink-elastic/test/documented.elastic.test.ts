/** Configs as Confluent's documentation shows them, in a worker of its own process, from topics of the embedded log. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';

import { startMillrace } from '../../../test/services/millrace.ts';
import { useElasticsearch } from '../../../test/services/share.ts';
import { ask, documentsOf, freshName } from './elastic-index.ts';
import { committedOffset, whileRunning } from './worker-sink.ts';

const records = 1_000;
const connector = { 'connector.class': 'io.confluent.connect.elasticsearch.ElasticsearchSinkConnector', 'tasks.max': '1' };
const withoutSchemas = { 'value.converter': 'org.apache.kafka.connect.json.JsonConverter', 'value.converter.schemas.enable': 'false' };

it('the quick start, upserts and a data stream run as they are documented', async () => {
  const { url } = await useElasticsearch();
  const [topic, json] = [freshName(), freshName()];
  await using worker = await startMillrace();
  const file = join(worker.folder, 'lines.txt');
  const jsonFile = join(worker.folder, 'json.txt');
  appendFileSync(file, Array.from({ length: records }, (_, i) => `line ${i}\n`).join(''));
  const documents = Array.from(
    { length: records },
    (_, i) => `${JSON.stringify({ id: `k${i % 50}`, [`f${i % 7}`]: i, at: 1_700_000_000_000 + i })}\n`,
  );
  appendFileSync(jsonFile, documents.join(''));
  await worker.put('lines', {
    'connector.class': 'FileStreamSource',
    topic,
    file,
    transforms: 'hoist',
    'transforms.hoist.type': 'org.apache.kafka.connect.transforms.HoistField$Value',
    'transforms.hoist.field': 'line',
  });
  await worker.put('documents', {
    'connector.class': 'FileStreamSource',
    topic: json,
    file: jsonFile,
    'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
  });
  // The server of the tests has no data streams, but what they take can be written to an index as well.
  const stream = `logs-app.web-${json}`;
  await ask(url, 'PUT', `/${stream}`);
  const reach = { 'connection.url': url, 'read.timeout.ms': '120000' };
  await worker.put('elasticsearch-sink', { ...connector, topics: topic, 'key.ignore': 'true', 'type.name': 'kafka-connect', ...reach });
  await worker.put('upserts', {
    ...connector,
    topics: json,
    ...reach,
    ...withoutSchemas,
    'key.ignore': 'false',
    'schema.ignore': 'true',
    'write.method': 'UPSERT',
    'behavior.on.null.values': 'delete',
    'behavior.on.malformed.documents': 'warn',
    transforms: 'createKey,extractKey',
    'transforms.createKey.type': 'org.apache.kafka.connect.transforms.ValueToKey',
    'transforms.createKey.fields': 'id',
    'transforms.extractKey.type': 'org.apache.kafka.connect.transforms.ExtractField$Key',
    'transforms.extractKey.field': 'id',
  });
  await worker.put('stream', {
    ...connector,
    topics: json,
    ...reach,
    ...withoutSchemas,
    'key.ignore': 'true',
    'schema.ignore': 'true',
    'data.stream.type': 'LOGS',
    'data.stream.dataset': 'app.web',
    'data.stream.timestamp.field': 'at',
  });
  const names = ['lines', 'documents', 'elasticsearch-sink', 'upserts', 'stream'];
  for (const name of names.slice(2))
    await whileRunning(worker, names, `all of ${name}`, async () => (await committedOffset(worker, name)) === records);

  const lines = await documentsOf(url, topic);
  equal(lines.size, records);
  equal(lines.get(`${topic}+0+7`)?._source['line'], 'line 7');
  const mapping = (await ask(url, 'GET', `/${topic}/_mapping`))[topic] as { mappings: { properties: Record<string, unknown> } };
  deepEqual(mapping.mappings.properties['line'], { type: 'text', fields: { keyword: { type: 'keyword', ignore_above: 256 } } });

  const merged = new Map<string, Record<string, unknown>>();
  for (const line of documents) {
    const it = JSON.parse(line) as { id: string };
    merged.set(it.id, { ...merged.get(it.id), ...it });
  }
  deepEqual(new Map([...(await documentsOf(url, json))].map(([id, { _source }]) => [id, _source])), merged);

  const streamed = await documentsOf(url, stream);
  equal(streamed.size, records);
  ok([...streamed.values()].every(({ _source, _version }) => _source['@timestamp'] === String(_source['at']) && _version === 1));
});
