import { deepEqual, equal, rejects } from 'node:assert/strict';
import { describe, it } from 'node:test';

import { mayPass } from '../../../runtime/ports/passing-errors.ts';
import { backoffMs } from '../backoff.ts';
import { BatchBuilder } from '../bulk-batch.ts';
import type { BulkBatch } from '../bulk-batch.ts';
import type { BulkAnswer } from '../bulk-post.ts';
import { delivery } from '../delivery.ts';
import { itemOutcome } from '../item-outcome.ts';
import type { BulkItem } from '../item-outcome.ts';
import { bulkLanes } from '../lanes.ts';
import type { Operation } from '../operation.ts';
import { record } from './task-fixture.ts';

function operation(offset: number, fields: Partial<Operation> = {}): Operation {
  return {
    record: record(offset),
    target: { resource: 'i', epoch: 0 },
    action: 'update',
    id: 'a',
    shared: true,
    version: null,
    bytes: 0,
    ...fields,
  };
}

function batchOf(...operations: Operation[]): BulkBatch {
  const builder = new BatchBuilder({ records: 100, bytes: Infinity });
  for (const each of operations) builder.add(each, (out, { record: { offset } }) => out.text(`${offset};`));
  return builder.take();
}

const ok: BulkItem = { status: 200 };
const refused: BulkItem = { status: 429, error: { type: 'es_rejected_execution_exception', reason: 'busy' } };
const bad: BulkItem = { status: 400, error: { type: 'document_parsing_exception', reason: 'no' } };
const items = (...of: BulkItem[]): BulkAnswer => ({ kind: 'items', items: of });

/** Answers in turn, the last one for ever, and notes what was sent and what became of it. */
function scripted(...answers: (BulkAnswer | ((batch: BulkBatch) => BulkAnswer))[]) {
  const sent: string[] = [];
  const told: string[] = [];
  const settled: number[] = [];
  const gone = new Set<number>();
  const deliver = delivery({
    maxRetries: 3,
    backoffMs: 0,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    signal: new AbortController().signal,
    async post(batch) {
      sent.push(Buffer.from(batch.bytes).toString());
      const answer = (answers.length > 1 ? answers.shift() : answers[0]) as BulkAnswer | ((batch: BulkBatch) => BulkAnswer);
      return typeof answer === 'function' ? answer(batch) : answer;
    },
    async exception({ record: { offset } }, it) {
      told.push(`${offset} ${it.kind}${it.kind === 'conflict' && it.again ? ' again' : ''}`);
    },
    abandoned: ({ record: { offset } }) => gone.has(Number(offset)),
    settled: ({ record: { offset } }) => void settled.push(Number(offset)),
    count() {},
  });
  return { deliver, sent, told, settled, gone };
}

describe('a delivery', () => {
  it('repeats only what was refused for now', async () => {
    const { deliver, sent, settled } = scripted(items(ok, refused, ok), items(ok));
    await deliver(batchOf(operation(1, { id: 'a' }), operation(2, { id: 'b' }), operation(3, { id: 'c' })));
    deepEqual(sent, ['1;2;3;', '2;']);
    deepEqual(settled, [1, 3, 2]);
  });

  it('repeats after it what came later for the same document, so that the last word stays the last', async () => {
    const { deliver, sent, settled } = scripted(items(refused, ok, ok), items(ok, ok));
    await deliver(batchOf(operation(1), operation(2, { id: 'b' }), operation(3)));
    deepEqual(sent, ['1;2;3;', '1;3;']);
    deepEqual(settled, [2, 1, 3]);
  });

  it('leaves order to the versions, where there are any', async () => {
    const versioned = (version: bigint): Partial<Operation> => ({ version, action: 'index' });
    const { deliver, sent, settled } = scripted(items(refused, ok), items(ok));
    await deliver(batchOf(operation(1, versioned(5n)), operation(3, versioned(3n))));
    deepEqual(sent, ['1;3;', '1;']);
    deepEqual(settled, [3, 1]);
  });

  it('does not repeat what a later version has overtaken: of a document deleted long ago no version is kept', async () => {
    const { deliver, sent, settled, told } = scripted(items(refused, refused, ok, bad), items(ok));
    const versioned = (version: bigint, id = 'a'): Partial<Operation> => ({ id, version, action: 'index' });
    const last = { ...versioned(3n), action: 'delete' } as const;
    await deliver(
      batchOf(operation(1, versioned(1n)), operation(2, versioned(2n, 'b')), operation(3, last), operation(4, versioned(4n, 'b'))),
    );
    deepEqual(sent, ['1;2;3;4;', '2;']);
    deepEqual(settled, [3, 4, 1, 2]);
    deepEqual(told, ['4 malformed']);
  });

  it('repeats the whole when nobody knows what became of it, and knows conflicts for its own', async () => {
    const conflict: BulkItem = { status: 409, error: { type: 'version_conflict_engine_exception', reason: 'current version [1] is' } };
    const { deliver, sent, told, settled } = scripted({ kind: 'retry', reason: 'cut' }, items(conflict, ok));
    await deliver(batchOf(operation(1, { version: 1n, action: 'index' }), operation(2, { id: 'b' })));
    deepEqual(sent, ['1;2;', '1;2;']);
    deepEqual(told, ['1 conflict again']);
    deepEqual(settled, [1, 2]);
  });

  it('finds the one record for which the whole is refused', async () => {
    const answer = (batch: BulkBatch): BulkAnswer => {
      const isIn = Buffer.from(batch.bytes).includes('3;');
      return isIn ? { kind: 'refused', reason: 'one is bad' } : items(...batch.entries.map(() => ok));
    };
    const { deliver, told, settled } = scripted(answer);
    await deliver(batchOf(...[1, 2, 3, 4, 5].map((offset) => operation(offset))));
    deepEqual(told, ['3 malformed']);
    deepEqual(settled, [1, 2, 3, 4, 5]);
  });

  it('tells of bad documents, and goes on', async () => {
    const { deliver, told, settled } = scripted(items(bad, ok));
    await deliver(batchOf(operation(1), operation(2)));
    deepEqual(told, ['1 malformed']);
    deepEqual(settled, [1, 2]);
  });

  it('gives up after retries without progress, and counts anew where there was some', async () => {
    const some = [items(refused, refused), items(refused, refused), items(refused, refused), items(refused, ok), items(refused)];
    const { deliver, sent } = scripted(...some);
    const message = /took no 1 records after 3 retries: 1 items were refused for now: es_rejected_execution_exception: busy.*max\.retries/;
    const failing = deliver(batchOf(operation(1, { id: 'a' }), operation(2, { id: 'b' })));
    await rejects(failing, { name: 'ConnectError', message });
    await rejects(failing, mayPass, 'a restart may find Elasticsearch less busy');
    equal(sent.length, 7);
  });

  it('fails at once where a person has to act', async () => {
    const { deliver } = scripted(items({ status: 403, error: { type: 'cluster_block_exception', reason: 'read-only' } }));
    await rejects(deliver(batchOf(operation(1))), {
      name: 'ConnectError',
      message: /"i" \(record t-0@1\): cluster_block_exception: read-only/,
    });
  });

  it('sends nothing more of partitions that went to another task', async () => {
    const { deliver, sent, gone, settled } = scripted(() => {
      gone.add(2);
      return items(refused, refused);
    }, items(ok));
    await deliver(batchOf(operation(1, { id: 'a' }), operation(2, { id: 'b' })));
    deepEqual(sent, ['1;2;', '1;']);
    deepEqual(settled, [2, 1]);
  });
});

describe('items', () => {
  const rows: readonly (readonly [item: BulkItem, kind: string])[] = [
    [{ status: 201 }, 'done'],
    [{ status: 404 }, 'done'],
    [refused, 'retry'],
    [{ status: 503, error: { type: 'unavailable_shards_exception' } }, 'retry'],
    [{ status: 429, error: { type: 'cluster_block_exception', reason: 'disk usage exceeded flood-stage watermark' } }, 'retry'],
    [bad, 'malformed'],
    [{ status: 500, error: { type: 'not_x_content_exception' } }, 'malformed'],
    [{ status: 400, error: { type: 'illegal_argument_exception', reason: 'Limit of total fields' } }, 'malformed'],
    [{ status: 400, error: { type: 'index_closed_exception' } }, 'fatal'],
    [{ status: 404, error: { type: 'index_not_found_exception' } }, 'fatal'],
    [{ status: 403, error: { type: 'security_exception' } }, 'fatal'],
  ];
  for (const [item, kind] of rows) it(`${item.status} ${item.error?.type ?? ''} is ${kind}`, () => equal(itemOutcome(item).kind, kind));

  it('a conflict tells the version that is there', () => {
    const reason = '[k]: version conflict, current version [17] is higher or equal to the one provided [3]';
    deepEqual(itemOutcome({ status: 409, error: { type: 'version_conflict_engine_exception', reason } }), {
      kind: 'conflict',
      current: 17n,
      reason: `version_conflict_engine_exception: ${reason}`,
    });
  });
});

describe('batches', () => {
  const sizes = (limits: { records: number; bytes: number }, ...lengths: number[]): number[][] => {
    const builder = new BatchBuilder(limits);
    const full: BulkBatch[] = [];
    lengths.forEach((length, i) => {
      const before = builder.add(operation(i), (out) => out.text('x'.repeat(length)));
      if (before !== undefined) full.push(before);
      if (builder.isFull) full.push(builder.take());
    });
    if (builder.size > 0) full.push(builder.take());
    for (const { entries, length } of full) equal(entries.at(-1)?.end, length);
    return full.map(({ entries }) => entries.map(({ start, end }) => end - start));
  };
  it('end at a number of records', () => deepEqual(sizes({ records: 2, bytes: Infinity }, 1, 1, 1), [[1, 1], [1]]));
  it('end before the record that would be too much', () => deepEqual(sizes({ records: 9, bytes: 10 }, 6, 6, 4), [[6], [6, 4]]));
  it('hold one record that is larger, alone', () => deepEqual(sizes({ records: 9, bytes: 10 }, 6, 50, 4), [[6], [50], [4]]));
  it('are as they were when a record cannot be written', () => {
    const builder = new BatchBuilder({ records: 9, bytes: 10 });
    builder.add(operation(1), (out) => out.text('1;'));
    const add = (): unknown =>
      builder.add(operation(2), (out) => {
        out.text('half');
        throw new Error('no');
      });
    try {
      add();
    } catch {}
    equal(Buffer.from(builder.take().bytes).toString(), '1;');
  });
});

describe('lanes', () => {
  it('never have two requests with one document, whatever comes first', async () => {
    const underWay = new Map<string, number>();
    const order = new Map<string, number[]>();
    let most = 0;
    let requests = 0;
    const settled = Promise.withResolvers<void>();
    let left = 5_000;
    const lanes = bulkLanes({
      count: 4,
      limits: { records: 50, bytes: Infinity },
      lingerMs: 0,
      write: (out) => out.text('.'),
      failed: settled.reject,
      async deliver({ entries }) {
        const ids = new Set(entries.map(({ operation: { id } }) => String(id)));
        most = Math.max(most, ++requests);
        for (const id of ids) underWay.set(id, (underWay.get(id) ?? 0) + 1);
        for (const id of ids) equal(underWay.get(id), 1, id);
        // As many turns of the event loop as chance wills: later requests would overtake earlier ones.
        for (let turns = Math.random() * 5; turns > 0; turns--) await new Promise(setImmediate);
        for (const { operation: each } of entries)
          order.set(String(each.id), [...(order.get(String(each.id)) ?? []), Number(each.record.offset)]);
        for (const id of ids) underWay.set(id, 0);
        requests--;
        left -= entries.length;
        if (left === 0) settled.resolve();
      },
    });
    for (let i = 0; i < 5_000; i++) lanes.add(operation(i, { id: `k${(i * 7) % 300}` }));
    lanes.flush();
    await settled.promise;
    equal(most, 4);
    equal(order.size, 300);
    for (const offsets of order.values())
      deepEqual(
        offsets,
        offsets.toSorted((a, b) => a - b),
      );
    lanes.stop();
  });
});

describe('the backoff', () => {
  it('doubles its bound up to a minute', () => {
    deepEqual(
      [1, 2, 3, 20, 5_000].map((retry) => backoffMs(retry, 100, () => 1)),
      [200, 400, 800, 60_000, 60_000],
    );
  });
});
