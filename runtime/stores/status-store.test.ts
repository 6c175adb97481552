import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { RetriableError } from '../api/index.ts';
import type { RunState, RunStatus } from '../ports/stores.ts';
import type { ApplyRecords, Journal, NewRecord } from './journal.ts';
import { encodeStatus } from './status-state.ts';
import { createStatusStore } from './status-store.ts';
import { recordsFrom } from './test/journal-records.ts';

const status = (state: RunState, workerId = 'me:1', generation = 1): RunStatus => ({
  state,
  trace: null,
  workerId,
  generation,
  version: null,
});

/** A journal whose writes end when, and as, the test says. */
function scriptedJournal() {
  const writes: { text: string; done: (error?: Error) => void }[] = [];
  let apply: ApplyRecords = () => {};
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
  const read = (key: string, value: string | null): void => apply(recordsFrom([[key, value]]), false);
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

test('what others wrote while a write was on its way counts in its order', async () => {
  const { journal, writes, read } = scriptedJournal();
  await using store = createStatusStore(journal, { shared: true });
  await store.start();
  const key = 'status-task-c-0';
  const put = store.putTask({ connector: 'c', task: 0 }, status('UNASSIGNED', 'me:1', 5));
  await settle();
  read(key, encodeStatus(status('UNASSIGNED', 'me:1', 5)));
  read(key, encodeStatus(status('RUNNING', 'b:1', 6)));
  read(key, encodeStatus(status('UNASSIGNED', 'a:1', 6)));
  let ended = false;
  const end = store.readToEnd(60_000).then(() => (ended = true));
  await settle();
  assert.equal(ended, false);
  writes[0]?.done();
  await Promise.all([put, end]);
  assert.deepEqual(store.task({ connector: 'c', task: 0 }), status('RUNNING', 'b:1', 6));
});

test('an UNASSIGNED that is tried again is left alone once a later generation spoke', async () => {
  const { journal, writes, read } = scriptedJournal();
  await using store = createStatusStore(journal, { shared: true });
  await store.start();
  const put = store.putConnector('c', status('UNASSIGNED', 'me:1', 5));
  await settle();
  read('status-connector-c', encodeStatus(status('RUNNING', 'b:1', 6)));
  writes[0]?.done(new RetriableError('away'));
  await put;
  assert.equal(writes.length, 1);
  await settle();
  assert.deepEqual(store.connector('c'), status('RUNNING', 'b:1', 6));
});

test('statuses of others: who lost a task may say so late, who runs it says it is over, and what is no status is passed over', async () => {
  const { journal, read } = scriptedJournal();
  await using store = createStatusStore(journal, { shared: true });
  await store.start();
  const id = { connector: 'c', task: 0 };
  const tell = (next: RunStatus): RunState | undefined => {
    read('status-task-c-0', encodeStatus(next));
    return store.task(id)?.state;
  };
  assert.equal(tell(status('RUNNING', 'b:1', 5)), 'RUNNING');
  assert.equal(tell(status('UNASSIGNED', 'a:1', 4)), 'RUNNING');
  assert.equal(tell(status('UNASSIGNED', 'a:1', 5)), 'RUNNING');
  read('status-task-c-0', '{"state":"RUNNING"}');
  assert.equal(store.task(id)?.generation, 5);
  assert.equal(tell(status('UNASSIGNED', 'b:1', 5)), 'UNASSIGNED');
  assert.equal(tell(status('RUNNING', 'b:1', 5)), 'RUNNING');
  assert.equal(tell(status('UNASSIGNED', 'a:1', 6)), 'UNASSIGNED');
  read('status-task-c-0', null);
  assert.equal(store.task(id), undefined);
});
