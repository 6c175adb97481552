import { randomBytes } from 'node:crypto';

import { startMillrace } from '../services/millrace.ts';
import { useKafka } from '../services/share.ts';
import { pluginPath, registerKills, registerMending } from './resubmission-suite.ts';
import type { LetterSite } from './resubmission-suite.ts';
import { readWithKcat } from './topic-records.ts';

const properties = { 'offset.flush.interval.ms': '300', 'plugin.path': pluginPath };
const unique = (what: string): string => `${what}-${randomBytes(4).toString('hex')}`;

async function startAlone(): Promise<LetterSite> {
  const { brokers } = await useKafka();
  const worker = await startMillrace({ brokers, properties });
  // kcat shows what is committed only, and is no reader of ours.
  return { worker, name: unique('flow'), read: (topic) => readWithKcat(brokers, [topic]) };
}

async function startTwo(): Promise<LetterSite> {
  const { brokers } = await useKafka();
  const group = unique('letters');
  const [worker, other] = await Promise.all([startMillrace({ brokers, properties, group }), startMillrace({ brokers, properties, group })]);
  return { worker, other, name: unique('flow'), read: (topic) => readWithKcat(brokers, [topic]) };
}

registerMending('Kafka', startAlone);
registerMending('a cluster of two', startTwo);
registerKills('Kafka', startAlone);
