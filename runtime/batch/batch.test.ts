import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';

import { crc32c } from '@platformatic/wasm-utils';

import { batchHeaders, crcMatches, readBatchHeader, stampBaseOffset, stampCrc, stampLogAppendTime, stampProducer } from './batch-header.ts';
import { BatchWriter, encodeHeaders } from './batch-writer.ts';
import type { WrittenBatch } from './batch-writer.ts';
import { compressBatch } from './compression.ts';
import { readRecords } from './record-reader.ts';
import type { RawRecord } from './record-reader.ts';

interface PlainRecord {
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly { readonly key: string; readonly value: Buffer | null }[];
}

function writeBatch(records: readonly PlainRecord[]): WrittenBatch {
  const writer = new BatchWriter(new ArrayBuffer(100));
  for (const { timestamp, key, value, headers } of records) {
    writer.beginRecord(timestamp);
    writer.beginKey();
    if (key !== null) writer.out.copy(key);
    writer.endKey(key !== null);
    writer.beginValue();
    if (value !== null) writer.out.copy(value);
    writer.endValue(value !== null);
    writer.endRecord(encodeHeaders(headers));
  }
  return writer.finish();
}

const plain = ({ timestamp, key, value, headers }: RawRecord): PlainRecord => ({ timestamp, key, value, headers });

function record(value: string | null, rest: Partial<PlainRecord> = {}): PlainRecord {
  return { timestamp: 1_700_000_000_000, key: null, value: value === null ? null : Buffer.from(value), headers: [], ...rest };
}

/** Lengths around every width of a varint, so that each guess is wrong at some point. */
const lengths = [0, 1, 62, 63, 64, 65, 8190, 8191, 8192, 8193, 3, 1_048_575, 1_048_576, 0, 5, 20_000, 1];
const varied: PlainRecord[] = lengths.map((length, index) => ({
  timestamp: 1_700_000_000_000 + (index % 2 === 0 ? index * 1000 : -index * 100_000),
  key: index % 3 === 0 ? null : Buffer.alloc(lengths[(index + 3) % lengths.length] ?? 0, index),
  value: index % 5 === 4 ? null : Buffer.alloc(length, index),
  headers: Array.from({ length: index % 4 }, (_, i) => ({ key: `h${i}ü`, value: i === 1 ? null : Buffer.alloc(i * 100, 7) })),
}));

/** kafkajs's reading of a batch, as an independent second opinion; its internals are not typed. */
type KafkajsRecord = {
  offset: string;
  timestamp: string;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, Buffer | null>;
};
const require = createRequire(import.meta.url);
const KafkajsDecoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => unknown;
const decodeKafkajsBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (
  decoder: unknown,
) => Promise<{ records: KafkajsRecord[]; maxTimestamp: string; lastOffsetDelta: number }>;
const kafkajsCrc32c = require('kafkajs/src/protocol/recordBatch/crc32C') as (bytes: Buffer) => number;

describe('a record batch', () => {
  test('goes round: lengths of every width, nulls, headers, timestamps to and fro', () => {
    const { buffer, length, records } = writeBatch(varied);
    assert.equal(records, varied.length);
    const bytes = Buffer.from(buffer);
    const read = [...readRecords(bytes, length, 0n)];
    assert.deepEqual(read.map(plain), varied);
    assert.deepEqual(
      read.map((each) => each.offset),
      varied.map((_, index) => BigInt(index)),
    );
    const header = readBatchHeader(bytes, 0, length);
    assert.equal(header?.end, length);
    assert.equal(header?.baseTimestamp, varied[0]?.timestamp);
    assert.equal(header?.maxTimestamp, Math.max(...varied.map((each) => each.timestamp)));
  });

  for (const codec of ['none', 'gzip', 'zstd'] as const) {
    test(`kafkajs reads what was written: ${codec}`, async () => {
      const written = writeBatch(varied);
      const packed = compressBatch(codec, written.buffer, written.length);
      const bytes = Buffer.from(packed.buffer, 0, packed.length);
      assert.equal(readBatchHeader(bytes, 0)?.codec, codec);
      assert.deepEqual([...readRecords(bytes, packed.length, 0n)].map(plain), varied);
      if (codec === 'zstd') return; // kafkajs has no zstd of its own
      stampBaseOffset(bytes, 0, 5_000_000_000n);
      const { records, lastOffsetDelta, maxTimestamp } = await decodeKafkajsBatch(new KafkajsDecoder(bytes));
      assert.equal(lastOffsetDelta, varied.length - 1);
      assert.equal(maxTimestamp, `${Math.max(...varied.map((each) => each.timestamp))}`);
      assert.deepEqual(
        records.map(({ offset, timestamp, key, value, headers }) => ({ offset, timestamp, key, value, headers: { ...headers } })),
        varied.map(({ timestamp, key, value, headers }, index) => ({
          offset: `${5_000_000_000 + index}`,
          timestamp: `${timestamp}`,
          key,
          value,
          headers: Object.fromEntries(headers.map((header) => [header.key, header.value])),
        })),
      );
    });
  }

  test('stamps stand where kafkajs and the CRC expect them', async () => {
    const { buffer, length } = writeBatch([record('a'), record('b')]);
    const bytes = Buffer.from(buffer);
    stampProducer(bytes, { id: 2n ** 40n, epoch: 7, sequence: 123_456, transactional: true });
    stampBaseOffset(bytes, 0, 2n ** 60n);
    stampCrc(bytes, length, crc32c);
    const header = readBatchHeader(bytes, 0, length);
    assert.ok(header !== undefined);
    assert.deepEqual([header.producerId, header.producerEpoch, header.baseSequence, header.transactional], [2n ** 40n, 7, 123_456, true]);
    assert.deepEqual([header.baseOffset, header.lastOffset], [2n ** 60n, 2n ** 60n + 1n]);
    assert.equal(bytes.readUInt32BE(17), kafkajsCrc32c(bytes.subarray(21, length)) >>> 0);
    assert.ok(crcMatches(bytes, header, crc32c));
    bytes[length - 1] = (bytes[length - 1] as number) ^ 1;
    assert.ok(!crcMatches(bytes, header, crc32c));
    stampLogAppendTime(bytes, 42);
    assert.deepEqual(
      [...readRecords(bytes, length, 0n)].map((each) => [each.timestamp, each.timestampType]),
      [
        [42, 'LogAppendTime'],
        [42, 'LogAppendTime'],
      ],
    );
  });

  test('runs: whole batches one after another, a cut one is left out, positions fall in the middle', () => {
    const [first, second] = [writeBatch([record('0'), record('1'), record('2')]), writeBatch([record('3'), record('4')])];
    const run = Buffer.concat([Buffer.from(first.buffer, 0, first.length), Buffer.from(second.buffer, 0, second.length)]);
    stampBaseOffset(run, first.length, 3n);
    const values = (limit: number, position: bigint): string[] =>
      [...readRecords(run, limit, position)].map((each) => `${each.offset}=${each.value?.toString()}`);
    assert.deepEqual(values(run.length, 0n), ['0=0', '1=1', '2=2', '3=3', '4=4']);
    assert.deepEqual(values(run.length, 2n), ['2=2', '3=3', '4=4']);
    assert.deepEqual(values(run.length, 4n), ['4=4']);
    assert.deepEqual(values(run.length, 5n), []);
    for (let cut = 0; cut < second.length; cut++) {
      assert.equal([...batchHeaders(run, first.length + cut)].length, 1, `cut to ${cut} bytes`);
    }
  });

  test('an abandoned record leaves no trace', () => {
    const writer = new BatchWriter(new ArrayBuffer(16));
    const add = (timestamp: number, value: string, keep: boolean): void => {
      writer.beginRecord(timestamp);
      writer.beginKey();
      writer.endKey(false);
      writer.beginValue();
      writer.out.text(value);
      if (!keep) return writer.abandonRecord();
      writer.endValue(true);
      writer.endRecord(encodeHeaders([]));
    };
    add(900, 'dropped', false);
    add(100, 'kept', true);
    add(900, 'dropped '.repeat(1000), false);
    add(200, 'kept too', true);
    const { buffer, length, records } = writer.finish();
    assert.equal(records, 2);
    const read = [...readRecords(Buffer.from(buffer), length, 0n)];
    assert.deepEqual(
      read.map((each) => [each.offset, each.timestamp, each.value?.toString()]),
      [
        [0n, 100, 'kept'],
        [1n, 200, 'kept too'],
      ],
    );
    assert.equal(readBatchHeader(Buffer.from(buffer), 0)?.maxTimestamp, 200);
  });
});
