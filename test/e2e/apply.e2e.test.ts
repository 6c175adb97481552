/** `millrace apply` on a worker of ours with the embedded log, also when it is killed meanwhile. */
import { after, before, describe } from 'node:test';

import { startMillrace } from '../services/millrace.ts';
import type { MillraceServer } from '../services/millrace.ts';
import { testMonthOfARepo, testServerGoesAway } from './apply-suite.ts';

describe('millrace apply, on a worker of ours', () => {
  let worker: MillraceServer;
  before(async () => {
    worker = await startMillrace();
  });
  after(() => worker?.[Symbol.asyncDispose]());

  const url = (): string => worker.url;
  testMonthOfARepo({ url, prefix: 'month' });
  testServerGoesAway({ url, prefix: 'killed' }, () => worker);
});
