import assert from 'node:assert/strict';
import { test } from 'node:test';
import { murmur2, partitionForKey } from './partitioner.ts';

// The vectors of org.apache.kafka.common.utils.UtilsTest.testMurmur2.
const vectors: readonly (readonly [string, number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
];

for (const [text, hash] of vectors) {
  test(`murmur2 of "${text}" is what Java has`, () => assert.equal(murmur2(Buffer.from(text)), hash));
}

test("murmur2 of the bytes 'a', 'b', 'c' is what Java has", () => assert.equal(murmur2(Buffer.from('abc')), 479470107));

test('every partition is in range, also for negative hashes and for the empty key', () => {
  for (let i = 0; i < 1000; i++) {
    const partition = partitionForKey(Buffer.from(`key ${i}`), 7);
    assert.ok(Number.isInteger(partition) && partition >= 0 && partition < 7);
  }
  assert.equal(partitionForKey(Buffer.alloc(0), 3), (murmur2(Buffer.alloc(0)) & 0x7fffffff) % 3);
  assert.equal(partitionForKey(Buffer.from('21'), 12), (-973932308 & 0x7fffffff) % 12);
});
