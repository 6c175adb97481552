import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assignRange } from './range-assignor.ts';

/** Members by name with the topics they want, topics with their partition counts; what each gets, as `topic/partition`. */
function assign(members: Record<string, string[]>, topics: Record<string, number>): Record<string, string[]> {
  const subscribers = Object.entries(members).map(([name, wanted]) => ({ name, wants: (topic: string) => wanted.includes(topic) }));
  const shares = assignRange(
    subscribers,
    Object.entries(topics).map(([name, length]) => ({ name, partitions: { length } })),
  );
  return Object.fromEntries(
    [...shares].map(([{ name }, partitions]) => [name, partitions.map((each) => `${each.topic}/${each.partition}`)]),
  );
}

// The first is the example in the documentation of RangeAssignor.
test('runs of partitions, the first members get one more', () => {
  assert.deepEqual(assign({ c0: ['t0', 't1'], c1: ['t0', 't1'] }, { t0: 3, t1: 3 }), {
    c0: ['t0/0', 't0/1', 't1/0', 't1/1'],
    c1: ['t0/2', 't1/2'],
  });
  assert.deepEqual(assign({ c0: ['t'], c1: ['t'], c2: ['t'] }, { t: 2 }), { c0: ['t/0'], c1: ['t/1'], c2: [] });
});

test('only who wants a topic gets it', () => {
  assert.deepEqual(assign({ c0: ['a'], c1: ['a', 'b'] }, { a: 3, b: 2, nobody: 5 }), { c0: ['a/0', 'a/1'], c1: ['a/2', 'b/0', 'b/1'] });
  assert.deepEqual(assign({}, { a: 3 }), {});
});
