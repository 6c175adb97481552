/** A crash at any byte: no line is torn, doubled or lost, and what the group committed counts for nothing. */
import { deepEqual, equal, match } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, copyFileSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { positionsFile } from '../file-names.ts';
import { entryLine, readEntries } from '../position-entries.ts';
import { linesUpTo, startAt } from './file-task.ts';
import type { Told } from './file-task.ts';

describe('a crash of the worker', () => {
  let folder: string;
  let files = 0;
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'millrace-sink-file-crash-'))));
  after(() => rm(folder, { recursive: true }));

  const fresh = (): string => join(folder, `out-${files++}.txt`);
  const text = (file: string): string => readFileSync(file, 'utf8');

  /** The file and its positions as a crash left them: 20 lines durable and committed up to 20, 10 more in two puts. */
  async function crashed(): Promise<string> {
    const file = fresh();
    // Not disposed of: nothing is noted at its end.
    const run = await startAt(0, { file });
    await run.put(0, 20);
    await run.commit(20);
    await run.put(20, 25);
    await run.put(25, 30);
    return file;
  }

  function copyOf(file: string): string {
    const copy = fresh();
    copyFileSync(file, copy);
    copyFileSync(positionsFile(file, 'files'), positionsFile(copy, 'files'));
    return copy;
  }

  it('cuts off what was half written, and nothing else, wherever it ends', async () => {
    const file = await crashed();
    for (let size = Buffer.byteLength(linesUpTo(20)); size <= statSync(file).size; size += 3) {
      const copy = copyOf(file);
      truncateSync(copy, size);
      await using run = await startAt(20, { file: copy });
      equal(linesUpTo(30).startsWith(text(copy)), true);
      equal(text(copy).endsWith('\n'), true);
      await run.put(20, 40);
      equal(text(copy), linesUpTo(40));
    }
  });

  it('survives a positions file that is torn anywhere', async () => {
    const file = await crashed();
    const positions = readFileSync(positionsFile(file, 'files'));
    const synced = positions.indexOf('"synced"');
    for (let size = positions.indexOf('\n', synced) + 1; size <= positions.length; size += 29) {
      const copy = copyOf(file);
      // What a chunk's entry tells of is written after the entry.
      const told = readEntries(positions.subarray(0, size).toString()).filter(({ kind }) => kind === 'chunk').length;
      truncateSync(copy, Buffer.byteLength(linesUpTo([0, 20, 25, 30][told] as number)));
      writeFileSync(positionsFile(copy, 'files'), positions.subarray(0, size));
      await using run = await startAt(20, { file: copy });
      await run.put(20, 40);
      equal(text(copy), linesUpTo(40));
    }
  });

  it('goes on where the lines end, however little was committed', async () => {
    const file = await crashed();
    const told: Told[] = [];
    await using run = await startAt(0, { file }, { told });
    await run.put(0, 30);
    equal(text(file), linesUpTo(30));
    deepEqual(told, [
      { level: 'info', message: 'connector files: partition 0 of topic t: offsets 0 to 29 are in the file already, and are left out' },
    ]);
  });

  it('leaves alone what another program added', async () => {
    const file = await crashed();
    appendFileSync(file, 'by hand');
    await using run = await startAt(20, { file });
    await run.put(20, 32);
    equal(text(file), `${linesUpTo(30)}by hand\n${linesUpTo(32, 30)}`);
    appendFileSync(file, 'while it runs\n');
    await run.put(32, 33);
    equal(text(file).endsWith('while it runs\nline 32\n'), true);
  });

  it('cuts off, after a loss of power, what no position explains, and keeps a copy', async () => {
    const file = await crashed();
    const [base, ...entries] = readEntries(text(positionsFile(file, 'files')));
    if (base?.kind !== 'base') throw new Error('no base');
    const left = entries.slice(0, entries.findIndex(({ kind }) => kind === 'synced') + 1);
    writeFileSync(positionsFile(file, 'files'), [{ ...base, boot: 'an earlier one' }, ...left].map(entryLine).join(''));
    const told: Told[] = [];
    await using run = await startAt(20, { file }, { told });
    equal(text(file), linesUpTo(20));
    match(told[0]?.message ?? '', /80 bytes whose positions the loss of power took were cut off its end/);
    const kept = readdirSync(folder).filter((name) => name.includes('.cut-'));
    equal(text(join(folder, kept[0] as string)), linesUpTo(30));
    await run.put(20, 30);
    equal(text(file), linesUpTo(30));
  });

  it('goes by the committed offsets when the file was deleted or cut short by a person', async () => {
    for (const harm of [(file: string) => rmSync(file), (file: string) => truncateSync(file, 10)]) {
      const file = await crashed();
      harm(file);
      const told: Told[] = [];
      await using run = await startAt(20, { file }, { told });
      await run.put(20, 22);
      equal(text(file).endsWith(linesUpTo(22, 20)), true);
      match(told[0]?.message ?? '', /is not the one that this connector wrote last/);
    }
  });

  it('shuts a run out that wakes up after a later one began', async () => {
    const file = fresh();
    await using frozen = await startAt(0, { file });
    await frozen.put(0, 5);
    await using later = await startAt(0, { file });
    await later.put(0, 8);
    const refused = await frozen.put(5, 8).then(
      () => undefined,
      (error: Error) => error.message,
    );
    match(refused ?? '', /is another's now/);
    equal(text(file), linesUpTo(8));
  });

  it('writes each line once through many kill -9', { timeout: 60_000 }, async () => {
    const file = fresh();
    let committed = 0;
    for (let round = 0; round < 8; round++) {
      const child = spawn(process.execPath, [join(import.meta.dirname, 'endless-writer.ts'), file, String(committed)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      child.stdout.on('data', (chunk: Buffer) => {
        // It may have committed more than we heard of; that is as if the commit had failed.
        const last = chunk.toString().trimEnd().split('\n').at(-1);
        if (last !== '') committed = Number(last);
      });
      await once(child.stdout, 'data');
      await sleep((round * 37) % 150);
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    await using run = await startAt(committed, { file });
    await run.put(committed, committed + 20_000);
    const lines = text(file).split('\n');
    equal(lines.pop(), '');
    const wrong = lines.findIndex((line, n) => !line.startsWith(`line ${n} `) && line !== `line ${n}`);
    equal(wrong, -1, `line ${wrong} is ${lines[wrong]}`);
    equal(lines.length >= committed + 20_000, true);
  });
});
