/** A disk without room: the task fails and says so, nothing is committed, and it goes on when there is room again. */
import { deepEqual, equal, match } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { linesUpTo, startAt } from './file-task.ts';

const isPosix = process.platform !== 'win32';

it('fails when there is no room, with whole lines in the file, and goes on later', { skip: !isPosix && 'needs ulimit' }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-sink-file-full-'));
  try {
    const file = join(folder, 'out.txt');
    // A limit of a file's size stands for the disk's: what takes no more of it fails likewise (EFBIG), without being root.
    const writer = join(import.meta.dirname, 'limited-writer.ts');
    const child = spawnSync('sh', ['-c', 'ulimit -f 16; exec "$0" "$@"', process.execPath, writer, file], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    equal(child.status, 0, child.stderr);
    const { committed, message, again } = JSON.parse(child.stdout) as { committed: number; message: string; again: string };
    match(message, /^connector files: cannot write to file '.*out\.txt': EFBIG: file too large.*The file may not grow further/);
    // Starting it again does not help while there is no room.
    match(again, /EFBIG/);

    const lines = readFileSync(file, 'utf8');
    equal(lines, linesUpTo(lines.split('\n').length - 1));
    equal(committed > 0 && lines.split('\n').length - 1 >= committed, true);
    await using run = await startAt(committed, { file });
    await run.put(committed, committed + 5000);
    deepEqual(readFileSync(file, 'utf8') === linesUpTo(committed + 5000), true);
  } finally {
    await rm(folder, { recursive: true });
  }
});
