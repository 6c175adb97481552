import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStartupCounts } from './startup-counts.ts';

test('starts are counted when they begin, and how they went once', () => {
  const counts = createStartupCounts();
  assert.equal(counts.attributes()['task-startup-success-percentage'], 0);
  counts.begin('task').succeeded();
  const failed = counts.begin('task');
  failed.failed();
  failed.succeeded();
  const later = counts.begin('task');
  later.succeeded();
  later.failed();
  counts.begin('task');
  counts.begin('connector').failed();
  assert.deepEqual(counts.attributes(), {
    'connector-startup-attempts-total': 1,
    'connector-startup-success-total': 0,
    'connector-startup-failure-total': 1,
    'connector-startup-success-percentage': 0,
    'connector-startup-failure-percentage': 1,
    'task-startup-attempts-total': 4,
    'task-startup-success-total': 2,
    'task-startup-failure-total': 1,
    'task-startup-success-percentage': 2 / 3,
    'task-startup-failure-percentage': 1 / 3,
  });
});
