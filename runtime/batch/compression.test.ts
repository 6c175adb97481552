import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compressionCodecs, readBatchHeader } from './batch-header.ts';
import { BatchWriter } from './batch-writer.ts';
import { compressBatch, decompress } from './compression.ts';
import { readRecords } from './record-reader.ts';

function batchOf(values: readonly string[]): { buffer: ArrayBuffer; length: number } {
  const writer = new BatchWriter(new ArrayBuffer(1024));
  for (const value of values) {
    writer.beginRecord(1_700_000_000_000);
    writer.beginKey();
    writer.endKey(false);
    writer.beginValue();
    writer.out.text(value);
    writer.endValue(true);
    writer.endRecord(Uint8Array.of(0));
  }
  return writer.finish();
}

describe('compression', () => {
  for (const codec of compressionCodecs) {
    for (const [name, values] of [
      ['a record', ['a'.repeat(500)]],
      ['200 kB', Array.from({ length: 500 }, (_, i) => `${i} ${'text '.repeat(80)}`)],
    ] as const) {
      test(`${codec}: ${name} comes back`, () => {
        const plain = batchOf(values);
        const packed = compressBatch(codec, plain.buffer, plain.length);
        assert.equal(readBatchHeader(Buffer.from(packed.buffer), 0, packed.length)?.codec, codec);
        assert.equal(packed.length < plain.length, codec !== 'none');
        const read = [...readRecords(Buffer.from(packed.buffer), packed.length, 0n)].map(({ value }) => value?.toString());
        assert.deepEqual(read, values);
      });
    }
  }

  test('what would not shrink stays as it is', () => {
    const plain = batchOf(['x']);
    for (const codec of compressionCodecs) assert.equal(compressBatch(codec, plain.buffer, plain.length).buffer, plain.buffer);
  });

  test('bytes of no codec are a RangeError that names it', () => {
    for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
      assert.throws(
        () => decompress(codec, Buffer.from('this was never compressed')),
        (error) => error instanceof RangeError && error.message.includes(codec),
      );
    }
  });

  test('a snappy frame that is cut short is a RangeError', () => {
    const plain = batchOf(['a'.repeat(1000)]);
    const { buffer, length } = compressBatch('snappy', plain.buffer, plain.length);
    assert.throws(() => decompress('snappy', new Uint8Array(buffer, 61, length - 61 - 5)), RangeError);
  });
});
