import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { DataError } from '../../runtime/api/index.ts';
import { batchOf, createTopic, readPartition, uniqueName } from './log-fixture.ts';
import type { LogCapabilities, OpenLog } from './log-fixture.ts';

export function registerAppendContract(open: OpenLog, capabilities: LogCapabilities): void {
  describe('append', () => {
    test('answers the base offset of each batch, in order', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log, 2);
      await using producer = await opened.log.openProducer({ clientId: 'p' });
      const appended = await producer.append([batchOf(topic, 0, ['a', 'b', 'c']), batchOf(topic, 1, ['x']), batchOf(topic, 0, ['d'])]);
      assert.deepEqual(
        appended.map((each) => [each.topic, each.partition, each.baseOffset]),
        [
          [topic, 0, 0n],
          [topic, 1, 0n],
          [topic, 0, 3n],
        ],
      );
      const records = await readPartition(opened.log, topic, 0);
      assert.deepEqual(
        records.map((record) => [record.offset, record.value]),
        [
          [0n, 'a'],
          [1n, 'b'],
          [2n, 'c'],
          [3n, 'd'],
        ],
      );
      assert.deepEqual(await producer.append([]), []);
    });

    test('keeps keys, values, nulls, headers and timestamps', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log);
      await using producer = await opened.log.openProducer({ clientId: 'p' });
      const now = Date.now();
      const records = [
        { key: 'k', value: 'v', timestamp: now, headers: { a: '1', b: null, c: 'ü' } },
        { key: null, value: null, timestamp: now - 5, headers: {} },
        { key: '', value: '', timestamp: now + 7, headers: {} },
        { key: 'x'.repeat(200), value: 'ß'.repeat(20_000), timestamp: now, headers: {} },
      ];
      await producer.append([batchOf(topic, 0, records)]);
      assert.deepEqual(
        await readPartition(opened.log, topic, 0),
        records.map((record, index) => ({ offset: BigInt(index), ...record })),
      );
    });

    test('calls may overlap, and are stored in order', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log, 2);
      await using producer = await opened.log.openProducer({ clientId: 'p' });
      const calls = Array.from({ length: 60 }, (_, call) =>
        producer.append([batchOf(topic, call % 2, [`${call}`, `${call}`]), batchOf(topic, 0, [`${call}+`])]),
      );
      await Promise.all(calls);
      const numbers = (await readPartition(opened.log, topic, 0)).map((record) => Number.parseInt(record.value ?? '', 10));
      assert.equal(numbers.length, 60 + 60);
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
      );
      assert.equal((await readPartition(opened.log, topic, 1)).length, 60);
    });

    test('gives the buffers back, free for reuse', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log);
      await using producer = await opened.log.openProducer({ clientId: 'p' });
      const batches = [batchOf(topic, 0, ['first']), batchOf(topic, 0, ['second'])];
      const sizes = batches.map((batch) => batch.buffer.byteLength);
      const appended = await producer.append(batches);
      assert.deepEqual(
        appended.map((each) => each.buffer.byteLength),
        sizes,
      );
      for (const { buffer } of appended) new Uint8Array(buffer).fill(0xff);
      assert.deepEqual(
        (await readPartition(opened.log, topic, 0)).map((record) => record.value),
        ['first', 'second'],
      );
    });

    test('several producers write to one partition, each in its order', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log);
      async function produce(name: string): Promise<void> {
        await using producer = await opened.log.openProducer({ clientId: name });
        for (let i = 0; i < 20; i++) await producer.append([batchOf(topic, 0, [{ key: name, value: `${i}` }])]);
      }
      const names = ['a', 'b', 'c'];
      await Promise.all(names.map(produce));
      const records = await readPartition(opened.log, topic, 0);
      assert.deepEqual(
        records.map((record) => record.offset),
        Array.from({ length: 60 }, (_, i) => BigInt(i)),
      );
      for (const name of names) {
        const values = records.filter((record) => record.key === name).map((record) => Number(record.value));
        assert.deepEqual(
          values,
          Array.from({ length: 20 }, (_, i) => i),
        );
      }
    });

    test('takes a batch of 5 MB where the settings allow it', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log, 1, { 'max.message.bytes': '10000000' });
      await using producer = await opened.log.openProducer({ clientId: 'p', overrides: { 'max.request.size': '10000000' } });
      const value = 'five megabytes'.repeat(357_143);
      await producer.append([batchOf(topic, 0, ['before', value]), batchOf(topic, 0, ['after'])]);
      const records = await readPartition(opened.log, topic, 0);
      assert.deepEqual(
        records.map((record) => record.value?.length),
        [6, value.length, 5],
      );
      assert.ok(records[1]?.value === value);
    });

    test('a batch above max.request.size is a DataError, and the producer is broken', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log);
      await using producer = await opened.log.openProducer({ clientId: 'p', overrides: { 'max.request.size': '2000' } });
      await producer.append([batchOf(topic, 0, ['small'])]);
      await assert.rejects(producer.append([batchOf(topic, 0, ['x'.repeat(5000)])]), (error) => {
        assert.ok(error instanceof DataError, `${String(error)} is a DataError`);
        assert.match(error.message, /max\.request\.size/);
        return true;
      });
      await assert.rejects(producer.append([batchOf(topic, 0, ['later'])]));
      assert.deepEqual(
        (await readPartition(opened.log, topic, 0)).map((record) => record.value),
        ['small'],
      );
    });

    test('a partition that the topic does not have is refused', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log, 2);
      await using producer = await opened.log.openProducer({
        clientId: 'p',
        overrides: { 'delivery.timeout.ms': '3000', 'request.timeout.ms': '2000' },
      });
      await assert.rejects(producer.append([batchOf(topic, 2, ['nowhere'])]));
    });

    test('what was appended before the producer is closed is stored; later calls reject', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log);
      const producer = await opened.log.openProducer({ clientId: 'p' });
      const pending = [producer.append([batchOf(topic, 0, ['a'])]), producer.append([batchOf(topic, 0, ['b'])])];
      await producer[Symbol.asyncDispose]();
      await Promise.all(pending);
      await assert.rejects(producer.append([batchOf(topic, 0, ['c'])]));
      assert.deepEqual(
        (await readPartition(opened.log, topic, 0)).map((record) => record.value),
        ['a', 'b'],
      );
    });

    if (capabilities.atomicAppend) {
      test('a call is stored whole or not at all, and its neighbours are not hurt', async () => {
        await using opened = await open();
        const topic = await createTopic(opened.log, 2);
        await using good = await opened.log.openProducer({ clientId: 'good' });
        await using bad = await opened.log.openProducer({ clientId: 'bad' });
        const results = await Promise.allSettled([
          good.append([batchOf(topic, 0, ['one']), batchOf(topic, 1, ['one'])]),
          bad.append([batchOf(topic, 0, ['torn']), batchOf(topic, 7, ['torn'])]),
          good.append([batchOf(topic, 0, ['two'])]),
        ]);
        assert.deepEqual(
          results.map((result) => result.status),
          ['fulfilled', 'rejected', 'fulfilled'],
        );
        assert.deepEqual(
          (await readPartition(opened.log, topic, 0)).map((record) => [record.offset, record.value]),
          [
            [0n, 'one'],
            [1n, 'two'],
          ],
        );
        assert.deepEqual(
          (await readPartition(opened.log, topic, 1)).map((record) => record.value),
          ['one'],
        );
      });
    }

    if (capabilities.autoCreateTopics) {
      test('makes the topic that it appends to', async () => {
        await using opened = await open();
        const topic = uniqueName('auto');
        await using producer = await opened.log.openProducer({ clientId: 'p' });
        await producer.append([batchOf(topic, 0, ['first'])]);
        assert.deepEqual(
          (await opened.log.describeTopics([topic])).map((each) => each.partitions),
          [1],
        );
        assert.deepEqual(
          (await readPartition(opened.log, topic, 0)).map((record) => record.value),
          ['first'],
        );
      });
    }
  });
}
