import { join } from 'node:path';

import { startMillrace } from '../services/millrace.ts';
import { registerKills } from './dead-letters-suite.ts';
import { readEmbedded } from './topic-records.ts';

registerKills('the embedded log', async () => {
  const worker = await startMillrace({ properties: { 'offset.flush.interval.ms': '300' } });
  return { worker, name: 'flow', read: (topic) => readEmbedded(join(worker.folder, 'log'), [topic]) };
});
