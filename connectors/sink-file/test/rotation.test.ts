/** Files that are put aside, and files of gzip: all lines are in them, once, in order. */
import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import { copyFileSync, existsSync, readFileSync, readdirSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { partitionFile, positionsFile, rotatedFile } from '../file-names.ts';
import { entryLine, readEntries } from '../position-entries.ts';
import { linesUpTo, startAt } from './file-task.ts';

describe('rotation and compression', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-sink-file-rotation-'));
    file = join(folder, 'out.txt');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const text = (path: string): string => readFileSync(path, 'utf8');
  const visible = (): string[] =>
    readdirSync(folder)
      .filter((name) => !name.startsWith('.'))
      .toSorted();
  const allText = (): string => {
    const names = visible();
    return [...names.filter((name) => name !== 'out.txt'), 'out.txt'].map((name) => text(join(folder, name))).join('');
  };

  it('puts a file aside at its size, at the end of a line', async () => {
    await using run = await startAt(0, { file, 'file.rotate.bytes': 64 });
    await run.put(0, 15);
    await run.put(15, 30);
    await run.commit(30);
    deepEqual(visible(), ['out-000001.txt', 'out-000002.txt', 'out-000003.txt', 'out.txt']);
    for (const name of visible().slice(0, -1)) {
      const { size } = statSync(join(folder, name));
      equal(size >= 64 && size < 64 + 8, true, `${name} has ${size} bytes`);
    }
    equal(allText(), linesUpTo(30));
  });

  it('puts a file aside at its age, though nothing more comes, and after a restart too', async () => {
    const values = { file, 'file.rotate.ms': 300 };
    {
      await using run = await startAt(0, values);
      await run.put(0, 3);
      await run.commit(3);
    }
    await using run = await startAt(3, values);
    await run.commit(3);
    for (let waited = 0; !existsSync(join(folder, 'out-000001.txt')) && waited < 20_000; waited += 20) await sleep(20);
    deepEqual([text(join(folder, 'out-000001.txt')), text(file)], [linesUpTo(3), '']);
    await run.put(3, 4);
    equal(text(file), 'line 3\n');
  });

  it('overwrites no file that stands in the way', async () => {
    writeFileSync(join(folder, 'out-000001.txt'), 'somebody wants this\n');
    await using run = await startAt(0, { file, 'file.rotate.bytes': 8 });
    await run.put(0, 2);
    deepEqual(visible(), ['out-000001.txt', 'out-000002.txt', 'out.txt']);
    equal(text(join(folder, 'out-000001.txt')), 'somebody wants this\n');
  });

  it('ends a rotation that a crash interrupted, before the rename or after', async () => {
    for (const renamed of [false, true]) {
      const path = join(folder, `case-${renamed}.txt`);
      {
        await using run = await startAt(0, { file: path });
        await run.put(0, 5);
        await run.commit(5);
      }
      const positions = positionsFile(path, 'files');
      const to = rotatedFile(path, 1).path;
      const entries = readEntries(text(positions)).filter(({ kind }) => kind !== 'closed');
      writeFileSync(positions, [...entries, { kind: 'rotated', to, number: 1 } as const].map(entryLine).join(''));
      if (renamed) renameSync(path, to);
      await using run = await startAt(0, { file: path });
      await run.put(0, 7);
      deepEqual([text(to), text(path)], [linesUpTo(5), linesUpTo(7, 5)]);
    }
  });

  it('writes gzip that is whole at each commit, and after a crash at any byte', async () => {
    const path = join(folder, 'out.txt.gz');
    const run = await startAt(0, { file: path, 'file.compression': 'gzip' });
    await run.put(0, 20);
    await run.commit(20);
    equal(gunzipSync(readFileSync(path)).toString(), linesUpTo(20));
    const { size } = statSync(path);
    await run.put(20, 30);
    await run.commit(30);
    const sizeNow = statSync(path).size;
    for (let cut = size; cut < sizeNow; cut += 5) {
      const copy = join(folder, `cut-${cut}.gz`);
      copyFileSync(path, copy);
      truncateSync(copy, cut);
      // As if the second commit had not come to its end.
      const positions = readEntries(text(positionsFile(path, 'files')));
      writeFileSync(
        positionsFile(copy, 'files'),
        positions
          .slice(
            0,
            positions.findLastIndex(({ kind }) => kind === 'synced'),
          )
          .map(entryLine)
          .join(''),
      );
      await using again = await startAt(20, { file: copy, 'file.compression': 'gzip' });
      await again.put(20, 40);
      await again.commit(40);
      equal(gunzipSync(readFileSync(copy)).toString(), linesUpTo(40));
    }
  });

  it('commits nothing when the file cannot be put aside', async () => {
    await using run = await startAt(0, { file, 'file.rotate.bytes': 1000 });
    await run.put(0, 5);
    await rm(file);
    await rejects(run.put(5, 300), { name: 'ConnectError', message: /cannot put aside file .*out\.txt'/ });
  });

  it('names files after the ending', () => {
    const at = { topic: 'a.b', partition: 3 };
    equal(partitionFile('/x/out.txt', at), '/x/out-a.b-3.txt');
    equal(partitionFile('/x/out.json.gz', at), '/x/out-a.b-3.json.gz');
    equal(partitionFile('/x/out', at), '/x/out-a.b-3');
    equal(rotatedFile('/x.y/.hidden', 7).path, '/x.y/.hidden-000007');
    match(positionsFile('/x/out.txt', 'a/b'), /^\/x\/\.out\.txt\.a%2Fb\.positions$/);
    equal(positionsFile(`/x/${'o'.repeat(250)}`, 'c').length < 100, true);
  });
});
