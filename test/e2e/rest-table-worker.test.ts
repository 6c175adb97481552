/** Connect's REST table on a real worker: its herder, its stores on the embedded log, its task threads. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';

import { createLogging } from '../../runtime/logging/logging.ts';
import { workerSettings } from '../../runtime/settings/worker-file.ts';
import { startStandalone } from '../../runtime/standalone.ts';
import type { WorkerProcess } from '../../runtime/worker-process.ts';
import { testRestTable } from '../contract/rest-table.ts';

describe('the REST API of a worker', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-rest-table-'));
  const inputFile = join(folder, 'input.txt');
  let worker: WorkerProcess;

  before(async () => {
    writeFileSync(inputFile, 'one\ntwo\n');
    const config = {
      'bootstrap.servers': `embedded:${join(folder, 'log')}`,
      'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'offset.flush.interval.ms': '100',
      listeners: 'http://127.0.0.1:0',
    };
    const settings = workerSettings(config, { file: 'worker.properties', mode: 'standalone' });
    worker = await startStandalone(settings, [], createLogging({ level: 'OFF' }));
  });
  after(async () => {
    await worker?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  testRestTable({ urls: () => [worker.url], world: { inputFile, topic: 'lines', prefix: 'table' } });
});
