/** Connect's REST table, on our REST server before a herder that runs nothing. */
import { after, before, describe } from 'node:test';

import { createLogLevels } from '../../runtime/logging/log-levels.ts';
import { createRestApp } from '../../runtime/rest/app.ts';
import { startRestServer } from '../../runtime/rest/server.ts';
import type { RestServer } from '../../runtime/rest/server.ts';
import { testRestTable } from '../contract/rest-table.ts';
import { scriptedHerder } from '../contract/scripted-herder.ts';

describe('the REST API before a scripted herder', () => {
  let server: RestServer;
  before(async () => {
    server = await startRestServer(createRestApp({ herder: scriptedHerder(createLogLevels()) }), ['http://127.0.0.1:0']);
  });
  after(() => server[Symbol.asyncDispose]());

  testRestTable({
    urls: () => [server.url],
    world: { inputFile: '/nowhere/input.txt', topic: 'lines', prefix: 'table' },
    withoutTasks: true,
  });
});
