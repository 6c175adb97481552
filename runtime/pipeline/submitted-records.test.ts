import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PositionTable, SubmittedRecords } from './submitted-records.ts';

const shop = { server: 'shop' };

test('a position is safe once everything before it is acknowledged', () => {
  const submitted = new SubmittedRecords();
  const [first, second, third] = [1, 2, 3].map((lsn) => submitted.submit([{ partition: shop, offset: { lsn } }]));
  submitted.acknowledge(second!);
  assert.deepEqual(submitted.takeSafe(), []);
  submitted.acknowledge(first!);
  assert.deepEqual(submitted.takeSafe(), [{ partition: shop, offset: { lsn: 2 } }]);
  submitted.acknowledge(third!);
  assert.deepEqual(submitted.takeSafe(), [{ partition: shop, offset: { lsn: 3 } }]);
  assert.deepEqual(submitted.takeSafe(), []);
});

test('source partitions are told apart by content, not by identity or key order', () => {
  const table = new PositionTable();
  table.set({ a: 1, b: 2 }, { at: 1 });
  table.set({ b: 2, a: 1 }, { at: 2 });
  table.set({ a: '1', b: 2 }, { at: 3 });
  assert.deepEqual(
    table.take().map(({ offset }) => offset),
    [{ at: 2 }, { at: 3 }],
  );
});
