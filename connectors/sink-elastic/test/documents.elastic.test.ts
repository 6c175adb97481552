import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Decimal, decimalSchema, schemas, structOf, structSchema, timestampSchema } from '@millrace/runtime/api';
import type { RawConfig } from '@millrace/runtime/api';

import { useElasticsearch } from '../../../test/services/share.ts';
import { ask, documentsOf, freshName } from './elastic-index.ts';
import { record, startTask } from './task-fixture.ts';
import type { StartedTask, TaskOptions } from './task-fixture.ts';

const point = structSchema([
  ['id', schemas.int64],
  ['name', schemas.optionalString],
  ['amount', decimalSchema(2)],
  ['at', timestampSchema()],
]);
const pointOf = (id: bigint) => structOf(point, { id, name: 'x', amount: Decimal.parse('1.50'), at: new Date(1_700_000_000_000) });

async function start(topic: string, raw: RawConfig = {}, options: TaskOptions = {}): Promise<StartedTask> {
  const { url } = await useElasticsearch();
  return startTask({ 'connection.url': url, topics: topic, 'read.timeout.ms': '60000', ...raw }, options);
}

describe('mappings', () => {
  it('are made of the schema, and the documents suit them', async () => {
    const { url } = await useElasticsearch();
    const topic = freshName();
    await using task = await start(topic, { 'behavior.on.null.values': 'delete' });
    // A tombstone that comes first has no schema to make one of.
    await task.write([
      record(0, { topic, value: null }),
      ...[1, 2].map((n) => record(n, { topic, valueSchema: point, value: pointOf(BigInt(n)) })),
    ]);
    const mapping = (await ask(url, 'GET', `/${topic}/_mapping`))[topic] as { mappings: { properties: Record<string, unknown> } };
    deepEqual(mapping.mappings.properties, {
      id: { type: 'long' },
      name: { type: 'text', fields: { keyword: { type: 'keyword', ignore_above: 256 } } },
      amount: { type: 'double' },
      at: { type: 'date' },
    });
    equal((await documentsOf(url, topic)).size, 2);
    const { count } = await ask(url, 'POST', `/${topic}/_count`, { query: { range: { at: { gte: '2023-11-14', lt: '2023-11-15' } } } });
    equal(count, 2);
  });

  it('that are there stay', async () => {
    const { url } = await useElasticsearch();
    const topic = freshName();
    await ask(url, 'PUT', `/${topic}`, { mappings: { _meta: { theirs: 1 }, properties: { id: { type: 'keyword' } } } });
    await using task = await start(topic);
    await task.write([record(1, { topic, valueSchema: point, value: pointOf(1n) }), record(2, { topic })]);
    const { mappings } = (await ask(url, 'GET', `/${topic}/_mapping`))[topic] as {
      mappings: { _meta: Record<string, unknown>; properties: Record<string, unknown> };
    };
    deepEqual(mappings.properties['id'], { type: 'keyword' });
    deepEqual(mappings._meta, { theirs: 1, millrace: { topics: { [topic]: { id: `id-of-${topic}`, epoch: 0 } } } });
    equal((await documentsOf(url, topic)).size, 2);
  });

  it('that are missing make records without a schema bad ones', async () => {
    const topic = freshName();
    await using task = await start(topic);
    await task.write([record(1, { topic }), record(2, { topic, valueSchema: point, value: pointOf(1n) }), record(3, { topic })]);
    deepEqual(
      task.reported.map(({ record: { offset } }) => offset),
      [1n],
    );
    match(task.reported[0]?.error.message ?? '', /no schema to make the mapping.*schema\.ignore=true/);
  });
});

describe('documents that Elasticsearch refuses', () => {
  const values: readonly unknown[] = [{ n: 1 }, { n: 'text' }, 'no object', { n: 2 }, { n: { deep: 1 } }, { n: 3 }];
  const records = (topic: string) => values.map((value, offset) => record(offset, { topic, value }));
  // Else the document that comes first says what n is, and several requests are under way.
  const numbers = async (topic: string): Promise<unknown> =>
    ask((await useElasticsearch()).url, 'PUT', `/${topic}`, { mappings: { properties: { n: { type: 'long' } } } });

  it('go to the error path, each by itself, and the others are written', async () => {
    const { url } = await useElasticsearch();
    const topic = freshName();
    await numbers(topic);
    await using task = await start(topic, { 'schema.ignore': 'true' });
    await task.write(records(topic));
    deepEqual([...(await documentsOf(url, topic)).keys()].toSorted(), ['k0', 'k3', 'k5']);
    deepEqual(task.reported.map(({ record: { offset } }) => Number(offset)).toSorted(), [1, 2, 4]);
    const messageOf = (offset: bigint): string => task.reported.find(({ record: it }) => it.offset === offset)?.error.message ?? '';
    match(messageOf(1n), /takes no such document into ".*": document_parsing_exception.*failed to parse field \[n\] of type \[long\]/);
    match(messageOf(2n), /its value is text, and a document is an object.*HoistField/);
    equal(task.figures['malformed-documents-total'], 3);
  });

  it('fail the task where nobody tolerates them, or the config says so', async () => {
    for (const [raw, options] of [
      [{}, { intolerant: true }],
      [{ 'behavior.on.malformed.documents': 'fail' }, {}],
    ] as const) {
      const topic = freshName();
      await numbers(topic);
      await using task = await start(topic, { 'schema.ignore': 'true', ...raw }, options);
      const bad = records(topic).filter(({ offset }) => offset !== 2n);
      await rejects(task.write(bad), /takes no such document/);
      match((await task.failed).message, /takes no such document/);
      await using another = await start(topic, { 'schema.ignore': 'true', ...raw }, options);
      await rejects(another.write(records(topic).filter(({ offset }) => offset === 2n)), /a document is an object/);
      equal(task.reported.length > 0, options === undefined ? false : 'intolerant' in options);
    }
  });

  it('are left out where the config says so', async () => {
    const topic = freshName();
    await numbers(topic);
    await using task = await start(topic, { 'schema.ignore': 'true', 'behavior.on.malformed.documents': 'warn' });
    await task.write(records(topic));
    equal(task.lines.filter((line) => /record .*@\d is left out/.test(line)).length, 3);
    deepEqual(task.reported, []);
  });

  it('or of which none can be made go the same way', async () => {
    const { url } = await useElasticsearch();
    const topic = freshName();
    await using task = await start(topic, { 'schema.ignore': 'true' });
    await task.write([record(0, { topic }), record(1, { topic, key: null }), record(2, { topic, value: null }), record(3, { topic })]);
    deepEqual(
      task.reported.map(({ record: { offset } }) => offset),
      [1n, 2n],
    );
    equal((await documentsOf(url, topic)).size, 2);
    await using strict = await start(topic, { 'schema.ignore': 'true', 'drop.invalid.message': 'false' });
    await rejects(strict.write([record(4, { topic, key: null })]), {
      name: 'ConnectError',
      message: /@4: it has no key.*drop\.invalid\.message=true/,
    });
  });
});

describe('external resources', () => {
  it('are written to through an alias', async () => {
    const { url } = await useElasticsearch();
    const [topic, index, alias] = [freshName(), freshName(), freshName()];
    await ask(url, 'PUT', `/${index}`, { aliases: { [alias]: { is_write_index: true } } });
    const raw = {
      'external.resource.usage': 'ALIAS_INDEX',
      'topic.to.external.resource.mapping': `${topic}:${alias}`,
      'schema.ignore': 'true',
    };
    await using task = await start(topic, raw);
    await task.write([record(1, { topic }), record(2, { topic })]);
    equal((await documentsOf(url, index)).size, 2);
  });

  it('that are closed fail the task, and say why', async () => {
    const { url } = await useElasticsearch();
    const topic = freshName();
    await using task = await start(topic, { 'schema.ignore': 'true' });
    await task.write([record(1, { topic })]);
    await ask(url, 'POST', `/${topic}/_close`);
    await rejects(task.write([record(2, { topic })]), {
      name: 'ConnectError',
      message: /refuses to write to .*index_closed_exception.*restart the task/,
    });
  });
});
