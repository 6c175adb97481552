import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { DataError, RetriableError } from '../api/index.ts';
import { createTestFolder } from '../../test/contract/embedded-test-log.ts';
import { batchOf } from '../../test/contract/log-fixture.ts';
import { createBatchStore } from './batch-store.ts';
import { Catalog } from './catalog.ts';
import { openDatabase } from './database.ts';
import { openProducer } from './producer.ts';
import { TransactionQueue } from './transaction-queue.ts';

async function openQueue() {
  const folder = await createTestFolder();
  const database = openDatabase(folder.path, { readOnly: false, synchronous: 'normal' });
  const warnings: string[] = [];
  const commits = { count: 0 };
  const queue = new TransactionQueue(database, { committed: () => void commits.count++, warn: (message) => void warnings.push(message) });
  const catalog = new Catalog(database, 1);
  const surroundings = { catalog, queue, store: createBatchStore(database), autoCreateTopics: true, now: Date.now };
  const setMaxPages = (pages: number): void => void database.statement(`PRAGMA max_page_count = ${pages}`).get();
  return {
    queue,
    catalog,
    warnings,
    commits,
    produce: (overrides: Record<string, string> = {}) => openProducer(surroundings, { clientId: 'p', overrides }),
    /** As a full disk: SQLite answers SQLITE_FULL, for real. */
    fillDisk: () => setMaxPages(Number(database.statement('PRAGMA page_count').get()?.['page_count'])),
    freeDisk: () => setMaxPages(1_000_000),
    count: (): number => Number(database.statement('SELECT count(*) AS n FROM batches').get()?.['n']),
    async [Symbol.asyncDispose]() {
      await queue.close();
      database[Symbol.dispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const large = 'x'.repeat(200_000);

describe('the transaction queue', () => {
  test('work of one turn shares a transaction', async () => {
    await using opened = await openQueue();
    const results = await Promise.all(Array.from({ length: 50 }, (_, i) => opened.queue.submit({ doing: 'testing' }, () => i)));
    assert.deepEqual(
      results,
      Array.from({ length: 50 }, (_, i) => i),
    );
    assert.equal(opened.commits.count, 1);
  });

  test('who fails is rolled back alone; the others are stored', async () => {
    await using opened = await openQueue();
    const undone: string[] = [];
    const results = await Promise.allSettled([
      opened.queue.submit({ doing: 'testing' }, (transaction) => opened.catalog.create(transaction, { name: 'one' }).name),
      opened.queue.submit({ doing: 'testing' }, (transaction) => {
        opened.catalog.create(transaction, { name: 'two' });
        transaction.onRollback(() => undone.push('two'));
        throw new DataError('bad');
      }),
      opened.queue.submit({ doing: 'testing' }, (transaction) => opened.catalog.create(transaction, { name: 'three' }).name),
    ]);
    assert.deepEqual(
      results.map((result) => result.status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(undone, ['two']);
    assert.deepEqual(
      [...opened.catalog.topics()].map((topic) => topic.name),
      ['one', 'three'],
    );
  });

  test('a full disk: nothing is stored in part, the call is repeated, and works once there is room', async () => {
    await using opened = await openQueue();
    await using producer = opened.produce();
    await producer.append([batchOf('topic', 0, ['before'])]);
    opened.fillDisk();
    const appending = producer.append([batchOf('topic', 0, ['small']), batchOf('topic', 0, [large])]);
    const next = producer.append([batchOf('topic', 0, ['next'])]);
    while (opened.warnings.length === 0) await new Promise((resolve) => void setTimeout(resolve, 5));
    assert.match(opened.warnings[0] ?? '', /disk is full.*free some space/);
    assert.equal(opened.count(), 1);
    assert.equal(opened.catalog.topic('topic')?.partitions[0]?.nextOffset, 1n);
    opened.freeDisk();
    assert.deepEqual(
      (await appending).map((each) => each.baseOffset),
      [1n, 2n],
    );
    assert.deepEqual(
      (await next).map((each) => each.baseOffset),
      [3n],
    );
    assert.equal(opened.warnings.length, 1);
  });

  test('a disk that stays full: a RetriableError after delivery.timeout.ms, and nothing overtakes', async () => {
    await using opened = await openQueue();
    await using producer = opened.produce({ 'delivery.timeout.ms': '300' });
    await producer.append([batchOf('topic', 0, ['before'])]);
    opened.fillDisk();
    const first = producer.append([batchOf('topic', 0, [large])]);
    const second = producer.append([batchOf('topic', 0, ['small'])]);
    await assert.rejects(first, (error) => error instanceof RetriableError && /full/.test(error.message));
    await assert.rejects(second, RetriableError);
    opened.freeDisk();
    await assert.rejects(producer.append([batchOf('topic', 0, ['later'])]), RetriableError);
    assert.equal(opened.count(), 1);
    await using fresh = opened.produce();
    assert.deepEqual(
      (await fresh.append([batchOf('topic', 0, ['after'])])).map((each) => each.baseOffset),
      [1n],
    );
  });

  test('closing does not wait for a disk that stays full', async () => {
    await using opened = await openQueue();
    const producer = opened.produce();
    await producer.append([batchOf('topic', 0, ['before'])]);
    opened.fillDisk();
    const appending = assert.rejects(producer.append([batchOf('topic', 0, [large])]), RetriableError);
    while (opened.warnings.length === 0) await new Promise((resolve) => void setTimeout(resolve, 5));
    await opened.queue.close();
    await appending;
    await assert.rejects(
      opened.queue.submit({ doing: 'testing' }, () => 1),
      /closed/,
    );
  });
});
