import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import type { TaskReport } from '../api/index.ts';
import { seldom } from './report-teller.ts';

const rows = (count: number): TaskReport => ({ snapshot: { rows: count } });

test('reports are told seldom: the first, then the latest, and none twice', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const told: (TaskReport | undefined)[] = [];
    const report = seldom((each) => void told.push(each), 1_000);
    for (let count = 0; count < 100; count++) report(rows(count));
    assert.deepEqual(told, [rows(0)]);
    mock.timers.tick(999);
    assert.equal(told.length, 1);
    mock.timers.tick(1);
    assert.deepEqual(told, [rows(0), rows(99)]);
    report(rows(99));
    mock.timers.tick(1_000);
    assert.equal(told.length, 2, 'what was told already is not told again');
    report(undefined);
    assert.deepEqual(told, [rows(0), rows(99), undefined], 'after a pause at once');
  } finally {
    mock.timers.reset();
  }
});
