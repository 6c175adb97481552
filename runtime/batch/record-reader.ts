import { bodyOf } from './batch-body.ts';
import { batchHeaders } from './batch-header.ts';
import type { BatchHeader } from './batch-header.ts';
import { VarintReader } from './varint.ts';

export interface RawHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

/** A record as it stands in the log. Keys and values are views of the batch's bytes. */
export interface RawRecord {
  readonly offset: bigint;
  readonly timestamp: number;
  readonly timestampType: 'CreateTime' | 'LogAppendTime';
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RawHeader[];
}

const noRawHeaders: readonly RawHeader[] = Object.freeze([]);

/**
 * The records at or after `position` in a run of whole batches, in order. Control batches are passed over.
 * Throws a RangeError for bytes that are no records.
 */
export function* readRecords(buffer: Buffer, length: number, position: bigint): Generator<RawRecord> {
  for (const header of batchHeaders(buffer, length)) {
    if (header.control || header.lastOffset < position) continue;
    yield* recordsOf(buffer, header, position);
  }
}

function* recordsOf(buffer: Buffer, header: BatchHeader, position: bigint): Generator<RawRecord> {
  const { bytes: body, start, end: limit } = bodyOf(buffer, header);
  const reader = new VarintReader(body, start, limit);
  const { timestampType, baseOffset, baseTimestamp, maxTimestamp } = header;
  const skip = position > baseOffset ? Number(position - baseOffset) : 0;
  for (let i = 0; i < header.records; i++) {
    const bytes = reader.signed();
    const end = bytes + reader.position;
    // The smallest record has six bytes; without the lower bound a crafted length would turn the reader round.
    if (bytes < 6 || end > reader.end) throw new RangeError(`record ${i} of the batch at offset ${baseOffset} is cut short`);
    reader.position++;
    const timestamp = reader.signed() + baseTimestamp;
    const delta = reader.signed();
    if (delta < skip) {
      reader.position = end;
      continue;
    }
    const key = bytesOf(reader, body);
    const value = bytesOf(reader, body);
    const headers = headersOf(reader, body);
    if (reader.position > end) throw new RangeError(`record ${i} of the batch at offset ${baseOffset} reaches beyond its end`);
    yield {
      offset: baseOffset + BigInt(delta),
      timestamp: timestampType === 'CreateTime' ? timestamp : maxTimestamp,
      timestampType,
      key,
      value,
      headers,
    };
    reader.position = end;
  }
}

function bytesOf(reader: VarintReader, body: Buffer): Buffer | null {
  const length = reader.signed();
  if (length < 0) return null;
  const start = reader.position;
  if (start + length > reader.end) throw new RangeError('a key or value reaches beyond its batch');
  reader.position = start + length;
  return body.subarray(start, start + length);
}

function headersOf(reader: VarintReader, body: Buffer): readonly RawHeader[] {
  const count = reader.signed();
  if (count === 0) return noRawHeaders;
  const headers: RawHeader[] = [];
  for (let i = 0; i < count; i++) {
    const key = bytesOf(reader, body)?.toString() ?? '';
    headers.push({ key, value: bytesOf(reader, body) });
  }
  return headers;
}
