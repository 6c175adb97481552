import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';

import { startElasticsearch } from './elasticsearch.ts';
import { useElasticsearch } from './share.ts';

const count = async (url: string): Promise<unknown> => {
  const answer = await fetch(`${url}/kept/_count`);
  return ((await answer.json()) as { count: unknown }).count;
};

test('an Elasticsearch of our own keeps its data over kill -9, and leaves nothing behind', async () => {
  const server = await startElasticsearch({ private: true });
  const { pid } = server;
  try {
    await fetch(`${server.url}/kept/_doc/1?refresh=true`, {
      method: 'PUT',
      body: '{"a":1}',
      headers: { 'content-type': 'application/json' },
    });
    await server.kill();
    await assert.rejects(fetch(server.url));
    await server.restart();
    await fetch(`${server.url}/_cluster/health/kept?wait_for_status=yellow&timeout=30s`);
    assert.equal(await count(server.url), 1);
  } finally {
    await server[Symbol.asyncDispose]();
  }
  await assert.rejects(fetch(server.url));
  assert.equal(existsSync(`/proc/${pid}`), false);
});

test('the shared one answers', async () => {
  const { url } = await useElasticsearch();
  const answer = await fetch(`${url}/_cluster/health`);
  assert.match(((await answer.json()) as { status: string }).status, /green|yellow/);
});
