import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe } from 'node:test';

import { openLog } from '../worker/open-log.ts';
import { testTopicCommands } from './test/topic-suite.ts';

describe('millrace topic, on the embedded log', () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-topic-'));
  after(() => rm(directory, { recursive: true }));
  testTopicCommands({ open: () => openLog({ kind: 'embedded', directory }), choice: () => ['--embedded', directory] });
});
