/** Poison of several kinds, a way that goes wrong, and the worker killed: documents and dead letters are the input, each record once. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { readEmbedded } from '../../../test/e2e/topic-records.ts';
import { startMillrace } from '../../../test/services/millrace.ts';
import { useElasticsearch } from '../../../test/services/share.ts';
import { ask, documentsOf, freshName } from './elastic-index.ts';
import { everySecond, seededRandom, startFaultProxy } from './fault-proxy.ts';
import { committedOffset, whileRunning } from './worker-sink.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const records = 4_000;
const kills = 2;

/** What is written, where it must fail, and what must be said of it. */
const poison: readonly { readonly line: (id: number) => string; readonly stage: string; readonly cause: RegExp }[] = [
  { line: (id) => `no JSON ${id}`, stage: 'VALUE_CONVERTER', cause: /JSON/i },
  { line: (id) => `{"id":${id}`, stage: 'VALUE_CONVERTER', cause: /JSON/i },
  { line: (id) => `{"id":"text ${id}"}`, stage: 'TASK_PUT', cause: /failed to parse field \[id\] of type \[integer\]/ },
  { line: (id) => `{"id":{"deep":${id}}}`, stage: 'TASK_PUT', cause: /document_parsing_exception/ },
  { line: (id) => `{"id":${id},"at":"yesterday"}`, stage: 'TASK_PUT', cause: /failed to parse date field \[yesterday\]/ },
  { line: (id) => `{"id":${id},"other":1}`, stage: 'TASK_PUT', cause: /strict_dynamic_mapping_exception/ },
  { line: (id) => `{"id":${id},"word":"${'x'.repeat(33_000)}"}`, stage: 'TASK_PUT', cause: /immense term/ },
  { line: (id) => `[${id}]`, stage: 'TASK_PUT', cause: /its value is a list, and a document is an object/ },
  { line: (id) => `"text ${id}"`, stage: 'TASK_PUT', cause: /its value is text/ },
  { line: (id) => `{"id":${id},"free":${'['.repeat(1_500)}${']'.repeat(1_500)}}`, stage: 'VALUE_CONVERTER', cause: /nested|deep/ },
];

const mappings = {
  dynamic: 'strict',
  properties: { id: { type: 'integer' }, at: { type: 'date' }, word: { type: 'keyword' }, free: { type: 'object', enabled: false } },
};

it(`documents and dead letters are the input (SEED=${seed})`, async () => {
  const random = seededRandom(seed);
  const { url } = await useElasticsearch();
  const topic = freshName();
  await ask(url, 'PUT', `/${topic}`, { mappings });
  await using proxy = await startFaultProxy(url, { fault: everySecond(random, 1), random });
  await using worker = await startMillrace();
  const file = join(worker.folder, 'lines.txt');
  const bad = new Map<number, (typeof poison)[number]>();
  const lines = Array.from({ length: records }, (_, id) => {
    if (random() > 0.02 && id >= poison.length) return `{"id":${id},"at":${1_700_000_000_000 + id},"word":"w${id % 10}"}\n`;
    const kind = poison[id % poison.length] as (typeof poison)[number];
    bad.set(id, kind);
    return `${kind.line(id)}\n`;
  });
  appendFileSync(file, lines.join(''));
  await worker.put('lines', {
    'connector.class': 'FileStreamSource',
    topic,
    file,
    'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
  });
  await worker.put('documents', {
    'connector.class': 'io.confluent.connect.elasticsearch.ElasticsearchSinkConnector',
    topics: topic,
    'connection.url': proxy.url,
    'key.ignore': 'true',
    'schema.ignore': 'true',
    'behavior.on.malformed.documents': 'IGNORE',
    'drop.invalid.message': 'true',
    'batch.size': '100',
    'max.buffered.records': '1000',
    'max.retries': '60',
    'retry.backoff.ms': '5',
    'read.timeout.ms': '5000',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': 'false',
    'errors.tolerance': 'all',
    'errors.deadletterqueue.topic.name': 'dead',
    'errors.deadletterqueue.topic.replication.factor': '1',
    'errors.deadletterqueue.context.headers.enable': 'true',
  });
  const names = ['lines', 'documents'];
  for (let kill = 1; kill <= kills; kill++) {
    const wanted = (records / (kills + 1)) * kill;
    await whileRunning(worker, names, `offset ${wanted}`, async () => (await committedOffset(worker, 'documents')) >= wanted);
    await sleep(random() * 300);
    await worker.kill();
    await worker.restart();
  }
  await whileRunning(worker, names, 'all', async () => (await committedOffset(worker, 'documents')) === records);
  await worker.stop();

  const found = await documentsOf(url, topic);
  const letters = (await readEmbedded(join(worker.folder, 'log'), ['dead']))['dead'] ?? [];
  const offsets: number[] = [];
  for (const { headers, value } of letters) {
    const told = new Map(headers.map(([key, text]) => [key.replace('__connect.errors.', ''), text ?? '']));
    const offset = Number(told.get('offset'));
    const kind = bad.get(offset);
    ok(kind, `offset ${offset} is no poison: ${told.get('exception.message')}`);
    deepEqual([told.get('topic'), told.get('partition'), told.get('connector.name')], [topic, '0', 'documents']);
    equal(told.get('stage'), kind.stage, told.get('exception.message') ?? '');
    match(told.get('exception.message') ?? '', kind.cause);
    equal(`${value}\n`, lines[offset]);
    offsets.push(offset);
  }
  deepEqual(
    offsets.toSorted((a, b) => a - b),
    [...bad.keys()],
    'each poison is one dead letter',
  );
  equal(found.size, records - bad.size);
  for (const [id, { _source }] of found) equal(id, `${topic}+0+${String(_source['id'])}`);
});
