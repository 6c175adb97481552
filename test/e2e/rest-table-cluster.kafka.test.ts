/** Connect's REST table on three workers of ours, each request through another of them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';

import { testRestTable } from '../contract/rest-table.ts';
import { startCluster } from '../services/cluster.ts';
import type { Cluster } from '../services/cluster.ts';
import { createDataFolder } from '../services/data-folder.ts';
import { useKafka } from '../services/share.ts';

describe('the REST API of a cluster', () => {
  const folder = createDataFolder('rest-table-cluster');
  const inputFile = join(folder.path, 'input.txt');
  const group = `rest-cluster-${process.pid}`;
  let cluster: Cluster;

  before(async () => {
    writeFileSync(inputFile, 'one\ntwo\n');
    const { brokers } = await useKafka();
    cluster = await startCluster({ brokers, group });
  });
  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const world = { inputFile, topic: `${group}-lines`, prefix: 'table' };
  testRestTable({ urls: () => cluster.workers.map(({ url }) => url), world, isCluster: true });
});
