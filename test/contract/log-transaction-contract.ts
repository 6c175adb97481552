import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { ConfigError, DataError } from '../../runtime/api/index.ts';
import { FencedError } from '../../runtime/ports/log.ts';
import type { Log, TransactionalProducer } from '../../runtime/ports/log.ts';
import { batchOf, createTopic, readPartition, uniqueName } from './log-fixture.ts';
import type { LogCapabilities, OpenLog } from './log-fixture.ts';

function openProducer(log: Log, transactionalId: string, overrides: Readonly<Record<string, string>> = {}): Promise<TransactionalProducer> {
  return log.openTransactionalProducer({ clientId: 'contract-transactions', transactionalId, overrides });
}

/** What readers of committed records see in a partition; every transaction must be ended. */
async function committed(log: Log, topic: string, partition = 0): Promise<(string | null)[]> {
  return (await readPartition(log, topic, partition, 'read_committed')).map(({ value }) => value);
}

export function registerTransactionContract(open: OpenLog, { transactions, autoCreateTopics }: LogCapabilities): void {
  if (!transactions) {
    test('a log without transactional producers says so', async () => {
      await using opened = await open();
      await assert.rejects(openProducer(opened.log, 'tx'), ConfigError);
      await assert.rejects(opened.log.fenceProducers(['tx']), ConfigError);
    });
    return;
  }

  describe('transactions', () => {
    test('what was committed is seen, what was aborted is not, also twice in a row', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log);
      await using producer = await openProducer(opened.log, uniqueName('tx'));
      for (const [index, commits] of [true, false, false, true, false].entries()) {
        const batches = ['a', 'b'].map((name) => batchOf(topic, 0, [`${index}${name}`]));
        const sizes = batches.map(({ buffer }) => buffer.byteLength);
        const appended = await producer.append(batches);
        assert.deepEqual(
          appended.map(({ buffer }) => buffer.byteLength),
          sizes,
        );
        await (commits ? producer.commitTransaction() : producer.abortTransaction());
      }
      assert.deepEqual(await committed(opened.log, topic), ['0a', '0b', '3a', '3b']);
      assert.equal((await readPartition(opened.log, topic, 0)).length, 10);
    });

    test('one transaction spans partitions and topics, one of them made meanwhile', async () => {
      await using opened = await open();
      const [wide, other, late] = [await createTopic(opened.log, 12), await createTopic(opened.log), uniqueName('late')];
      await using producer = await openProducer(opened.log, uniqueName('tx'));
      for (const commits of [false, true]) {
        const pending = Array.from({ length: 12 }, (_, partition) => producer.append([batchOf(wide, partition, [`${commits}`])]));
        pending.push(producer.append([batchOf(other, 0, [`${commits}`]), batchOf(wide, 3, [`${commits}`])]));
        await Promise.all(pending);
        if (!autoCreateTopics && !commits) await opened.log.createTopics([{ name: late }]);
        await producer.append([batchOf(late, 0, [`${commits}`])]);
        await (commits ? producer.commitTransaction() : producer.abortTransaction());
      }
      for (let partition = 0; partition < 12; partition++) {
        assert.deepEqual(await committed(opened.log, wide, partition), partition === 3 ? ['true', 'true'] : ['true']);
      }
      assert.deepEqual([await committed(opened.log, other), await committed(opened.log, late)], [['true'], ['true']]);
    });

    test('nothing need be waited for: appends belong to the transaction that is open when they are called', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log);
      await using producer = await openProducer(opened.log, uniqueName('tx'));
      const calls: Promise<unknown>[] = [producer.commitTransaction(), producer.abortTransaction()];
      for (let i = 0; i < 10; i++) {
        calls.push(producer.append([batchOf(topic, 0, [`${i}`])]), producer.append([batchOf(topic, 0, [`${i}+`])]));
        calls.push(i % 3 === 1 ? producer.abortTransaction() : producer.commitTransaction());
      }
      calls.push(producer.commitTransaction());
      await Promise.all(calls);
      const kept = [0, 2, 3, 5, 6, 8, 9];
      assert.deepEqual(
        await committed(opened.log, topic),
        kept.flatMap((i) => [`${i}`, `${i}+`]),
      );
    });

    test('a second producer of the same id fences the first, and aborts what it left open', async () => {
      await using opened = await open();
      const [topic, id] = [await createTopic(opened.log), uniqueName('tx')];
      await using first = await openProducer(opened.log, id);
      await first.append([batchOf(topic, 0, ['first'])]);
      await using second = await openProducer(opened.log, id);
      await assert.rejects(first.commitTransaction(), FencedError);
      await assert.rejects(first.append([batchOf(topic, 0, ['late'])]), FencedError);
      await assert.rejects(first.abortTransaction(), FencedError);
      await second.append([batchOf(topic, 0, ['second'])]);
      await using third = await openProducer(opened.log, id);
      await assert.rejects(second.append([batchOf(topic, 0, ['late'])]), FencedError);
      await assert.rejects(second.commitTransaction(), FencedError);
      await third.append([batchOf(topic, 0, ['third'])]);
      await third.commitTransaction();
      assert.deepEqual(await committed(opened.log, topic), ['third']);
    });

    test('fenceProducers ends them, in or between transactions, and those that never were', async () => {
      await using opened = await open();
      const [topic, ids] = [await createTopic(opened.log), Array.from({ length: 5 }, (_, i) => uniqueName(`tx${i}`))];
      await using producers = new AsyncDisposableStack();
      const opening = ids.slice(1).map(async (id) => producers.use(await openProducer(opened.log, id)));
      const [idle, between, inside] = await Promise.all(opening);
      assert.ok(idle && between && inside);
      await between.append([batchOf(topic, 0, ['between'])]);
      await between.commitTransaction();
      await inside.append([batchOf(topic, 0, ['inside'])]);
      await opened.log.fenceProducers(ids);
      for (const producer of [idle, between, inside]) await assert.rejects(producer.append([batchOf(topic, 0, ['late'])]), FencedError);
      await assert.rejects(inside.commitTransaction(), FencedError);
      await opened.log.fenceProducers([]);
      assert.deepEqual(await committed(opened.log, topic), ['between']);
    });

    test('an append that fails spoils its transaction: no commit, but an abort, and the next one is as good as new', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log, 2);
      await using producer = await openProducer(opened.log, uniqueName('tx'), { 'max.request.size': '2000' });
      for (let round = 0; round < 3; round++) {
        await producer.append([batchOf(topic, 0, ['good']), batchOf(topic, 1, ['good'])]);
        await assert.rejects(producer.append([batchOf(topic, 0, ['x'.repeat(5000)])]), DataError);
        await assert.rejects(producer.append([batchOf(topic, 0, ['later'])]), DataError);
        await assert.rejects(producer.commitTransaction(), DataError);
        await producer.abortTransaction();
        await producer.append([batchOf(topic, 0, [`${round}`])]);
        await producer.commitTransaction();
      }
      assert.deepEqual(await committed(opened.log, topic, 0), ['0', '1', '2']);
      assert.deepEqual(await committed(opened.log, topic, 1), []);
    });

    test('closing aborts what is open', async () => {
      await using opened = await open();
      const topic = await createTopic(opened.log);
      // So long that no reader here would see the coordinator abort it.
      const producer = await openProducer(opened.log, uniqueName('tx'), { 'transaction.timeout.ms': '600000' });
      await producer.append([batchOf(topic, 0, ['open'])]);
      await producer[Symbol.asyncDispose]();
      await assert.rejects(producer.commitTransaction());
      await assert.rejects(producer.append([batchOf(topic, 0, ['later'])]));
      assert.deepEqual(await committed(opened.log, topic), []);
      assert.equal((await readPartition(opened.log, topic, 0)).length, 1);
    });
  });
}
