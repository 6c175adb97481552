/** `millrace apply` on the real Kafka Connect. */
import { after, before, describe } from 'node:test';

import { startConnect } from '../services/connect.ts';
import type { ConnectServer } from '../services/connect.ts';
import { useKafka } from '../services/share.ts';
import { testMonthOfARepo, testServerGoesAway, testTwentyAtOnce } from './apply-suite.ts';

describe('millrace apply, on Kafka Connect', () => {
  let connect: ConnectServer;
  before(async () => {
    const { brokers } = await useKafka();
    const group = `apply-${process.pid}`;
    // A worker that is killed comes back as another member, and what it ran is held for the old one so long.
    const properties = { 'scheduled.rebalance.max.delay.ms': '1000', 'session.timeout.ms': '10000', 'heartbeat.interval.ms': '3000' };
    connect = await startConnect({ brokers, group, properties, heap: ['-Xmx512M'], logLevel: 'WARN' });
  });
  after(() => connect?.[Symbol.asyncDispose]());

  const prefix = (of: string): string => `${of}-${process.pid}`;
  const url = (): string => connect.url;
  testMonthOfARepo({ url, prefix: prefix('month') });
  testTwentyAtOnce({ url, prefix: prefix('twenty') });
  testServerGoesAway({ url, prefix: prefix('killed') }, () => connect);
});
