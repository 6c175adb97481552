import { before, describe } from 'node:test';

import { useKafka } from '../../test/services/share.ts';
import { openLog } from '../worker/open-log.ts';
import { testTopicCommands } from './test/topic-suite.ts';

describe('millrace topic, on Kafka', () => {
  let brokers = '';
  before(async () => {
    brokers = (await useKafka()).brokers.join(',');
  });
  testTopicCommands({
    open: () => openLog({ kind: 'kafka', settings: { 'bootstrap.servers': brokers } }),
    choice: () => ['--brokers', brokers],
  });
});
