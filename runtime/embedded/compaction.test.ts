import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';

import { compressBatch } from '../batch/compression.ts';
import { openTestLog } from '../../test/contract/embedded-test-log.ts';
import type { TestLog } from '../../test/contract/embedded-test-log.ts';
import { at, batchOf, readPartition } from '../../test/contract/log-fixture.ts';
import type { TextRecord } from '../../test/contract/log-fixture.ts';

const day = 86_400_000;

async function withCompacted(options: { config?: Record<string, string>; now?: () => number } = {}): Promise<TestLog> {
  const opened = await openTestLog(options.now === undefined ? {} : { now: options.now });
  await opened.log.createTopics([{ name: 'compacted', config: { 'cleanup.policy': 'compact', ...options.config } }]);
  return opened;
}

async function append({ log }: TestLog, ...batches: (readonly TextRecord[])[]): Promise<void> {
  await using producer = await log.openProducer({ clientId: 'p' });
  await producer.append(batches.map((records) => batchOf('compacted', 0, records)));
}

async function contents({ log }: TestLog): Promise<string[]> {
  return (await readPartition(log, 'compacted', 0)).map(({ offset, key, value }) => `${offset}:${key}=${value}`);
}

const set = (key: string, value: string | null): TextRecord => ({ key, value });

describe('compaction', () => {
  test('the newest record of each key stays, at its offset; the newest batch is not touched', async () => {
    await using opened = await withCompacted();
    await append(
      opened,
      [set('a', '1'), set('b', '1'), set('a', '2')],
      [set('c', '1')],
      [set('b', '2'), set('d', '1')],
      [set('d', '2')],
      [set('d', '3'), set('d', '4')],
    );
    await opened.log.tidyUp();
    assert.deepEqual(await contents(opened), ['2:a=2', '3:c=1', '4:b=2', '6:d=2', '7:d=3', '8:d=4']);
    const [start] = await opened.log.offsetsAt([{ topic: 'compacted', partition: 0 }], 'earliest');
    assert.equal(start?.offset, 0n);
  });

  test('reading from an offset that is gone goes on at the next one', async () => {
    await using opened = await withCompacted();
    await append(opened, [set('a', '1')], [set('a', '2')], [set('a', '3')], [set('b', '1')]);
    await opened.log.tidyUp();
    await using reader = await opened.log.openReader({ clientId: 'r' });
    reader.assign([at('compacted', 0, 1)]);
    const [run] = await reader.fetch({ maxWaitMs: 0, maxBytes: 10_000 });
    assert.equal(run?.position, 1n);
    assert.equal(run?.nextPosition, 4n);
    assert.deepEqual(await contents(opened), ['2:a=3', '3:b=1']);
  });

  test('later passes count what was compacted before', async () => {
    await using opened = await withCompacted();
    for (let round = 0; round < 5; round++) {
      await append(opened, ...Array.from({ length: 700 }, (_, i) => [set(`k${i % 50}`, `${round}-${i}`)]));
      await opened.log.tidyUp();
    }
    const records = await contents(opened);
    assert.ok(records.length <= 51, `${records.length} records are left`);
    assert.equal(new Set(records.map((each) => each.replace(/^\d+:|=.*$/g, ''))).size, 50);
    assert.ok(
      records.every((each) => each.includes('=4-6')),
      'of the last round',
    );
  });

  test('a tombstone hides its key at once, and vanishes after delete.retention.ms', async () => {
    let now = Date.now();
    await using opened = await withCompacted({ config: { 'delete.retention.ms': `${day}` }, now: () => now });
    await append(opened, [set('a', '1'), set('b', '1')], [set('a', null)], [set('z', 'last')]);
    await opened.log.tidyUp();
    assert.deepEqual(await contents(opened), ['1:b=1', '2:a=null', '3:z=last']);
    now += day - 1;
    await opened.log.tidyUp();
    assert.equal((await contents(opened)).length, 3, 'still there for those who read slowly');
    now += 1;
    await opened.log.tidyUp();
    assert.deepEqual(await contents(opened), ['1:b=1', '3:z=last']);
  });

  test('too little that is new is left for later; min.compaction.lag.ms too', async () => {
    let now = Date.now();
    await using opened = await withCompacted({
      config: { 'min.cleanable.dirty.ratio': '0.9', 'min.compaction.lag.ms': '60000' },
      now: () => now,
    });
    await append(opened, [set('a', '1')], [set('a', '2')], [set('a', '3')]);
    await opened.log.tidyUp();
    assert.equal((await contents(opened)).length, 3);
    now += 120_000;
    await opened.log.tidyUp();
    assert.deepEqual(await contents(opened), ['1:a=2', '2:a=3']);
    await append(opened, [set('a', '4')]);
    now += 120_000;
    await opened.log.tidyUp();
    assert.equal((await contents(opened)).length, 3, 'half of it is new, 0.9 is asked for');
  });

  for (const codec of ['gzip', 'zstd'] as const) {
    test(`batches compressed with ${codec} are compacted, headers and keyless records kept`, async () => {
      await using opened = await withCompacted();
      const filler = 'filler '.repeat(50);
      const batch = batchOf('compacted', 0, [
        { key: 'a', value: filler },
        { key: 'b', value: filler, headers: { h: 'kept' } },
        { key: null, value: 'keyless' },
        { key: 'a', value: `${filler}2` },
      ]);
      await using producer = await opened.log.openProducer({ clientId: 'p' });
      await producer.append([{ ...batch, ...compressBatch(codec, batch.buffer, batch.length) }, batchOf('compacted', 0, [set('c', 'x')])]);
      await opened.log.tidyUp();
      const records = await readPartition(opened.log, 'compacted', 0);
      assert.deepEqual(
        records.map(({ offset, key, headers }) => [offset, key, headers]),
        [
          [1n, 'b', { h: 'kept' }],
          [2n, null, {}],
          [3n, 'a', {}],
          [4n, 'c', {}],
        ],
      );
      assert.equal(records[2]?.value, `${filler}2`);
    });
  }

  test('goes on while others append and read, and nothing is lost', async () => {
    await using opened = await withCompacted({ config: { 'min.cleanable.dirty.ratio': '0' } });
    await using producer = await opened.log.openProducer({ clientId: 'p' });
    let isDone = false;
    const tidying = (async () => {
      while (!isDone) {
        await opened.log.tidyUp();
        await setImmediate();
      }
    })();
    for (let i = 0; i < 300; i++) await producer.append([batchOf('compacted', 0, [set(`k${i % 7}`, `${i}`), set(`n${i}`, 'once')])]);
    isDone = true;
    await tidying;
    const records = await readPartition(opened.log, 'compacted', 0);
    const latest = new Map(records.map(({ key, value }) => [key, value]));
    for (let i = 293; i < 300; i++) assert.equal(latest.get(`k${i % 7}`), `${i}`);
    for (let i = 0; i < 300; i++) assert.equal(latest.get(`n${i}`), 'once');
  });
});
