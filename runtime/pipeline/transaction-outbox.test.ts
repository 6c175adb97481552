import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourcePosition } from '../api/index.ts';
import { FencedError } from '../ports/log.ts';
import { offset, record, startTransactionalSource } from './test/transactional-source.ts';
import { connectorBoundary, intervalBoundary, pollBoundary } from './transaction-boundary.ts';
import { transactionRequests } from './transaction-requests.ts';

const never = 1_000_000;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('poll: each poll is one transaction, with its last position', async () => {
  const many = Array.from({ length: 300 }, (_, n) => record(n + 10));
  const { log, drained, stop, running, figures } = startTransactionalSource({
    boundary: pollBoundary(never),
    polls: [[record(1), record(2)], [record(3)], many],
  });
  await drained;
  stop.abort();
  await running;
  assert.deepEqual(log.seen.slice(0, 2), [
    { values: ['v1', 'v2'], offsets: [offset(2)] },
    { values: ['v3'], offsets: [offset(3)] },
  ]);
  assert.deepEqual(
    log.seen[2]?.values,
    many.map(({ value }) => value),
  );
  assert.equal(log.seen.length, 3);
  const { 'transaction-size-min': min, 'transaction-size-max': max, 'transaction-size-avg': average } = figures.snapshot(0);
  assert.deepEqual([min, max, average], [1, 300, 101]);
});

test('a position without a record is committed with the next records, or when the task stops', async () => {
  const positions = [undefined, 50, undefined, 90];
  const { log, drained, stop, running } = startTransactionalSource({
    boundary: pollBoundary(never),
    polls: [[record(1)], [], [record(60)], []],
    position() {
      const n = positions.shift();
      return n === undefined ? undefined : { partition: { s: 1 }, offset: { n } };
    },
  });
  await drained;
  assert.deepEqual(log.seen, [
    { values: ['v1'], offsets: [offset(1)] },
    { values: ['v60'], offsets: [offset(60)] },
  ]);
  stop.abort();
  await running;
  assert.deepEqual(log.seen[2], { values: [], offsets: [offset(90)] });
});

test('while a transaction commits, the next poll is taken, and not sent', async () => {
  const { log, stop, running, polled, figures } = startTransactionalSource({
    boundary: pollBoundary(never),
    polls: [[record(1)], [record(2)], [record(3)]],
  });
  log.commits.close();
  while (polled() < 2) await turn();
  for (let i = 0; i < 10; i++) await turn();
  assert.equal(polled(), 2);
  assert.deepEqual(log.calls, ['append 2', 'commit']);
  assert.equal(figures.snapshot(0)['source-record-active-count'], 1);
  log.commits.open();
  while (log.seen.length < 3) await turn();
  stop.abort();
  await running;
  assert.deepEqual(
    log.seen.map(({ values }) => values),
    [['v1'], ['v2'], ['v3']],
  );
});

test('the source hears of positions and records once they are committed, and of a dropped one with null', async () => {
  const told: string[] = [];
  const { log, drained, stop, running } = startTransactionalSource({
    boundary: pollBoundary(never),
    polls: [[record(1), record(2), record(3)]],
    chain: (r) => (r.value === 'v2' ? null : r),
    committed: (positions) => void told.push(...positions.map((position) => `committed ${position.offset['n']}`)),
    commitRecord: (r, metadata) => void told.push(`${r.value} ${metadata === null ? null : `${metadata.topic}@${metadata.offset}`}`),
  });
  log.commits.close();
  await drained;
  await turn();
  assert.deepEqual(told, []);
  log.commits.open();
  stop.abort();
  await running;
  assert.deepEqual(told, ['v1 t@0', 'v2 null', 'v3 t@1', 'committed 3']);
});

test('interval: polls share a transaction until the time is over, and the stop commits what is left', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { log, drained, stop, running } = startTransactionalSource({
    boundary: intervalBoundary(500, never),
    polls: [[record(1)], [record(2)]],
  });
  await drained;
  assert.deepEqual(log.calls, []);
  t.mock.timers.tick(500);
  while (log.seen.length < 1) await turn();
  assert.deepEqual(log.seen, [{ values: ['v1', 'v2'], offsets: [offset(2)] }]);
  t.mock.timers.tick(500);
  await turn();
  stop.abort();
  await running;
  assert.deepEqual(log.calls, ['append 3', 'commit']);
});

test('interval: a large transaction is sent while it fills, and a poll is not split', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const large = Array.from({ length: 8 }, (_, n) => record(n, 't', `${n}`.padEnd(3000, 'x')));
  const { log, stop, running, polled } = startTransactionalSource({
    boundary: intervalBoundary(500, never),
    polls: [large, [record(8), record(9), record(10)], [record(11)]],
    chain(input) {
      if (input.value === 'v9') t.mock.timers.tick(500);
      return input;
    },
  });
  while (polled() < 4) await turn();
  stop.abort();
  await running;
  assert.ok(log.calls.indexOf('append 1') < log.calls.indexOf('commit'), log.calls.join());
  assert.deepEqual(
    log.seen.map(({ offsets }) => offsets),
    [[offset(10)], [offset(11)]],
  );
});

test('pausing commits the open transaction', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { log, loop, stop, running } = startTransactionalSource({
    boundary: intervalBoundary(500, never),
    polls: [
      () => {
        void loop.setPaused(true);
        return [record(1)];
      },
      [record(2)],
    ],
  });
  while (log.seen.length < 1) await turn();
  assert.deepEqual(log.seen, [{ values: ['v1'], offsets: [offset(1)] }]);
  stop.abort();
  await running;
});

test('connector: it commits and aborts after records and polls; an abort keeps the position', async () => {
  const requests = transactionRequests();
  const { context } = requests;
  const all = Array.from({ length: 9 }, (_, n) => record(n + 1));
  const told: string[] = [];
  context.commitTransaction(all[1]);
  context.abortTransaction(all[4]);
  const { log, drained, stop, running, warnings } = startTransactionalSource({
    boundary: connectorBoundary(requests),
    commitRecord: (r, metadata) => void told.push(`${r.value} ${metadata === null ? null : 'there'}`),
    polls: [
      all.slice(0, 3),
      all.slice(3, 6),
      () => {
        context.commitTransaction();
        return [all[6]!];
      },
      () => {
        context.abortTransaction();
        return [all[7]!];
      },
      () => {
        context.abortTransaction();
        return [];
      },
      [all[8]!],
    ],
  });
  await drained;
  stop.abort();
  await running;
  assert.deepEqual(log.seen, [
    { values: ['v1', 'v2'], offsets: [offset(2)] },
    { values: [], offsets: [offset(5)] },
    { values: ['v6', 'v7'], offsets: [offset(7)] },
    { values: [], offsets: [offset(8)] },
  ]);
  assert.deepEqual(warnings, ['Ignoring request by task to abort transaction as the current transaction is empty']);
  assert.deepEqual(told, ['v1 there', 'v2 there', 'v3 null', 'v4 null', 'v5 null', 'v6 there', 'v7 there', 'v8 null']);
});

test('connector: what was sent already is aborted too, and what is left open at the stop', async () => {
  const requests = transactionRequests();
  const large = Array.from({ length: 4 }, (_, n) => record(n, 't', `${n}`.padEnd(3000, 'x')));
  requests.context.abortTransaction(large[3]);
  const { log, drained, stop, running } = startTransactionalSource({
    boundary: connectorBoundary(requests),
    polls: [large, Array.from({ length: 4 }, (_, n) => record(n + 10, 't', `${n}`.padEnd(3000, 'x')))],
  });
  await drained;
  stop.abort();
  await running;
  assert.deepEqual(log.seen, [{ values: [], offsets: [offset(3)] }]);
  assert.equal(log.calls.filter((call) => call === 'abort').length, 2);
  assert.equal(log.calls.at(-1), 'abort');
});

test('a connector that asks for both fails', async () => {
  const requests = transactionRequests();
  const one = record(1);
  requests.context.commitTransaction(one);
  requests.context.abortTransaction(one);
  const { running } = startTransactionalSource({ boundary: connectorBoundary(requests), polls: [[one]] });
  await assert.rejects(running, /requested both commit and abort of same record against topic\/partition t\/null/);
});

test('positions without records wait for the next records', async () => {
  const { log, drained, stop, running } = startTransactionalSource({
    boundary: pollBoundary(never),
    polls: [[record(1)], [record(2)], [record(3)], [record(4)]],
    chain: (r) => (r.value === 'v3' ? r : null),
  });
  await drained;
  stop.abort();
  await running;
  assert.deepEqual(log.seen, [
    { values: ['v3'], offsets: [offset(3)] },
    { values: [], offsets: [offset(4)] },
  ]);
});

test('fenced: the task ends, says that another has taken over, and neither commits nor tells the source', async () => {
  for (const call of ['append', 'commit'] as const) {
    const told: SourcePosition[] = [];
    const source = startTransactionalSource({
      boundary: pollBoundary(never),
      polls: [() => ((source.log.failure = { [call]: new FencedError('epoch 3 is fenced') }), [record(1)]), [record(2)]],
      committed: (positions) => void told.push(...positions),
    });
    await assert.rejects(source.running, (error: Error) => {
      assert.equal(error.name, 'FencedError');
      assert.match(error.message, /^task c-0: another instance of it has taken over.*"g-c-0"/);
      return true;
    });
    assert.deepEqual(source.log.seen, []);
    assert.deepEqual(told, []);
    assert.deepEqual(source.log.calls, ['append 2', 'commit']);
  }
});

test('a transaction that cannot be committed fails the task', async () => {
  const source = startTransactionalSource({
    boundary: pollBoundary(never),
    polls: [() => ((source.log.failure = { commit: new Error('broker gone.') }), [record(1)])],
  });
  await assert.rejects(
    source.running,
    /task c-0: Failed to flush offsets and\/or records: broker gone\. Nothing of the open transaction counts/,
  );
});

test('a source that fails aborts what is open', async () => {
  const requests = transactionRequests();
  const { log, running } = startTransactionalSource({
    boundary: connectorBoundary(requests),
    polls: [[record(1, 't', 'x'.repeat(3000)), record(2, 't', 'x'.repeat(3000))], new Error('source broke')],
  });
  await assert.rejects(running, /source broke/);
  assert.deepEqual(log.calls, ['append 1', 'abort']);
});

test('a task may not write to its own offsets topic', async () => {
  const { log, running } = startTransactionalSource({ boundary: pollBoundary(never), polls: [[record(1, 'offsets')]] });
  await assert.rejects(running, /Source tasks may not produce to their own offsets topics when exactly-once support is enabled/);
  assert.deepEqual(log.seen, []);
});

test('a record that the log cannot take is not passed over, whatever errors.tolerance says', async () => {
  const { log, running } = startTransactionalSource({
    boundary: pollBoundary(never),
    polls: [[record(1), record(2, 't', 'x'.repeat(9000))]],
    config: { 'errors.tolerance': 'all' },
  });
  await assert.rejects(running, /more than max.request.size/);
  assert.deepEqual(log.seen, []);
});

test('committed positions are copied, the newest where a copy takes long, and the stop waits for it', async () => {
  const copied: unknown[] = [];
  const first = Promise.withResolvers<void>();
  const { log, drained, stop, running } = startTransactionalSource({
    boundary: pollBoundary(never),
    polls: [[record(1)], [record(2)], [record(3)]],
    async copy(positions) {
      await first.promise;
      copied.push(...positions.map((position) => position.offset['n']));
    },
  });
  await drained;
  while (log.seen.length < 3) await turn();
  await turn();
  stop.abort();
  first.resolve();
  await running;
  assert.deepEqual(copied, [1, 3]);
});
