import { deepEqual, equal, match, rejects, throws } from 'node:assert/strict';
import { appendFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { OffsetMap, SourceRecord, SourceTask, SourceTaskContext } from '@millrace/runtime/api';
import plugin from './index.ts';
import { lineSplitter } from './line-splitter.ts';

describe('source-file', () => {
  let folder: string;
  let files = 0;
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'millrace-source-file-'))));
  after(() => rm(folder, { recursive: true }));

  const fresh = (): string => join(folder, `input-${files++}.txt`);
  const warnings: string[] = [];

  function start(file: string, options: { position?: OffsetMap; batchSize?: number } = {}): Promise<SourceTask> {
    const context = {
      connector: 'lines',
      offsets: async (partitions: readonly OffsetMap[]) => {
        deepEqual(partitions, [{ filename: file }]);
        return [options.position];
      },
      log: { warn: (message: string) => void warnings.push(message) },
    };
    return plugin.start({ file, topic: 't', 'batch.size': options.batchSize ?? 2000 }, context as unknown as SourceTaskContext);
  }

  const signal = new AbortController().signal;

  async function pollAll(task: SourceTask, count: number): Promise<SourceRecord[]> {
    const records: SourceRecord[] = [];
    while (records.length < count) records.push(...(await task.poll(signal)));
    return records;
  }

  const values = (records: readonly SourceRecord[]): unknown[] => records.map(({ value }) => value);

  it('ends lines at \\n, \\r and \\r\\n, and holds an unterminated one back', async () => {
    const file = fresh();
    await writeFile(file, 'one\ntwo\r\nthree\rfour\n\nrest');
    await using task = await start(file);
    const records = await pollAll(task, 5);
    deepEqual(values(records), ['one', 'two', 'three', 'four', '']);
    deepEqual(
      records.map(({ sourceOffset }) => sourceOffset),
      [4, 9, 15, 20, 21].map((position) => ({ position })),
    );
    deepEqual(records[0]?.sourcePartition, { filename: file });
    deepEqual(await task.poll(signal), []);
    await appendFile(file, ' of it\r');
    // The \n that may follow would belong to this line.
    deepEqual(await task.poll(signal), []);
    await appendFile(file, '\nnext\n');
    deepEqual(values(await pollAll(task, 2)), ['rest of it', 'next']);
  });

  it('joins a line that many chunks hold, and takes short ones after it', async () => {
    const splitter = lineSplitter(0);
    const chunk = Buffer.alloc(10_000, 'x');
    for (let i = 0; i < 500; i++) {
      splitter.push(chunk);
      equal(splitter.next(), undefined);
    }
    splitter.push(Buffer.from('\r\nshort\nun'));
    const long = splitter.next();
    deepEqual([long?.text.length, long?.endPosition], [5_000_000, 5_000_002]);
    splitter.push(Buffer.from('finished\n'));
    deepEqual(splitter.next(), { text: 'short', endPosition: 5_000_008 });
    deepEqual(splitter.next(), { text: 'unfinished', endPosition: 5_000_019 });
    equal(splitter.next(), undefined);
  });

  it('counts bytes, and goes on where it stopped', async () => {
    const file = fresh();
    await writeFile(file, 'héllo\nwörld\n');
    await using first = await start(file);
    const records = await pollAll(first, 2);
    deepEqual(
      records.map(({ sourceOffset }) => sourceOffset),
      [{ position: 7 }, { position: 14 }],
    );
    await appendFile(file, 'more\n');
    await using second = await start(file, { position: records[1]?.sourceOffset ?? {} });
    deepEqual(values(await pollAll(second, 1)), ['more']);
    await using third = await start(file, { position: { position: 7n } });
    deepEqual(values(await pollAll(third, 2)), ['wörld', 'more']);
  });

  it('strands no line, whatever the batch size', async () => {
    const file = fresh();
    await writeFile(file, 'a\nb\nc\nd\ne\n');
    await using task = await start(file, { batchSize: 1 });
    for (const value of ['a', 'b', 'c', 'd', 'e']) deepEqual(values(await task.poll(signal)), [value]);
  });

  it('reads lines longer than what it reads at once', async () => {
    const file = fresh();
    const long = 'x'.repeat(700_000);
    await writeFile(file, `${long}é\nend\n`);
    await using task = await start(file);
    deepEqual(values(await pollAll(task, 2)), [`${long}é`, 'end']);
  });

  it('waits for a file that is not there, and says so once', async () => {
    const file = fresh();
    await using task = await start(file);
    warnings.length = 0;
    const stopping = new AbortController();
    const polled = task.poll(stopping.signal);
    stopping.abort();
    deepEqual(await polled, []);
    await task.poll(AbortSignal.abort());
    equal(warnings.length, 1);
    match(warnings[0] ?? '', /couldn't find file/);
    await writeFile(file, 'here\n');
    deepEqual(values(await pollAll(task, 1)), ['here']);
  });

  it('fails when the file was cut short', async () => {
    const file = fresh();
    await writeFile(file, 'one\ntwo\n');
    await using task = await start(file);
    await pollAll(task, 2);
    await truncate(file, 2);
    await rejects(task.poll(signal), /has 2 bytes, but was read up to byte 8.*Reset the connector's offsets/);
  });

  it('shows its lines beforehand, and what keeps it from showing any', async () => {
    const look = async (file: string): Promise<[unknown[], string]> => {
      const notes: string[] = [];
      const log = { debug() {}, info() {}, warn() {}, error() {} };
      const context = {
        connector: 'lines',
        rawConfig: {},
        records: 10,
        timeoutMs: 1000,
        signal,
        log,
        note: (text: string) => void notes.push(text),
      };
      const records: SourceRecord[] = [];
      for await (const record of plugin.preview?.({ file, topic: 't', 'batch.size': 1 }, context) ?? []) records.push(record);
      return [values(records), notes.join()];
    };
    const file = fresh();
    match((await look(file))[1], /there is no file .* yet/);
    await writeFile(file, '');
    match((await look(file))[1], /is empty/);
    await writeFile(file, 'one\ntwo\nrest');
    const [lines, notes] = await look(file);
    deepEqual(lines, ['one', 'two']);
    match(notes, /ends in a line without a line end.*from the beginning of the file/);
    match((await look(''))[1], /standard input is not read/);
  });

  it('judges offsets that are to be altered', async () => {
    const raw = { file: '/x' };
    const alter = (partition: OffsetMap, offset: OffsetMap | null): unknown => plugin.alterOffsets?.(raw, [{ partition, offset }]);
    equal(await alter({ filename: '/x' }, { position: 5n }), true);
    equal(await alter({ rubbish: 1 }, null), true);
    throws(() => alter({ filename: '/x' }, {}), /contain the key 'position'/);
    throws(() => alter({ filename: '/x' }, { position: 'five' }), /Long value/);
    throws(() => alter({ filename: '/x' }, { position: 1n << 63n }), /Long value/);
    throws(() => alter({ filename: '/x' }, { position: -1 }), /non-negative/);
    throws(() => alter({}, { position: 1 }), /'filename'/);
    throws(() => plugin.alterOffsets?.({}, []), /stdin/);
  });
});
