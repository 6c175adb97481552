import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import { describe, test } from 'node:test';

import { scriptedHerder } from '../../test/contract/scripted-herder.ts';
import { createLogLevels } from '../logging/log-levels.ts';
import { ForwardError } from '../ports/herder.ts';
import type { Herder } from '../ports/herder.ts';
import { createRestApp } from './app.ts';
import type { RestOptions } from './app.ts';
import { createRestClient } from './rest-client.ts';
import { startRestServer } from './server.ts';

const json = { 'Content-Type': 'application/json' };
const conflict = 'Cannot complete request because of a conflicting operation (e.g. worker rebalance)';
const shop = { name: 'shop', config: { 'connector.class': 'FileStreamSource', topic: 't' } };

/** A worker that leads nothing, and believes that the leader is there. */
function follower(url: () => string | undefined): Herder {
  const elsewhere = async (): Promise<never> => {
    throw new ForwardError(url());
  };
  return {
    ...scriptedHerder(createLogLevels()),
    createConnector: elsewhere,
    putConfig: elsewhere,
    deleteConnector: elsewhere,
    setTargetState: elsewhere,
    restartConnector: elsewhere,
    restartTask: elsewhere,
    putTaskConfigs: elsewhere,
  };
}

const serve = (herder: Herder, options: Partial<RestOptions> = {}) =>
  startRestServer(createRestApp({ herder, ...options }), ['http://127.0.0.1:0']);

/** A server that is no worker of ours, and keeps what it was sent. */
async function stranger(answer: RequestListener) {
  const seen: { request: IncomingMessage; body: string }[] = [];
  const server = await startRestServer(
    (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        seen.push({ request, body: Buffer.concat(parts).toString() });
        answer(request, response);
      });
    },
    ['http://127.0.0.1:0'],
  );
  return { url: `${server.url}/`, seen, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

describe('forwarding', () => {
  test('what the leader answers is the answer', async () => {
    await using leader = await serve(scriptedHerder(createLogLevels()));
    await using worker = await serve(follower(() => `${leader.url}/`));
    const ask = (path: string, method: string, body?: unknown) =>
      fetch(`${worker.url}${path}`, { method, headers: json, ...(body !== undefined && { body: JSON.stringify(body) }) });

    const created = await ask('/connectors', 'POST', shop);
    assert.equal(created.status, 201);
    assert.equal(created.headers.get('location'), `${worker.url}/connectors/shop`);
    assert.equal(created.headers.get('content-type'), 'application/json');
    assert.equal(((await created.json()) as { name: string }).name, 'shop');

    assert.equal((await ask('/connectors/shop/config', 'PUT', { ...shop.config, topic: 'u' })).status, 200);
    const restarted = await ask('/connectors/shop/restart?includeTasks=true&onlyFailed=false', 'POST');
    assert.equal(restarted.status, 202);
    assert.equal(((await restarted.json()) as { connector: { state: string } }).connector.state, 'RESTARTING');
    const stopped = await ask('/connectors/shop/stop', 'PUT');
    assert.deepEqual([stopped.status, await stopped.text()], [204, '']);
    const again = await ask('/connectors', 'POST', shop);
    assert.deepEqual([again.status, await again.json()], [409, { error_code: 409, message: 'Connector shop already exists' }]);
    assert.equal((await ask('/connectors/shop', 'DELETE')).status, 204);
  });

  test('method, path, query and body go on, and of the headers the credentials alone', async () => {
    await using leader = await stranger((_request, response) => void response.writeHead(204).end());
    await using worker = await serve(follower(() => leader.url));
    const body = '{ "connector.class": "FileStreamSource",  "topic": "ü" }';
    const headers = { ...json, Authorization: 'Basic YWRhOng=', Cookie: 'a=b', 'X-Other': 'c' };
    await fetch(`${worker.url}/connectors/a%2Fb%20c/config`, { method: 'PUT', headers, body });
    await fetch(`${worker.url}/connectors/x/restart?includeTasks=true&onlyFailed=False`, { method: 'POST' });
    const [first, second] = leader.seen;
    assert.equal(first?.request.method, 'PUT');
    assert.equal(first?.request.url, '/connectors/a%2Fb%20c/config?forward=true');
    assert.equal(first?.body, body);
    assert.equal(first?.request.headers.authorization, 'Basic YWRhOng=');
    assert.equal(first?.request.headers['content-type'], 'application/json');
    assert.deepEqual([first?.request.headers.cookie, first?.request.headers['x-other']], [undefined, undefined]);
    assert.equal(second?.request.url, '/connectors/x/restart?includeTasks=true&onlyFailed=False&forward=true');
  });

  test('goes over two hops and no more', async () => {
    const hops: string[] = [];
    const counted = (name: string, url: () => string): RequestListener => {
      const app = createRestApp({ herder: follower(url) });
      return (request, response) => {
        hops.push(`${name} ${request.url}`);
        app(request, response);
      };
    };
    await using c = await startRestServer(
      counted('c', () => `${c.url}/`),
      ['http://127.0.0.1:0'],
    );
    await using b = await startRestServer(
      counted('b', () => `${c.url}/`),
      ['http://127.0.0.1:0'],
    );
    await using a = await startRestServer(
      counted('a', () => `${b.url}/`),
      ['http://127.0.0.1:0'],
    );
    const response = await fetch(`${a.url}/connectors/x/tasks/0/restart`, { method: 'POST' });
    assert.equal(response.status, 409);
    assert.deepEqual(await response.json(), { error_code: 409, message: conflict });
    const path = '/connectors/x/tasks/0/restart';
    assert.deepEqual(hops, [`a ${path}`, `b ${path}?forward=true`, `c ${path}?forward=false`]);
  });

  test('a hop that finds the leader on the second try is answered by it', async () => {
    await using leader = await serve(scriptedHerder(createLogLevels()));
    await using middle = await serve(follower(() => `${leader.url}/`));
    await using worker = await serve(follower(() => `${middle.url}/`));
    const response = await fetch(`${worker.url}/connectors`, { method: 'POST', headers: json, body: JSON.stringify(shop) });
    assert.equal(response.status, 201);
    assert.equal(response.headers.get('location'), `${worker.url}/connectors/shop`);
  });

  test('no known leader', async () => {
    await using worker = await serve(follower(() => undefined));
    const message = async (query: string): Promise<unknown> =>
      (await fetch(`${worker.url}/connectors/x${query}`, { method: 'DELETE' })).json();
    const unknown = 'Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway.';
    assert.deepEqual(await message(''), { error_code: 409, message: unknown });
    assert.deepEqual(await message('?forward=TRUE'), { error_code: 409, message: unknown });
    assert.deepEqual(await message('?forward=no'), { error_code: 409, message: conflict });
  });

  test('a leader that cannot be reached, or does not answer', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => free.once('listening', resolve));
    const { port } = free.address() as { port: number };
    await new Promise((resolve) => free.close(resolve));
    await using silent = await stranger(() => {});
    let url = `http://127.0.0.1:${port}/`;
    await using worker = await serve(
      follower(() => url),
      { client: createRestClient({ timeoutMs: 200 }) },
    );
    const failure = async (): Promise<{ error_code: number; message: string }> => {
      const response = await fetch(`${worker.url}/connectors/x`, { method: 'DELETE' });
      assert.equal(response.status, 500);
      return (await response.json()) as { error_code: number; message: string };
    };
    assert.match((await failure()).message, /^IO Error trying to forward REST request: connect ECONNREFUSED 127\.0\.0\.1:\d+$/);
    url = silent.url;
    assert.equal((await failure()).message, 'IO Error trying to forward REST request: no answer within 0.2 s');
  });

  test('an answer that is no worker’s', async () => {
    const answers: Record<string, RequestListener> = {
      html: (_request, response) => void response.writeHead(404, { 'Content-Type': 'text/html' }).end('<html>'),
      moved: (_request, response) => void response.writeHead(302, { Location: 'http://example.invalid/' }).end(),
      cut: (_request, response) => {
        response.writeHead(200, { 'Content-Length': '99' });
        response.write('{', () => response.destroy());
      },
    };
    for (const [kind, message] of [
      ['html', /^IO Error trying to forward REST request: the other worker answered 404 with what is no JSON$/],
      ['moved', /^Unexpected status code when handling forwarded request: 302$/],
      ['cut', /^IO Error trying to forward REST request: /],
    ] as const) {
      await using leader = await stranger(answers[kind] as RequestListener);
      await using worker = await serve(follower(() => leader.url));
      const response = await fetch(`${worker.url}/connectors/x`, { method: 'DELETE' });
      assert.equal(response.status, 500, kind);
      assert.match(((await response.json()) as { message: string }).message, message);
    }
  });
});
