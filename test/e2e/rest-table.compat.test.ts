/** The table holds on the real Kafka Connect, two distributed workers of it, save where it says that we differ. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';

import { testRestTable } from '../contract/rest-table.ts';
import { startConnect } from '../services/connect.ts';
import type { ConnectServer } from '../services/connect.ts';
import { createDataFolder } from '../services/data-folder.ts';
import { useKafka } from '../services/share.ts';

describe('the REST API of Kafka Connect', () => {
  const folder = createDataFolder('rest-table');
  const inputFile = join(folder.path, 'input.txt');
  const group = `rest-table-${process.pid}`;
  const workers: ConnectServer[] = [];

  before(async () => {
    writeFileSync(inputFile, 'one\ntwo\n');
    const { brokers } = await useKafka();
    const properties = { 'offset.flush.interval.ms': '1000' };
    // One after the other: together they would be too much for a small machine.
    while (workers.length < 2) workers.push(await startConnect({ brokers, group, properties, heap: ['-Xmx512M'], logLevel: 'WARN' }));
  });
  after(async () => {
    for (const worker of workers) await worker[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const world = { inputFile, topic: group, prefix: 'table' };
  testRestTable({ urls: () => workers.map(({ url }) => url), world, isConnect: true, isCluster: true });
});
