/** Connections that rest between two requests. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';

import { startRestServer } from './server.ts';

test('a connection may rest as long as with Connect, and is closed at once when the server stops', async (t) => {
  const server = await startRestServer((_, response) => response.end('here'), ['http://127.0.0.1:0']);
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const request = get(server.url, { agent });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  assert.equal(response.headers['keep-alive'], 'timeout=30');
  const { socket } = response;
  response.resume();
  await once(response, 'end');

  // The time that running requests get never comes: only connections that rest are closed.
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const closed = once(socket, 'close');
  await server[Symbol.asyncDispose]();
  await closed;
});
