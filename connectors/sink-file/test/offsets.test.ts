/** What people do to offsets and topics is honoured, and not taken for a replay. */
import { deepEqual, equal, match } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { RawConfig } from '@millrace/runtime/api';
import plugin from '../index.ts';
import { linesUpTo, record, startAt, startTask } from './file-task.ts';
import type { Told } from './file-task.ts';

describe('positions beside the file', () => {
  let folder: string;
  let files = 0;
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'millrace-sink-file-offsets-'))));
  after(() => rm(folder, { recursive: true }));

  const text = (file: string): string => readFileSync(file, 'utf8');
  const rawOf = (file: string, more: RawConfig = {}): RawConfig => ({ name: 'files', file, ...more });
  const at = (offset: bigint, partition = 0) => ({ topic: 't', partition, offset });
  const forgotten = [{ topic: 't', partition: 0, offset: null }];

  async function written(count: number, topicIds = { t: 'first' }): Promise<string> {
    const file = join(folder, `out-${files++}.txt`);
    await using run = await startAt(0, { file }, { topicIds });
    for (let next = 10; next <= count; next += 10) {
      await run.put(next - 10, next);
      equal(await run.commit(next), next);
    }
    return file;
  }

  it('a topic that was made anew is written from its beginning', async () => {
    const file = await written(50);
    const told: Told[] = [];
    await using run = await startAt(0, { file }, { topicIds: { t: 'second' }, told });
    await run.put(0, 5);
    equal(text(file), linesUpTo(50) + linesUpTo(5));
    match(told[0]?.message ?? '', /the topic is another one than before/);
  });

  it('offsets that were reset by REST are written again', async () => {
    const file = await written(10);
    equal(await plugin.alterOffsets?.(rawOf(file), forgotten), true);
    {
      await using run = await startAt(0, { file }, { topicIds: { t: 'first' } });
      await run.put(0, 10);
      await run.commit(10);
    }
    equal(text(file), linesUpTo(10) + linesUpTo(10));
    // None named: all of the connector.
    equal(await plugin.alterOffsets?.(rawOf(file), []), true);
    await using run = await startAt(0, { file }, { topicIds: { t: 'first' } });
    await run.put(0, 3);
    equal(text(file), linesUpTo(10) + linesUpTo(10) + linesUpTo(3));
  });

  it('an offset that nobody but a person can have set is honoured, though this machine never heard of it', async () => {
    const file = await written(100);
    for (const offset of [0, 25, 50]) {
      const before = text(file);
      const told: Told[] = [];
      await using run = await startAt(offset, { file }, { topicIds: { t: 'first' }, told });
      await run.put(offset, 100);
      equal(text(file), before + linesUpTo(100, offset));
      match(told[0]?.message ?? '', new RegExp(`its offset was set to ${offset}, so records are written again`));
      for (let next = 60; next <= 100; next += 10) await run.commit(next);
    }
  });

  it('an offset ahead of what was written skips records, as a person wants it', async () => {
    const file = await written(10);
    await using run = await startAt(15, { file }, { topicIds: { t: 'first' } });
    await run.put(15, 17);
    equal(text(file), linesUpTo(10) + linesUpTo(17, 15));
  });

  it('a commit that did not come through is a replay, and so is a rebalance', async () => {
    const file = await written(30);
    await using run = await startAt(20, { file }, { topicIds: { t: 'first' } });
    await run.put(20, 35);
    await run.task.close?.([at(0n)]);
    await run.task.open?.([at(20n)]);
    await run.put(20, 40);
    equal(text(file), linesUpTo(40));
  });

  it('positions go by the topic that was read, whatever transforms made of it', async () => {
    const file = join(folder, 'renamed.txt');
    await using task = await startTask({ file });
    await task.open?.([at(0n), at(0n, 1)]);
    const renamed = (offset: number, partition: number) => ({
      ...record(`${partition} ${offset}`, { offset, partition }),
      topic: 'other',
      originalTopic: 't',
    });
    await task.put([renamed(0, 0), renamed(0, 1), renamed(1, 0)]);
    await task.put([renamed(1, 0), renamed(2, 0)]);
    equal(text(file), '0 0\n1 0\n0 1\n0 2\n');
  });

  it('says so where the files are on another machine', async () => {
    equal(await plugin.alterOffsets?.(rawOf(join(folder, 'elsewhere.txt')), forgotten), false);
    equal(await plugin.alterOffsets?.(rawOf(join(folder, 'no', 'such.txt'), { 'file.per.partition': 'true' }), []), false);
    // No positions are kept here at all.
    equal(await plugin.alterOffsets?.(rawOf(''), forgotten), true);
    equal(await plugin.alterOffsets?.(rawOf(join(folder, 'shared.txt'), { 'tasks.max': '2' }), forgotten), true);
  });

  it('each partition has its own, where each has its own file', async () => {
    const file = join(folder, 'each.txt');
    const values = { file, 'file.per.partition': true };
    for (const [first, second] of [
      [0n, 0n],
      [0n, 0n],
    ] as const) {
      await using task = await startTask(values, { raw: { 'tasks.max': '3' } });
      await task.open?.([at(first), at(second, 1)]);
      await task.put([0, 1, 2].map((offset) => record(`a${offset}`, { offset })));
      await task.put([0, 1].map((offset) => record(`b${offset}`, { offset, partition: 1 })));
      deepEqual(await task.preCommit?.([at(3n), at(2n, 1)]), [at(3n), at(2n, 1)]);
      await task.close?.([at(0n), at(0n, 1)]);
    }
    equal(text(join(folder, 'each-t-0.txt')), 'a0\na1\na2\n');
    equal(text(join(folder, 'each-t-1.txt')), 'b0\nb1\n');
    equal(await plugin.alterOffsets?.(rawOf(file, { 'file.per.partition': 'true' }), []), true);
    await using task = await startTask(values);
    await task.open?.([at(0n, 1)]);
    await task.put([record('b0', { partition: 1 })]);
    equal(text(join(folder, 'each-t-1.txt')), 'b0\nb1\nb0\n');
  });
});
