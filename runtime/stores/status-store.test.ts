import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { RetriableError } from '../api/index.ts';
import type { RunState, RunStatus } from '../ports/stores.ts';
import type { Journal, JournalRecord, NewRecord } from './journal.ts';
import { encodeStatus } from './status-state.ts';
import { createStatusStore } from './status-store.ts';

const status = (state: RunState, workerId = 'me:1'): RunStatus => ({ state, trace: null, workerId, generation: 1, version: null });

/** A journal whose writes end when, and as, the test says. */
function scriptedJournal() {
  const writes: { text: string; done: (error?: Error) => void }[] = [];
  let apply: (records: readonly JournalRecord[]) => void = () => {};
  const journal: Journal = {
    async start(onRecords) {
      apply = onRecords;
    },
    write: (records: readonly NewRecord[]) =>
      new Promise((resolve, reject) => {
        const text = records.map(({ key, value }) => `${key as string} ${value as string}`).join();
        writes.push({ text, done: (error) => (error === undefined ? resolve() : reject(error)) });
      }),
    async readToEnd() {},
    async [Symbol.asyncDispose]() {},
  };
  const read = (key: string, value: string | null): void =>
    apply([{ key: Buffer.from(key), value: value === null ? null : Buffer.from(value), timestampMs: 0 }]);
  return { journal, writes, read };
}

async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await turn();
}

test('writes of one key go one after another, and what was read meanwhile does not show', async () => {
  const { journal, writes, read } = scriptedJournal();
  await using store = createStatusStore(journal, { shared: false });
  await store.start();
  const both = [store.putConnector('c', status('UNASSIGNED')), store.putConnector('c', status('RUNNING'))];
  await settle();
  assert.equal(writes.length, 1);
  read('status-connector-c', encodeStatus(status('UNASSIGNED')));
  assert.equal(store.connector('c')?.state, 'RUNNING');
  writes[0]?.done();
  await settle();
  read('status-connector-c', encodeStatus(status('RUNNING')));
  read('status-connector-c', encodeStatus(status('PAUSED', 'other:1')));
  writes[1]?.done();
  await Promise.all(both);
  await settle();
  assert.equal(store.connector('c')?.state, 'PAUSED');
});

test('a write that fails for now is tried again, unless a newer one waits', async () => {
  const { journal, writes } = scriptedJournal();
  await using store = createStatusStore(journal, { shared: false });
  await store.start();
  const both = [store.putConnector('c', status('RUNNING')), store.putConnector('c', status('FAILED'))];
  await settle();
  writes[0]?.done(new RetriableError('away'));
  await settle();
  assert.match(writes[1]?.text ?? '', /FAILED/);
  writes[1]?.done(new RetriableError('away'));
  while (writes.length < 3) await turn();
  assert.match(writes[2]?.text ?? '', /FAILED/);
  writes[2]?.done();
  await Promise.all(both);
  assert.equal(store.connector('c')?.state, 'FAILED');
});

test('a write that can never succeed rejects, and the next one goes on', async () => {
  const { journal, writes } = scriptedJournal();
  await using store = createStatusStore(journal, { shared: false });
  await store.start();
  const first = store.putConnector('c', status('RUNNING'));
  await settle();
  writes[0]?.done(new Error('not authorised'));
  await assert.rejects(first, /not authorised/);
  const second = store.putConnector('c', status('PAUSED'));
  await settle();
  writes[1]?.done();
  await second;
});
