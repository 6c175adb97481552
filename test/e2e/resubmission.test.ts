import { join } from 'node:path';

import { startMillrace } from '../services/millrace.ts';
import { pluginPath, registerKills, registerMending } from './resubmission-suite.ts';
import type { LetterSite } from './resubmission-suite.ts';
import { readEmbedded } from './topic-records.ts';

async function start(): Promise<LetterSite> {
  const worker = await startMillrace({ properties: { 'offset.flush.interval.ms': '300', 'plugin.path': pluginPath } });
  return { worker, name: 'flow', read: (topic) => readEmbedded(join(worker.folder, 'log'), [topic]) };
}

registerMending('the embedded log', start);
registerKills('the embedded log', start);
