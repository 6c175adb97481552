import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ByteSink } from '../api/index.ts';
import { VarintReader, varintSize, writeVarint, zigzagVarint } from './varint.ts';

function encode(value: number): Uint8Array {
  const out = new ByteSink(16);
  writeVarint(out, zigzagVarint(value));
  return out.written();
}

/** The edges of each width, both signs, up to 53 bits. */
const edges = [0, 1, -1, 2, 127, 128, -128, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 32, 2 ** 52 - 1, 2 ** 52, -(2 ** 52)];
for (let bits = 6; bits < 52; bits += 7) edges.push(2 ** bits - 1, 2 ** bits, -(2 ** bits), -(2 ** bits) - 1);

test('signed varints go round, in the bytes of Protocol Buffers', () => {
  for (const value of edges) {
    const bytes = encode(value);
    assert.equal(bytes.length, varintSize(zigzagVarint(value)), `size of ${value}`);
    const reader = new VarintReader(bytes, 0, bytes.length);
    assert.equal(reader.signed(), value);
    assert.equal(reader.position, bytes.length);

    // The independent calculation, in 64 bits.
    let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
    const expected: number[] = [];
    for (; rest > 127n; rest >>= 7n) expected.push(Number(rest & 127n) | 128);
    expected.push(Number(rest));
    assert.deepEqual([...bytes], expected, `bytes of ${value}`);
  }
});

test('a varint that is cut short or too long is a RangeError', () => {
  assert.throws(() => new VarintReader(Uint8Array.of(), 0, 0).signed(), RangeError);
  assert.throws(() => new VarintReader(Uint8Array.of(0x80, 0x80), 0, 2).signed(), RangeError);
  assert.throws(() => new VarintReader(new Uint8Array(11).fill(0x80), 0, 11).signed(), RangeError);
  const reader = new VarintReader(Uint8Array.of(1, 0x80, 1), 1, 2);
  assert.throws(() => reader.signed(), RangeError, 'the end counts, not the array');
});
