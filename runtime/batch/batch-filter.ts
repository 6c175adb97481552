import { bodyOf } from './batch-body.ts';
import { batchOverheadBytes, stampRecordCount } from './batch-header.ts';
import type { BatchHeader } from './batch-header.ts';
import { compressBatch } from './compression.ts';
import { VarintReader } from './varint.ts';

/** What compaction asks a record for. */
export interface RecordSketch {
  readonly offset: bigint;
  /** A view of the batch's bytes; null: no key. */
  readonly key: Buffer | null;
  /** The value is null: it deletes its key. */
  readonly tombstone: boolean;
}

/** The records of one batch, without their values. Throws a RangeError for bytes that are no records. */
export function* sketchRecords(
  buffer: Buffer,
  header: BatchHeader,
): Generator<RecordSketch & { readonly start: number; readonly end: number; readonly body: Buffer }> {
  const { bytes: body, start: first, end: limit } = bodyOf(buffer, header);
  const reader = new VarintReader(body, first, limit);
  for (let i = 0; i < header.records; i++) {
    const start = reader.position;
    const length = reader.signed();
    const end = reader.position + length;
    if (length < 6 || end > reader.end) throw new RangeError(`record ${i} of the batch at offset ${header.baseOffset} is cut short`);
    reader.position++;
    reader.signed();
    const offset = header.baseOffset + BigInt(reader.signed());
    const keyLength = reader.signed();
    const keyAt = reader.position;
    if (keyLength > 0) reader.position += keyLength;
    const tombstone = reader.signed() < 0;
    if (reader.position > end) throw new RangeError(`record ${i} of the batch at offset ${header.baseOffset} reaches beyond its end`);
    yield { offset, key: keyLength < 0 ? null : body.subarray(keyAt, keyAt + keyLength), tombstone, start, end, body };
    reader.position = end;
  }
}

export interface FilteredBatch {
  readonly kept: number;
  /** Among the kept ones there are tombstones. */
  readonly tombstones: boolean;
  /** The batch with the kept records, at the same offsets, its CRC not stamped; undefined where it is as it was, or empty. */
  readonly batch: Buffer | undefined;
}

/** Leaves out records of the one batch in `buffer`, as Kafka's log cleaner does: offsets stay, with holes. */
export function filterBatch(buffer: Buffer, header: BatchHeader, keep: (record: RecordSketch) => boolean): FilteredBatch {
  const ranges: Buffer[] = [];
  let tombstones = false;
  for (const record of sketchRecords(buffer, header)) {
    if (!keep(record)) continue;
    ranges.push(record.body.subarray(record.start, record.end));
    tombstones ||= record.tombstone;
  }
  const kept = ranges.length;
  if (kept === header.records || kept === 0) return { kept, tombstones, batch: undefined };
  const length = batchOverheadBytes + ranges.reduce((sum, range) => sum + range.length, 0);
  const batch = Buffer.from(new ArrayBuffer(length));
  buffer.copy(batch, 0, header.start, header.start + batchOverheadBytes);
  let at = batchOverheadBytes;
  for (const range of ranges) at += range.copy(batch, at);
  stampRecordCount(batch, length, kept);
  const packed = compressBatch(header.codec, batch.buffer, length);
  return { kept, tombstones, batch: Buffer.from(packed.buffer, 0, packed.length) };
}
