import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { filterBatch } from './batch-filter.ts';
import { batchHeaders, readBatchHeader } from './batch-header.ts';
import { BatchWriter, encodeHeaders } from './batch-writer.ts';
import { compressBatch } from './compression.ts';
import { readRecords } from './record-reader.ts';

/** The same numbers in each run (mulberry32), so that a failure comes again. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** Reads everything in every way; only a RangeError may come, and never more records than bytes. */
function readAll(bytes: Buffer, what: string): void {
  const attempt = (read: () => void): void => {
    try {
      read();
    } catch (error) {
      assert.ok(error instanceof RangeError, `${what}: ${String(error)}`);
    }
  };
  attempt(() => {
    let count = 0;
    for (const record of readRecords(bytes, bytes.length, 0n)) {
      count++;
      assert.ok((record.key?.length ?? 0) + (record.value?.length ?? 0) >= 0);
    }
    assert.ok(count <= 100_000, `${what}: ${count} records`);
  });
  attempt(() => {
    for (const header of batchHeaders(bytes)) filterBatch(bytes, header, () => false);
  });
}

function sample(): { buffer: ArrayBuffer; length: number } {
  const writer = new BatchWriter(new ArrayBuffer(512));
  for (let i = 0; i < 5; i++) {
    writer.beginRecord(1000 + i);
    writer.beginKey();
    writer.out.text(`key ${i}`);
    writer.endKey(true);
    writer.beginValue();
    writer.out.text('value '.repeat(50 * i));
    writer.endValue(true);
    writer.endRecord(encodeHeaders([{ key: 'h', value: Buffer.from('x') }]));
  }
  return writer.finish();
}

describe('bytes from anywhere', () => {
  test('random bytes', () => {
    const random = randomNumbers(1);
    for (let round = 0; round < 2000; round++) {
      const bytes = Buffer.from(Array.from({ length: random(300) }, () => random(256)));
      // Half of them look like a batch at first sight.
      if (bytes.length > 61 && round % 2 === 0) {
        bytes.writeInt32BE(bytes.length - 12, 8);
        bytes[16] = 2;
        bytes.writeInt16BE(random(2) === 0 ? 0 : random(5), 21);
        if (random(2) === 0) bytes.writeInt32BE(0x7fffffff, 57);
      }
      readAll(bytes, `round ${round}`);
    }
  });

  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    test(`a good batch with some bytes changed or cut: ${codec}`, () => {
      const random = randomNumbers(2);
      const plain = sample();
      const { buffer, length } = compressBatch(codec, plain.buffer, plain.length);
      assert.equal(readBatchHeader(Buffer.from(buffer), 0, length)?.codec, codec);
      for (let round = 0; round < 2000; round++) {
        const bytes = Buffer.from(buffer.slice(0, length));
        for (let changes = 1 + random(3); changes > 0; changes--) bytes[random(length)] = random(256);
        readAll(bytes, `round ${round}`);
        readAll(bytes.subarray(0, random(length)), `round ${round}, cut`);
      }
    });
  }

  test('records that claim impossible lengths', () => {
    const { buffer, length } = sample();
    for (const bytes of [
      [0x01],
      [0xff, 0xff, 0xff, 0xff, 0x0f],
      [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
      [0x00],
      [0xfe, 0xff, 0xff, 0xff, 0x0f],
    ]) {
      for (let at = 61; at < length - bytes.length; at++) {
        const changed = Buffer.from(buffer.slice(0, length));
        changed.set(bytes, at);
        changed.writeInt32BE(0x7fffffff, 57);
        readAll(changed, `${bytes.join()} at ${at}`);
      }
    }
  });
});
