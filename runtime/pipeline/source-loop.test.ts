import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noHeaders, RetriableError, schemas } from '../api/index.ts';
import type { Converter, SourcePosition, SourceRecord, SourceTask, Transform } from '../api/index.ts';
import { readRecords } from '../batch/record-reader.ts';
import type { AppendedBatch, LogProducer, OutboundBatch } from '../ports/log.ts';
import { BufferPool } from './buffer-pool.ts';
import { errorPolicy } from './error-policy.ts';
import { RecordEncoder } from './record-encoder.ts';
import { sourceLoop } from './source-loop.ts';
import { TaskFigures } from './task-figures.ts';

const text: Converter = {
  write(_topic, _schema, value, out) {
    if (value === null) return false;
    if (value === 'bad') throw new Error('bad value');
    out.text(String(value));
    return true;
  },
  read: (_topic, bytes) => ({ schema: schemas.string, value: bytes === null ? null : Buffer.from(bytes).toString() }),
};

function record(n: number, value: string | null = `v${n}`): SourceRecord {
  return {
    topic: 't',
    partition: null,
    keySchema: null,
    key: `k${n}`,
    valueSchema: schemas.string,
    value,
    timestamp: 1000 + n,
    headers: noHeaders,
    sourcePartition: { s: 1 },
    sourceOffset: { n },
  };
}

/** The far end: holds what was appended, acknowledges when told to. */
function farEnd(): {
  producer: LogProducer;
  values: (string | null)[];
  appends: number;
  acknowledge(): void;
  refuse(error: Error): void;
  auto: boolean;
} {
  const waiting: { batches: readonly OutboundBatch[]; resolve(appended: AppendedBatch[]): void; reject(error: Error): void }[] = [];
  const end = {
    values: [] as (string | null)[],
    appends: 0,
    auto: true,
    acknowledge() {
      const { batches, resolve } = waiting.shift()!;
      resolve(batches.map(({ topic, partition, buffer }) => ({ topic, partition, buffer, baseOffset: 0n })));
    },
    refuse: (error: Error) => waiting.shift()!.reject(error),
    producer: {
      append(batches: readonly OutboundBatch[]) {
        end.appends++;
        for (const { buffer, length } of batches) {
          for (const { value } of readRecords(Buffer.from(buffer), length, 0n)) end.values.push(value?.toString() ?? null);
        }
        return new Promise<AppendedBatch[]>((resolve, reject) => {
          waiting.push({ batches, resolve, reject });
          if (end.auto) setImmediate(() => end.acknowledge());
        });
      },
      async [Symbol.asyncDispose]() {},
    },
  };
  return end;
}

interface Setup {
  readonly polls: (SourceRecord[] | Error)[];
  readonly config?: Record<string, string>;
  readonly chain?: Transform;
  readonly partitions?: number;
  readonly committed?: SourceTask['committed'];
  readonly commitRecord?: SourceTask['commitRecord'];
  readonly position?: NonNullable<SourceTask['position']>;
}

function setUp({ polls, config = {}, chain, partitions = 1, committed, commitRecord, position }: Setup) {
  const far = farEnd();
  const stop = new AbortController();
  const stored: SourcePosition[] = [];
  const figures = new TaskFigures();
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const pool = new BufferPool(1 << 20);
  const encoder = new RecordEncoder({
    keyConverter: text,
    valueConverter: text,
    headerConverter: { writeHeader: () => null, readHeader: () => ({ schema: null, value: null }) },
    pool,
    maxBatchBytes: 4096,
    maxRecordBytes: 8192,
    compression: 'none',
  });
  let polled = 0;
  const { promise: drained, resolve: allPolled } = Promise.withResolvers<void>();
  const task: SourceTask = {
    async poll(signal) {
      const next = polls[polled++];
      if (next instanceof Error) throw next;
      if (next !== undefined) return next;
      allPolled();
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      return [];
    },
    ...(committed === undefined ? {} : { committed }),
    ...(position === undefined ? {} : { position }),
    ...(commitRecord === undefined ? {} : { commitRecord }),
    async [Symbol.asyncDispose]() {},
  };
  const loop = sourceLoop(
    {
      task,
      chain,
      encoder,
      pool,
      producer: far.producer,
      topics: { partitionsOf: async () => partitions },
      positions: { atomic: undefined, write: async (positions) => void stored.push(...positions.map((p) => ({ ...p }))) },
      errors: errorPolicy(config, 'c-0', quiet, figures),
      figures,
      log: quiet,
      flushIntervalMs: 1_000_000,
    },
    false,
  );
  return { far, stop, stored, figures, drained, loop, running: loop.run(stop.signal) };
}

test('records arrive in order, and the last position is stored at the stop', async () => {
  const committed: SourcePosition[] = [];
  const all = Array.from({ length: 500 }, (_, n) => record(n));
  const { far, stop, stored, drained, running } = setUp({
    polls: [all.slice(0, 3), all.slice(3, 400), all.slice(400)],
    committed: (positions) => void committed.push(...positions),
  });
  await drained;
  stop.abort();
  await running;
  assert.deepEqual(
    far.values,
    all.map(({ value }) => value),
  );
  assert.deepEqual(stored, [{ partition: { s: 1 }, offset: { n: 499 } }]);
  assert.deepEqual(committed, stored);
});

test('a position without a record is stored once the records before it are in the log, and not before', async () => {
  let at: number | undefined = 90;
  const { far, stop, stored, drained, loop, running } = setUp({
    polls: [[record(1)], []],
    position: () => (at === undefined ? undefined : { partition: { s: 1 }, offset: { n: at } }),
  });
  far.auto = false;
  await drained;
  at = undefined;
  const paused = loop.setPaused(true);
  assert.deepEqual(stored, []);
  far.acknowledge();
  stop.abort();
  await Promise.all([paused, running]);
  assert.deepEqual(stored, [{ partition: { s: 1 }, offset: { n: 90 } }]);
});

test('what the log has not acknowledged is not stored', async () => {
  const { far, stop, stored, drained, running } = setUp({ polls: [[record(1)], [record(2)]] });
  far.auto = false;
  await drained;
  stop.abort();
  far.refuse(new RetriableError('broker gone'));
  await assert.rejects(running, /the log did not take the records: broker gone/);
  assert.deepEqual(stored, []);
});

test('a retriable poll is tried again; another error ends the loop', async () => {
  const { far, stop, drained, running } = setUp({ polls: [new RetriableError('later'), [record(1)]] });
  await drained;
  assert.deepEqual(far.values, ['v1']);
  stop.abort();
  await running;
  const failing = setUp({ polls: [new Error('broken')] });
  await assert.rejects(failing.running, /broken/);
});

test('a dropped record moves the position', async () => {
  const { far, stop, stored, drained, running } = setUp({ polls: [[record(1), record(2)]], chain: (r) => (r.value === 'v2' ? null : r) });
  await drained;
  stop.abort();
  await running;
  assert.deepEqual(far.values, ['v1']);
  assert.deepEqual(stored, [{ partition: { s: 1 }, offset: { n: 2 } }]);
});

test('a record that no converter takes stops the task, or is skipped under errors.tolerance=all', async () => {
  const bad = [record(1), record(2, 'bad'), record(3)];
  const strict = setUp({ polls: [bad] });
  await assert.rejects(strict.running, /Tolerance exceeded.*VALUE_CONVERTER.*bad value/s);
  const tolerant = setUp({ polls: [bad], config: { 'errors.tolerance': 'all' } });
  await tolerant.drained;
  tolerant.stop.abort();
  await tolerant.running;
  assert.deepEqual(tolerant.far.values, ['v1', 'v3']);
  assert.equal(tolerant.figures.snapshot(0)['total-records-skipped'], 1);
});

test('commitRecord tells where each record went, in batches and partitions', async () => {
  const told: (string | null)[] = [];
  const all = Array.from({ length: 300 }, (_, n) => record(n));
  const { stop, drained, running } = setUp({
    polls: [all],
    partitions: 3,
    chain: (r) => (r.value === 'v7' ? null : r),
    commitRecord: (r, metadata) => told.push(metadata === null ? null : `${r.value}@${metadata.partition}`),
  });
  await drained;
  stop.abort();
  await running;
  assert.equal(told.length, 300);
  assert.equal(told[7], null);
  assert.equal(new Set(told.slice(8).map((t) => t?.split('@')[1])).size, 3);
});

test('paused, it polls no more, and says so when it does not; resumed, it goes on', async () => {
  const taken: unknown[] = [];
  const pausing = Promise.withResolvers<void>();
  const { far, loop, stop, running, drained } = setUp({
    polls: [[record(1)], [record(2)]],
    chain: (r) => {
      if (taken.push(r.value) === 1) pausing.resolve(loop.setPaused(true));
      return r;
    },
  });
  await pausing.promise;
  assert.deepEqual([...taken], ['v1']);
  await loop.setPaused(false);
  await drained;
  assert.deepEqual(taken, ['v1', 'v2']);
  stop.abort();
  await running;
  assert.deepEqual(far.values, ['v1', 'v2']);
});

test('a slow log stops the polling: what is in flight stays bounded', async () => {
  const many = Array.from({ length: 400 }, (_, n) => record(n, 'x'.repeat(2000)));
  const { far, stop, running } = setUp({ polls: [many, many, many] });
  far.auto = false;
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  const appends = far.appends;
  assert.ok(appends <= 4, `${appends} appends in flight`);
  far.auto = true;
  for (let i = 0; i < appends; i++) far.acknowledge();
  while (far.values.length < 1200) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await running;
});

test('a record that waits to be tried again when the task stops is not skipped', async () => {
  const tried = Promise.withResolvers<void>();
  const chain: Transform = (input) => {
    if (input.key !== 'k2') return input;
    tried.resolve();
    throw new RetriableError('later');
  };
  const config = { 'errors.tolerance': 'all', 'errors.retry.timeout': '-1' };
  const { far, stop, stored, running } = setUp({ polls: [[record(1), record(2), record(3)]], chain, config });
  await tried.promise;
  stop.abort();
  await running;
  assert.deepEqual(far.values, ['v1']);
  assert.deepEqual(
    stored.map(({ offset }) => offset),
    [{ n: 1 }],
  );
});

test('records are active until the log has them, and none is once it has all', async () => {
  const { far, figures, drained, stop, running } = setUp({ polls: [[record(1), record(2), record(3)], [record(4)]] });
  far.auto = false;
  await drained;
  const active = (): number | undefined => figures.snapshot(0)['source-record-active-count'];
  assert.equal(active(), 3);
  far.acknowledge();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(active(), 1);
  far.acknowledge();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(active(), 0);
  assert.equal(figures.snapshot(0)['source-record-active-count-max'], 3);
  stop.abort();
  await running;
});
