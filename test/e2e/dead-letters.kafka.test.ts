import { randomBytes } from 'node:crypto';

import { startMillrace } from '../services/millrace.ts';
import { useKafka } from '../services/share.ts';
import { registerKills } from './dead-letters-suite.ts';
import { readWithKcat } from './topic-records.ts';

registerKills('Kafka', async () => {
  const { brokers } = await useKafka();
  const worker = await startMillrace({ brokers, properties: { 'offset.flush.interval.ms': '300' } });
  // kcat shows what is committed only, and is no reader of ours.
  return { worker, name: `flow-${randomBytes(4).toString('hex')}`, read: (topic) => readWithKcat(brokers, [topic]) };
});
