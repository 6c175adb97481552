import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';

import { scriptedHerder } from '../../test/contract/scripted-herder.ts';
import { ConfigError } from '../api/index.ts';
import type { Logger } from '../api/index.ts';
import { createLogLevels } from '../logging/log-levels.ts';
import { createRestApp } from './app.ts';
import type { RestOptions } from './app.ts';
import { startRestServer } from './server.ts';

const serve = (options: Partial<RestOptions> = {}) =>
  startRestServer(createRestApp({ herder: scriptedHerder(createLogLevels()), ...options }), ['http://127.0.0.1:0']);

const isConfigError = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ConfigError);
  assert.match(error.message, message);
  return true;
};

describe('listeners', () => {
  test('a busy port gets one clear line', async () => {
    await using first = await serve();
    const listener = `http://127.0.0.1:${first.addresses[0]?.port}`;
    const again = startRestServer(createRestApp({ herder: scriptedHerder(createLogLevels()) }), ['http://127.0.0.1:0', listener]);
    await assert.rejects(again, isConfigError(/^listeners: cannot listen on http:\/\/127\.0\.0\.1:\d+: the port is taken already\. Stop/));
  });

  test('nonsense is refused', async () => {
    const app = createRestApp({ herder: scriptedHerder(createLogLevels()) });
    await assert.rejects(startRestServer(app, ['8083']), isConfigError(/"8083" is no listener; write http:\/\/HOST:PORT/));
    await assert.rejects(startRestServer(app, ['http://nowhere.invalid:0']), isConfigError(/cannot listen on/));
  });

  test('every listener serves, on all interfaces too', async () => {
    const app = createRestApp({ herder: scriptedHerder(createLogLevels()) });
    await using server = await startRestServer(app, ['HTTP://:0', 'http://127.0.0.1:0']);
    for (const { port } of server.addresses) assert.equal((await fetch(`http://127.0.0.1:${port}/connectors`)).status, 200);
    assert.equal((await fetch(`${server.url}/`)).status, 200);
  });

  test('closing does not wait for idle connections', async () => {
    const server = await serve();
    await (await fetch(`${server.url}/connectors`)).text();
    await server[Symbol.asyncDispose]();
    await assert.rejects(fetch(`${server.url}/connectors`));
  });
});

describe('the app', () => {
  test('an error that nobody foresaw is a 500 with its message, and is logged', async () => {
    const lines: string[] = [];
    const write = (message: string): void => void lines.push(message);
    const log: Logger = { debug: () => {}, info: write, warn: write, error: write };
    const herder = { ...scriptedHerder(createLogLevels()), connectors: () => Promise.reject(new TypeError('x is not a function')) };
    await using server = await serve({ herder, log });
    const response = await fetch(`${server.url}/connectors`);
    assert.equal(response.status, 500);
    assert.deepEqual(await response.json(), { error_code: 500, message: 'x is not a function' });
    assert.deepEqual(lines, ['GET /connectors failed: x is not a function']);
  });

  test('a ConfigError is the client’s', async () => {
    const herder = { ...scriptedHerder(createLogLevels()), connectors: () => Promise.reject(new ConfigError('topic: choose one')) };
    await using server = await serve({ herder });
    const response = await fetch(`${server.url}/connectors`);
    assert.deepEqual(await response.json(), { error_code: 400, message: 'topic: choose one' });
  });

  test('health has a status for each state', async () => {
    for (const [status, code] of [
      ['healthy', 200],
      ['starting', 503],
      ['unhealthy', 500],
    ] as const) {
      const herder = { ...scriptedHerder(createLogLevels()), health: () => ({ status, message: 'so' }) };
      await using server = await serve({ herder, healthWaitMs: 0 });
      const response = await fetch(`${server.url}/health`);
      assert.equal(response.status, code);
      assert.deepEqual(await response.json(), { status, message: 'so' });
    }
  });

  test('health waits for a worker that is starting', async () => {
    let asked = 0;
    const health = () => (++asked < 3 ? { status: 'starting' as const, message: '' } : { status: 'healthy' as const, message: 'so' });
    await using server = await serve({ herder: { ...scriptedHerder(createLogLevels()), health } });
    assert.equal((await fetch(`${server.url}/health`)).status, 200);
  });

  test('topic tracking can be off', async () => {
    await using off = await serve({ topicTracking: { enabled: false, resettable: true } });
    assert.equal(
      await (await fetch(`${off.url}/connectors/x/topics`)).text(),
      '{"error_code":403,"message":"Topic tracking is disabled."}',
    );
    await using kept = await serve({ topicTracking: { enabled: true, resettable: false } });
    const reset = await fetch(`${kept.url}/connectors/x/topics/reset`, { method: 'PUT' });
    assert.equal(await reset.text(), '{"error_code":403,"message":"Topic tracking reset is disabled."}');
  });

  test('the loggers can be served apart', async () => {
    await using connectors = await serve({ part: 'without-admin' });
    assert.equal((await fetch(`${connectors.url}/admin/loggers`)).status, 404);
    await using admin = await serve({ part: 'admin' });
    assert.equal((await fetch(`${admin.url}/admin/loggers`)).status, 200);
    assert.equal((await fetch(`${admin.url}/connectors`)).status, 404);
  });

  test('allowed origins, and no others', async () => {
    await using server = await serve({ origins: { allowed: ['https://*.example.com'], methods: ['GET', 'PUT'] } });
    const from = async (origin: string, init: RequestInit = {}): Promise<Headers> =>
      (await fetch(`${server.url}/connectors`, { ...init, headers: { origin, ...(init.headers as Record<string, string>) } })).headers;
    assert.equal((await from('https://ui.example.com')).get('access-control-allow-origin'), 'https://ui.example.com');
    assert.equal((await from('https://ui.example.com.evil.org')).get('access-control-allow-origin'), null);
    const preflight = await from('https://ui.example.com', { method: 'OPTIONS', headers: { 'access-control-request-method': 'PUT' } });
    assert.equal(preflight.get('access-control-allow-methods'), 'GET,PUT');
  });

  test('header rules', async () => {
    await using server = await serve({ responseHeaders: 'set X-Frame-Options: DENY, "add Cache-Control: no-cache, no-store"' });
    const { headers } = await fetch(`${server.url}/connectors`);
    assert.deepEqual([headers.get('x-frame-options'), headers.get('cache-control')], ['DENY', 'no-cache, no-store']);
    await assert.rejects(async () => serve({ responseHeaders: 'delete Server: x' }), isConfigError(/"delete Server: x" is no rule/));
  });

  test('a body that ends early takes nothing down', async () => {
    await using server = await serve();
    const socket = connect(server.addresses[0]?.port ?? 0, '127.0.0.1');
    socket.end('PUT /connectors/x/config HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{');
    await new Promise((resolve) => socket.resume().on('close', resolve));
    assert.equal((await fetch(`${server.url}/connectors`)).status, 200);
  });
});
