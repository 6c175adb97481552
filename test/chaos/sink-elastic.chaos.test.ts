/** The Elasticsearch sink under fire. */
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { startElasticsearch } from '../services/elasticsearch.ts';
import type { ElasticsearchServer } from '../services/elasticsearch.ts';
import { useElasticsearch } from '../services/share.ts';
import { httpMishaps, startHttpFaultProxy } from './http-fault-proxy.ts';
import { isFull } from './seed.ts';
import type { Random } from './seed.ts';
import { sinkChaos } from './sink-chaos.ts';
import type { Mishap, SinkTarget } from './sink-chaos.ts';
import { keyOf, valueOf } from './sink-input.ts';
import type { Poison } from './sink-input.ts';
import { resubmitAll } from './sink-resubmission.ts';

const timeout = 90 * 60_000;
const page = 5_000;

const poison: readonly Poison[] = [
  { kind: 'field too large', value: (id) => valueOf(id, { name: 'x'.repeat(40_000) }), stage: 'TASK_PUT', cause: /immense term|32766/ },
  { kind: 'no key where one is needed', key: () => null, value: (id) => valueOf(id), stage: 'TASK_PUT', cause: /key/ },
  {
    kind: 'a key that is no id',
    key: () => keyOf(0).replace('int64', 'double'),
    value: (id) => valueOf(id),
    stage: 'TASK_PUT',
    cause: /key|float64/i,
  },
];

interface Hit {
  readonly _source: { readonly id: number };
}

async function elasticTarget(connector: string, random: Random, more: Readonly<Record<string, string>>): Promise<SinkTarget> {
  await using opened = new AsyncDisposableStack();
  // Its start takes long, so that a short run leaves it alone.
  const own: ElasticsearchServer | undefined = isFull ? opened.use(await startElasticsearch({ private: true })) : undefined;
  const { url } = own ?? (await useElasticsearch());
  const refusal = (status: number) => ({
    type: 'application/json',
    body: `{"error":{"type":"made_up","reason":"made up"},"status":${status}}`,
  });
  const proxy = opened.use(await startHttpFaultProxy({ target: url, random, refusal }));
  const index = `${connector}-in`;
  const ask = async (path: string, method = 'GET', body?: unknown): Promise<unknown> => {
    const answer = await fetch(`${url}/${index}${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const properties = { id: { type: 'long' }, name: { type: 'keyword' }, score: { type: 'integer' } };
  await ask('', 'PUT', { mappings: { dynamic: 'strict', properties }, settings: { number_of_replicas: 0 } });
  opened.defer(async () => void (await ask('', 'DELETE').catch(() => {})));
  const restarts: Mishap[] =
    own === undefined
      ? []
      : [
          async () => {
            await own.kill('SIGKILL');
            await sleep(random.between(0, 3_000));
            await own.restart();
            return 'Elasticsearch killed and started';
          },
        ];
  const kept = opened.move();
  return {
    config: {
      'connector.class': 'io.confluent.connect.elasticsearch.ElasticsearchSinkConnector',
      'connection.url': proxy.url,
      'schema.ignore': 'true',
      'behavior.on.malformed.documents': 'IGNORE',
      'drop.invalid.message': 'true',
      'max.retries': '40',
      ...more,
    },
    poison,
    mishaps: [...httpMishaps(proxy, random), ...restarts],
    async calm() {
      proxy.set([]);
    },
    progress: async () => ((await ask('/_count')) as { count: number }).count,
    async read(each) {
      await ask('/_refresh', 'POST');
      for (let after = -1; ;) {
        const query = { size: page, sort: [{ id: 'asc' }], search_after: [after], query: { match_all: {} } };
        const { hits } = ((await ask('/_search', 'POST', query)) as { hits: { hits: Hit[] } }).hits;
        for (const { _source } of hits) each(_source.id);
        if (hits.length < page) return;
        after = hits.at(-1)?._source.id ?? after;
      }
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

describe('sink-elastic: target and dead letters are the input', () => {
  test('one worker; the dead letters are mended and resubmitted', { timeout }, (t) =>
    sinkChaos(t, {
      name: 'elastic',
      target: (id, random) => elasticTarget(id, random, {}),
      afterwards: (it) => resubmitAll(it, { straight: true }),
    }),
  );

  // The short run has the same of two other sinks.
  if (!isFull) return;
  test('two workers, three tasks, ids by offset', { timeout }, (t) =>
    sinkChaos(t, {
      name: 'elastic',
      cluster: true,
      target: async (id, random) => {
        const target = await elasticTarget(id, random, { 'tasks.max': '3', 'key.ignore': 'true' });
        // Keys that nobody looks at are no poison.
        return { ...target, poison: poison.slice(0, 1), [Symbol.asyncDispose]: () => target[Symbol.asyncDispose]() };
      },
    }),
  );
});
