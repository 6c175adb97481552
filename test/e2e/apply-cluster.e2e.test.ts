/** `millrace apply` on three workers of ours in one group, each step through another of them. */
import { after, before, beforeEach, describe } from 'node:test';

import { startCluster } from '../services/cluster.ts';
import type { Cluster } from '../services/cluster.ts';
import { useKafka } from '../services/share.ts';
import { testMonthOfARepo, testTwentyAtOnce } from './apply-suite.ts';

describe('millrace apply, on a cluster of ours', () => {
  let cluster: Cluster;
  let step = 0;
  before(async () => {
    const { brokers } = await useKafka();
    cluster = await startCluster({ brokers, group: `apply-cluster-${process.pid}` });
  });
  after(() => cluster?.[Symbol.asyncDispose]());
  beforeEach(() => void step++);

  const prefix = (of: string): string => `${of}-${process.pid}`;
  const url = (): string => cluster.workers[step % cluster.workers.length]!.url;
  testMonthOfARepo({ url, prefix: prefix('month') });
  testTwentyAtOnce({ url, prefix: prefix('twenty') });
});
