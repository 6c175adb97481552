import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { openEmbeddedLog } from '../embedded/embedded-log.ts';
import { topicStoresSuite } from './test/topic-stores-suite.ts';

const folders: string[] = [];
after(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

topicStoresSuite(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'stores-'));
  folders.push(folder);
  return openEmbeddedLog(folder);
});
