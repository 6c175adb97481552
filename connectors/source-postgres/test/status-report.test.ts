import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { TaskReport } from '@millrace/runtime/api';

import { createStatusReport } from '../status/status-report.ts';

const mb = 1024 * 1024;
const usual = { retainedBytes: 100 * mb, unconfirmedBytes: 10, walStatus: 'reserved', safeBytes: null } as const;

function setUp() {
  const told: (TaskReport | undefined)[] = [];
  let nowMs = 0;
  const report = createStatusReport(
    (each) => void told.push(each),
    { slot: 's', retainedWarnBytes: 150 * mb },
    () => nowMs,
  );
  return { told, report, later: (ms: number) => void (nowMs += ms) };
}

test('the slot’s bytes are told with the threshold, and anew when they differ: once a minute, but dangers at once', () => {
  const { told, report, later } = setUp();
  report.slot(usual);
  const slot = { name: 's', retainedBytes: 100 * mb, unconfirmedBytes: 10, walStatus: 'reserved', warnAboveBytes: 150 * mb };
  assert.deepEqual(told, [{ slot: { ...slot, aboveThreshold: false } }]);
  report.slot({ ...usual, retainedBytes: 140 * mb });
  assert.equal(told.length, 1, 'another one within a minute is not told');
  later(60_000);
  report.slot({ ...usual, retainedBytes: 105 * mb });
  assert.equal(told.length, 1, 'nor is one that is about the same');
  report.slot({ ...usual, retainedBytes: 140 * mb });
  assert.equal(told.length, 2);
  report.slot({ ...usual, retainedBytes: 151 * mb });
  assert.equal(told.at(-1)?.['slot']?.['aboveThreshold'], true, 'what is above the threshold is told at once');
  report.slot({ ...usual, retainedBytes: 151 * mb, walStatus: 'unreserved', safeBytes: -5 });
  assert.deepEqual(told.at(-1), {
    slot: { ...slot, retainedBytes: 151 * mb, walStatus: 'unreserved', safeBytes: -5, aboveThreshold: true },
  });
});

test('a snapshot and the slot stand side by side, until the snapshot is over', () => {
  const { told, report } = setUp();
  report.snapshot({ rows: 1 });
  assert.deepEqual(told.at(-1), { snapshot: { rows: 1 } });
  report.slot(usual);
  assert.deepEqual(Object.keys(told.at(-1) ?? {}), ['snapshot', 'slot']);
  report.snapshot(undefined);
  assert.deepEqual(Object.keys(told.at(-1) ?? {}), ['slot']);
});
