import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frameAssembly } from './framed-requests.ts';

function frame(text: string): Buffer {
  const body = Buffer.from(text);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  return Buffer.concat([head, body]);
}

test('frames come out whole, however the bytes were cut', () => {
  const sent = ['', 'a', 'hello', 'x'.repeat(5000), 'end'];
  const bytes = Buffer.concat(sent.map(frame));
  for (const size of [1, 2, 3, 7, 1000, bytes.length]) {
    const got: string[] = [];
    const take = frameAssembly((whole) => got.push(whole.subarray(4).toString()));
    for (let at = 0; at < bytes.length; at += size) take(bytes.subarray(at, at + size));
    assert.deepEqual(got, sent, `in pieces of ${size}`);
  }
});
