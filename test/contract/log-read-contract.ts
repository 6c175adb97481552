import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';

import { RetriableError } from '../../runtime/api/index.ts';
import { batchHeaders } from '../../runtime/batch/batch-header.ts';
import type { FetchedRun } from '../../runtime/ports/log.ts';
import { appendValues, at, batchOf, createTopic, fetchRecords, readPartition, recordsOf, valuesOf } from './log-fixture.ts';
import type { OpenLog } from './log-fixture.ts';

const limits = { maxWaitMs: 10_000, maxBytes: 1 << 20 };

export function registerReadContract(open: OpenLog): void {
  describe('reading', () => {
    test('starts in the middle of a batch, and says where to read on', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log);
      await using producer = await opened.log.openProducer({ clientId: 'p' });
      await producer.append([batchOf(topic, 0, ['0', '1', '2', '3', '4']), batchOf(topic, 0, ['5'])]);
      await using reader = await opened.log.openReader({ clientId: 'r' });
      reader.assign([at(topic, 0, 2)]);
      const runs = await reader.fetch(limits);
      assert.deepEqual(valuesOf(runs), ['2', '3', '4', '5']);
      const [run] = runs;
      assert.equal(run?.position, 2n);
      assert.equal(run?.nextPosition, 6n);
      assert.equal(run?.highWatermark, 6n);
    });

    test('goes on where it stopped; nothing comes twice', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log, 2);
      await using reader = await opened.log.openReader({ clientId: 'r' });
      reader.assign([at(topic, 0, 0), at(topic, 1, 0)]);
      for (let round = 0; round < 3; round++) {
        await appendValues(opened.log, topic, round % 2, [`${round}a`, `${round}b`]);
        assert.deepEqual(
          (await fetchRecords(reader, 2)).map((record) => record.value),
          [`${round}a`, `${round}b`],
        );
      }
    });

    test('answers nothing when the wait is over', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log);
      await using reader = await opened.log.openReader({ clientId: 'r' });
      reader.assign([at(topic, 0, 0)]);
      assert.deepEqual(valuesOf(await reader.fetch({ maxWaitMs: 100, maxBytes: 1000 })), []);
      reader.assign([]);
      assert.deepEqual(await reader.fetch({ maxWaitMs: 10, maxBytes: 1000 }), []);
    });

    test('wakes up when something is appended', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log, 2);
      await using reader = await opened.log.openReader({ clientId: 'r' });
      reader.assign([at(topic, 0, 0), at(topic, 1, 0)]);
      const started = Date.now();
      const waiting = reader.fetch({ maxWaitMs: 120_000, maxBytes: 1000 });
      await setImmediate();
      await appendValues(opened.log, topic, 1, ['hello']);
      assert.deepEqual(valuesOf(await waiting), ['hello']);
      assert.ok(Date.now() - started < 60_000, 'it did not wait to the end');
    });

    test('ends with the abort signal, and can be called again', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log);
      await using reader = await opened.log.openReader({ clientId: 'r' });
      reader.assign([at(topic, 0, 0)]);
      await assert.rejects(reader.fetch({ maxWaitMs: 60_000, maxBytes: 1000 }, AbortSignal.abort()));
      const controller = new AbortController();
      const waiting = reader.fetch({ maxWaitMs: 60_000, maxBytes: 1000 }, controller.signal);
      await setImmediate();
      controller.abort();
      await assert.rejects(waiting);
      await appendValues(opened.log, topic, 0, ['still there']);
      assert.deepEqual(
        (await fetchRecords(reader, 1)).map((record) => record.value),
        ['still there'],
      );
    });

    test('maxBytes bounds what comes, save for the first batch', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log);
      const values = Array.from({ length: 10 }, (_, i) => `${i}${'x'.repeat(1000)}`);
      await appendValues(opened.log, topic, 0, values);
      await using reader = await opened.log.openReader({ clientId: 'r' });
      reader.assign([at(topic, 0, 0)]);
      const first = valuesOf(await reader.fetch({ ...limits, maxBytes: 1 }));
      assert.ok(first.length >= 1 && first.length < 10, `${first.length} records came`);
      const second = valuesOf(await reader.fetch({ ...limits, maxBytes: 3500 }));
      assert.ok(second.length >= 1 && second.length <= 4, `${second.length} records came`);
      const rest = await fetchRecords(reader, 10 - first.length - second.length);
      assert.deepEqual([...first, ...second, ...rest.map((record) => record.value)], values);
    });

    test('no partition starves', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log, 3);
      for (const partition of [0, 1, 2]) {
        await appendValues(
          opened.log,
          topic,
          partition,
          Array.from({ length: 30 }, () => 'x'.repeat(1000)),
        );
      }
      await using reader = await opened.log.openReader({ clientId: 'r' });
      reader.assign([0, 1, 2].map((partition) => at(topic, partition, 0)));
      const seen = new Set<number>();
      let records = 0;
      while (seen.size < 3) {
        const runs = await reader.fetch({ ...limits, maxBytes: 4000 }, AbortSignal.timeout(30_000));
        for (const run of runs) seen.add(run.partition);
        records += recordsOf(runs).length;
      }
      assert.ok(records < 90, 'every partition was served before the first was read to its end');
    });

    test('an offset beyond the end is out of range, one at the end is not', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log);
      await appendValues(opened.log, topic, 0, ['a', 'b', 'c']);
      await using reader = await opened.log.openReader({ clientId: 'r' });
      reader.assign([at(topic, 0, 3)]);
      assert.deepEqual(valuesOf(await reader.fetch({ maxWaitMs: 100, maxBytes: 1000 })), []);
      reader.assign([at(topic, 0, 100)]);
      await assert.rejects(reader.fetch(limits, AbortSignal.timeout(30_000)), (error) => {
        assert.ok(error instanceof RetriableError, `${String(error)} is a RetriableError`);
        assert.match(error.message, /out ?of ?range/i);
        assert.match(error.message, new RegExp(topic));
        assert.match(error.message, /100/);
        return true;
      });
      reader.assign([at(topic, 0, 1)]);
      assert.deepEqual(
        (await fetchRecords(reader, 2)).map((record) => record.value),
        ['b', 'c'],
      );
    });

    test("fetched buffers are the caller's: they may be transferred", async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log, 2);
      await appendValues(opened.log, topic, 0, ['a']);
      await appendValues(opened.log, topic, 1, ['b']);
      await using reader = await opened.log.openReader({ clientId: 'r' });
      reader.assign([at(topic, 0, 0), at(topic, 1, 0)]);
      const values: (string | null)[] = [];
      while (values.length < 2) {
        for (const run of await reader.fetch(limits, AbortSignal.timeout(30_000))) {
          const moved: FetchedRun = { ...run, buffer: structuredClone(run.buffer, { transfer: [run.buffer] }) };
          assert.equal(run.buffer.byteLength, 0);
          values.push(...valuesOf([moved]));
        }
      }
      assert.deepEqual(values.toSorted(), ['a', 'b']);
      reader.assign([at(topic, 0, 0)]);
      assert.deepEqual(
        (await fetchRecords(reader, 1)).map((record) => record.value),
        ['a'],
      );
    });

    test('runs are whole batches whose offsets are stamped', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log);
      await using producer = await opened.log.openProducer({ clientId: 'p' });
      await producer.append([batchOf(topic, 0, ['a', 'b']), batchOf(topic, 0, ['c'])]);
      await using reader = await opened.log.openReader({ clientId: 'r' });
      reader.assign([at(topic, 0, 0)]);
      const found: [bigint, bigint][] = [];
      while (found.length < 2) {
        for (const run of await reader.fetch(limits, AbortSignal.timeout(30_000))) {
          let end = 0;
          for (const header of batchHeaders(Buffer.from(run.buffer), run.length)) {
            found.push([header.baseOffset, header.lastOffset]);
            end = header.end;
          }
          assert.equal(end, run.length);
        }
      }
      assert.deepEqual(found, [
        [0n, 1n],
        [2n, 2n],
      ]);
    });

    test('several readers read the same', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log);
      const values = Array.from({ length: 200 }, (_, i) => `${i}`);
      async function read(): Promise<void> {
        await using reader = await opened.log.openReader({ clientId: 'r' });
        reader.assign([at(topic, 0, 0)]);
        assert.deepEqual(
          (await fetchRecords(reader, 200)).map((record) => record.value),
          values,
        );
      }
      const reading = Promise.all([read(), read(), read()]);
      for (let i = 0; i < 200; i += 20) await appendValues(opened.log, topic, 0, values.slice(i, i + 20));
      await reading;
    });

    test('offsetsAt: earliest, latest and the first record at or after a time', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log, 2);
      await using producer = await opened.log.openProducer({ clientId: 'p' });
      const base = Date.now() - 100_000;
      const stamped = (...times: number[]) =>
        batchOf(
          topic,
          0,
          times.map((time) => ({ value: 'v', timestamp: base + time })),
        );
      await producer.append([stamped(0, 1000), stamped(2000, 3000, 4000), stamped(5000)]);
      const both = [
        { topic, partition: 0 },
        { topic, partition: 1 },
      ];
      assert.deepEqual(await opened.log.offsetsAt(both, 'earliest'), [at(topic, 0, 0), at(topic, 1, 0)]);
      assert.deepEqual(await opened.log.offsetsAt(both, 'latest'), [at(topic, 0, 6), at(topic, 1, 0)]);
      const first = async (time: number) => (await opened.log.offsetsAt(both, { timestampMs: base + time })).map((each) => each.offset);
      assert.deepEqual(await first(-50), [0n, 0n]);
      assert.deepEqual(await first(1000), [1n, 0n]);
      assert.deepEqual(await first(3001), [4n, 0n]);
      assert.deepEqual(await first(60_000), [6n, 0n], 'nothing that late: the end');
      assert.deepEqual(await opened.log.offsetsAt([], 'latest'), []);
    });

    test('a closed reader rejects', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log);
      const reader = await opened.log.openReader({ clientId: 'r' });
      reader.assign([at(topic, 0, 0)]);
      await reader[Symbol.asyncDispose]();
      await reader[Symbol.asyncDispose]();
      await assert.rejects(reader.fetch(limits));
      assert.deepEqual(await readPartition(opened.log, topic, 0), []);
    });
  });
}
