import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { scriptedHerder } from '../../test/contract/scripted-herder.ts';
import type { Logger } from '../api/index.ts';
import { createLogLevels } from '../logging/log-levels.ts';
import { ForwardError, RequestError } from '../ports/herder.ts';
import type { Herder } from '../ports/herder.ts';
import { createRestApp } from './app.ts';
import type { RestOptions } from './app.ts';
import { startRestServer } from './server.ts';

const isUser = async (name: string, password: string): Promise<boolean> => name === 'ada' && password === 'love:lace';
const metrics = { contentType: 'text/plain', scrape: async () => 'x 1\n' };
const herder: Herder = {
  ...scriptedHerder(createLogLevels()),
  putTaskConfigs: () => Promise.reject(new RequestError(400, 'Internal request missing required signature')),
  fenceZombies: () => Promise.reject(new RequestError(400, 'Internal request missing required signature')),
};
const serve = (options: Partial<RestOptions> = {}) =>
  startRestServer(createRestApp({ herder, metrics, isUser, ...options }), ['http://127.0.0.1:0']);
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

describe('basic authentication', () => {
  test('nothing answers without it', async () => {
    for (const part of ['all', 'without-admin', 'admin'] as const) {
      await using server = await serve({ part });
      for (const [method, path] of [
        ['GET', '/'],
        ['GET', '/connectors'],
        ['HEAD', '/connectors'],
        ['OPTIONS', '/connectors'],
        ['POST', '/connectors'],
        ['GET', '/connectors/x/tasks'],
        ['POST', '/connectors/x/tasks/0'],
        ['POST', '/connectors/x/y/tasks'],
        ['POST', '//connectors/x/tasks'],
        ['POST', '/Connectors/x/tasks'],
        ['PUT', '/connectors/x/tasks'],
        ['GET', '/connectors/x/fence'],
        ['POST', '/connectors/x/fence'],
        ['PUT', '/connectors/x/pause'],
        ['GET', '/connector-plugins'],
        ['GET', '/admin/loggers'],
        ['PUT', '/admin/loggers/root'],
        ['GET', '/metrics'],
        ['GET', '/nowhere'],
        ['GET', '/health/x'],
      ] as const) {
        const response = await fetch(server.url + path, { method });
        assert.equal(response.status, 401, `${part}: ${method} ${path}`);
        assert.match(response.headers.get('www-authenticate') ?? '', /^Basic\b/);
        assert.equal(await response.text(), method === 'HEAD' ? '' : 'User cannot access the resource.');
      }
      assert.equal((await fetch(`${server.url}/health`)).status, 200, part);
    }
  });

  test('the calls between workers are asked for their signature instead', async () => {
    await using server = await serve();
    for (const [method, path, body] of [
      ['POST', '/connectors/x/tasks', '[]'],
      ['POST', '/connectors/x/tasks/', '[]'],
      ['PUT', '/connectors/x%2Fy/fence', null],
    ] as const) {
      const response = await fetch(server.url + path, { method, body, headers: { 'Content-Type': 'application/json' } });
      assert.equal(response.status, 400, path);
      assert.match(await response.text(), /Internal request missing required signature/);
    }
    await using admin = await serve({ part: 'admin' });
    assert.equal((await fetch(`${admin.url}/connectors/x/tasks`, { method: 'POST' })).status, 401);
  });

  test('with name and password everything answers', async () => {
    await using server = await serve();
    for (const path of ['/', '/connectors', '/admin/loggers', '/metrics', '/health']) {
      assert.equal((await fetch(server.url + path, { headers: { Authorization: basic('ada:love:lace') } })).status, 200, path);
    }
    const lower = basic('ada:love:lace').replace('Basic', 'basic');
    assert.equal((await fetch(`${server.url}/connectors`, { headers: { Authorization: lower } })).status, 200);
    const methods = await fetch(`${server.url}/connectors/x/fence`, { headers: { Authorization: lower } });
    assert.deepEqual([methods.status, methods.headers.get('allow')], [405, 'PUT,OPTIONS']);
  });

  test('anything else does not do', async () => {
    await using server = await serve();
    for (const given of [
      basic('ada:lovelace'),
      basic('ada:'),
      basic('ada'),
      basic(':love:lace'),
      basic('Ada:love:lace'),
      'Basic',
      'Basic ',
      'Basic !!!!',
      `Bearer ${basic('ada:love:lace').slice(6)}`,
      basic('ada:love:lace').slice(6),
    ]) {
      assert.equal((await fetch(`${server.url}/connectors`, { headers: { Authorization: given } })).status, 401, given);
    }
  });

  test('the other worker asks the caller, too', async () => {
    const asked: string[] = [];
    await using leader = await serve({
      isUser: async (name) => {
        asked.push(name);
        return name === 'ada';
      },
    });
    const elsewhere = { ...herder, deleteConnector: () => Promise.reject(new ForwardError(`${leader.url}/`)) };
    await using worker = await serve({ herder: elsewhere, isUser: async () => true });
    const remove = (user: string) =>
      fetch(`${worker.url}/connectors/x`, { method: 'DELETE', headers: { Authorization: basic(`${user}:x`) } });
    assert.equal((await remove('ada')).status, 404);
    const refused = await remove('grace');
    assert.deepEqual([refused.status, await refused.text()], [401, 'User cannot access the resource.']);
    assert.match(refused.headers.get('www-authenticate') ?? '', /^Basic\b/);
    assert.deepEqual(asked, ['ada', 'grace']);
  });

  test('no password is logged', async () => {
    const lines: unknown[] = [];
    const write = (...line: unknown[]): void => void lines.push(...line);
    const log: Logger = { debug: write, info: write, warn: write, error: write };
    const elsewhere = { ...herder, deleteConnector: () => Promise.reject(new ForwardError('http://127.0.0.1:1/')) };
    await using server = await serve({ herder: elsewhere, log });
    await fetch(`${server.url}/connectors`, { headers: { Authorization: basic('ada:hunter2') } });
    await fetch(`${server.url}/connectors/x`, { method: 'DELETE', headers: { Authorization: basic('ada:love:lace') } });
    const text = lines.map((line) => (line instanceof Object ? JSON.stringify(line) : String(line))).join('\n');
    assert.match(text, /DELETE \/connectors\/x failed: IO Error/);
    for (const secret of ['hunter2', 'love:lace', basic('ada:hunter2').slice(6), basic('ada:love:lace').slice(6)]) {
      assert.ok(!text.includes(secret), secret);
    }
  });
});
