/** The file sink under fire: a kill of the worker is all that can befall its target. */
import { createReadStream, statSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';

import type { SinkTarget } from './sink-chaos.ts';
import { sinkChaos } from './sink-chaos.ts';
import { resubmitAll } from './sink-resubmission.ts';

const timeout = 60 * 60_000;

async function fileTarget(more: Readonly<Record<string, string>>): Promise<SinkTarget> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-chaos-file-'));
  const files = async (): Promise<string[]> =>
    (await readdir(folder)).filter((name) => !name.startsWith('.')).map((name) => join(folder, name));
  return {
    config: { 'connector.class': 'FileStreamSink', file: join(folder, 'out.txt'), ...more },
    mishaps: [],
    calm: async () => {},
    progress: async () => (await files()).reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0),
    async read(each) {
      for (const file of await files()) {
        for await (const line of createInterface({ input: createReadStream(file) })) {
          const [, id] = /^Struct\{id=(\d+),name=name \d+ é*,score=\d+\}$/.exec(line) ?? [];
          if (id === undefined) throw new Error(`${file} has the line ${line}`);
          each(Number(id));
        }
      }
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

describe('sink-file: target and dead letters are the input', () => {
  test('one worker, one file; the dead letters are mended and resubmitted', { timeout }, (t) =>
    sinkChaos(t, { name: 'file', target: () => fileTarget({}), afterwards: (it) => resubmitAll(it, { straight: true }) }),
  );

  test('two workers, a file for each partition, put aside at a size', { timeout }, (t) =>
    sinkChaos(t, {
      name: 'files',
      cluster: true,
      target: () => fileTarget({ 'tasks.max': '3', 'file.per.partition': 'true', 'file.rotate.bytes': '30000' }),
    }),
  );
});
