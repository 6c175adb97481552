/** The table holds on the real Kafka Connect, save where it says that we differ. */
import { writeFileSync } from 'node:fs';
import { after, before, describe } from 'node:test';
import { join } from 'node:path';

import { testRestTable } from '../contract/rest-table.ts';
import { startConnect } from '../services/connect.ts';
import type { ConnectServer } from '../services/connect.ts';
import { createDataFolder } from '../services/data-folder.ts';
import { useKafka } from '../services/share.ts';

describe('the REST API of Kafka Connect', () => {
  const folder = createDataFolder('rest-table');
  const inputFile = join(folder.path, 'input.txt');
  let connect: ConnectServer;

  before(async () => {
    writeFileSync(inputFile, 'one\ntwo\n');
    const { brokers } = await useKafka();
    connect = await startConnect({ brokers, group: `rest-table-${process.pid}`, heap: ['-Xmx512M'], logLevel: 'WARN' });
  });
  after(async () => {
    await connect?.[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const world = { inputFile, topic: `rest-table-${process.pid}`, prefix: 'table' };
  testRestTable({ url: () => connect.url, world, isConnect: true });
});
