import { deepEqual, equal } from 'node:assert/strict';
import { describe, it } from 'node:test';

import { conflictWatch } from '../conflict-watch.ts';
import type { Operation } from '../operation.ts';
import { Outstanding } from '../outstanding.ts';
import { record } from './task-fixture.ts';

describe('what is outstanding', () => {
  it('holds back the offset of its partition', () => {
    const outstanding = new Outstanding({ records: 3, bytes: 100 });
    const [a, b, other] = [record(5), record(6), record(1, { partition: 1 })];
    for (const each of [a, b, other]) outstanding.taken(each);
    const safe = (partition: number, offset: bigint): bigint => outstanding.safeOffset({ topic: 't', partition }, offset);
    deepEqual([safe(0, 9n), safe(0, 3n), safe(1, 9n), safe(2, 9n)], [5n, 3n, 1n, 9n]);
    outstanding.settled(b, 0);
    equal(safe(0, 9n), 5n);
    outstanding.settled(a, 0);
    outstanding.settled(a, 0);
    deepEqual([safe(0, 9n), outstanding.count], [9n, 1]);
  });

  it('leaves room by records and by bytes, and always for one', async () => {
    const outstanding = new Outstanding({ records: 3, bytes: 100 });
    const [a, b] = [record(1), record(2)];
    outstanding.taken(a);
    outstanding.grown(1000);
    equal(outstanding.hasRoom, false);
    const waiting = outstanding.until(() => outstanding.hasRoom, 60_000);
    outstanding.settled(a, 1000);
    equal(await waiting, true);
    for (const each of [b, record(3), record(4)]) outstanding.taken(each);
    equal(outstanding.hasRoom, false);
    equal(await outstanding.until(() => outstanding.hasRoom, 1), false);
    equal(await outstanding.until(() => outstanding.hasRoom, 60_000, AbortSignal.abort()), false);
  });
});

function watch() {
  const counts = { replayed: 0, hidden: 0 };
  const lines: string[] = [];
  const state = { settledUpTo: 0n, nowMs: 0 };
  const note = (line: string): void => void lines.push(line);
  const it = conflictWatch({
    log: { debug() {}, info: note, warn: note, error: note },
    count: (what, records) => {
      counts[what] += records;
    },
    settledUpTo: () => state.settledUpTo,
    now: () => state.nowMs,
  });
  const operation = (offset: number, id = 'a'): Operation => ({
    record: record(offset),
    target: { resource: 'i', epoch: 0 },
    action: 'index',
    id,
    shared: true,
    version: BigInt(offset),
    bytes: 0,
  });
  return { ...it, counts, lines, state, operation };
}

describe('version conflicts', () => {
  it('are a replay where the record comes again that the version stands for', () => {
    const { conflict, judge, counts, state, operation, lines } = watch();
    conflict(operation(1), 5n, false);
    conflict(operation(3), 5n, false);
    state.settledUpTo = 4n;
    judge();
    deepEqual(counts, { replayed: 0, hidden: 0 });
    conflict(operation(5), 5n, false);
    state.settledUpTo = 6n;
    judge();
    deepEqual(counts, { replayed: 3, hidden: 0 });
    equal(lines.length, 1);
  });

  it('hide data where its turn passes without it', () => {
    const { conflict, judge, counts, state, operation, lines } = watch();
    conflict(operation(1), 5n, false);
    conflict(operation(2), 5n, false);
    conflict(operation(5, 'other'), 5n, false);
    state.settledUpTo = 6n;
    judge();
    deepEqual(counts, { replayed: 1, hidden: 2 });
    equal(
      lines.some((line) => /2 records were not written.*t-0@1, document "a" of "i", which has version 5/.test(line)),
      true,
      lines.join('\n'),
    );
  });

  it('hide data where it never comes', () => {
    const { conflict, judge, counts, state, operation } = watch();
    conflict(operation(1), 5_000n, false);
    state.settledUpTo = 2n;
    judge();
    equal(counts.hidden, 0);
    state.nowMs = 61_000;
    judge();
    equal(counts.hidden, 1);
  });

  it('are its own where it was sent before', () => {
    const { conflict, judge, counts, operation } = watch();
    conflict(operation(1), 9n, true);
    judge();
    deepEqual(counts, { replayed: 1, hidden: 0 });
  });
});
