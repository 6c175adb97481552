import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PartitionTable } from './partition-table.ts';

test('topics with like names and numbers are kept apart', () => {
  const table = new PartitionTable<string>();
  table.set({ topic: 'a-1', partition: 1 }, 'x');
  table.set({ topic: 'a', partition: 11 }, 'y');
  assert.equal(table.get({ topic: 'a-1', partition: 1 }), 'x');
  assert.equal(table.size, 2);
  table.delete({ topic: 'a-1', partition: 1 });
  assert.deepEqual([...table], [[{ topic: 'a', partition: 11 }, 'y']]);
});
