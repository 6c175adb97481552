/** For tests: an embedded log in a folder of its own, removed afterwards. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openEmbeddedLog } from '../../runtime/embedded/embedded-log.ts';
import type { EmbeddedLog, EmbeddedLogOptions } from '../../runtime/embedded/embedded-log.ts';

export interface TestFolder extends AsyncDisposable {
  readonly path: string;
}

export async function createTestFolder(): Promise<TestFolder> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-log-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export interface TestLog extends AsyncDisposable {
  readonly log: EmbeddedLog;
  readonly directory: string;
}

export async function openTestLog(options: EmbeddedLogOptions = {}): Promise<TestLog> {
  const folder = await createTestFolder();
  const log = await openEmbeddedLog(folder.path, { synchronous: 'normal', ...options });
  return {
    log,
    directory: folder.path,
    async [Symbol.asyncDispose]() {
      await log[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}
