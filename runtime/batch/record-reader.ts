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
  const reader = new RecordReader(buffer, length, position);
  for (let record = reader.next(); record !== undefined; record = reader.next()) yield record;
}

/** {@link readRecords}, one at a time. */
export class RecordReader {
  readonly #buffer: Buffer;
  readonly #headers: Iterator<BatchHeader>;
  #position: bigint;
  #batch: OpenBatch | undefined;

  constructor(buffer: Buffer, length: number, position: bigint) {
    this.#buffer = buffer;
    this.#headers = batchHeaders(buffer, length);
    this.#position = position;
  }

  /** Where to read on: below it, all was given out. */
  get position(): bigint {
    return this.#position;
  }

  /** Undefined at the end. */
  next(): RawRecord | undefined {
    for (;;) {
      if (this.#batch === undefined) {
        const { value: header, done } = this.#headers.next();
        if (done === true) return undefined;
        if (header.control || header.lastOffset < this.#position) continue;
        this.#batch = openBatch(this.#buffer, header, this.#position);
      }
      const record = nextOf(this.#batch);
      if (record === undefined) {
        this.#batch = undefined;
        continue;
      }
      this.#position = record.offset + 1n;
      return record;
    }
  }
}

interface OpenBatch {
  readonly header: BatchHeader;
  readonly body: Buffer;
  readonly reader: VarintReader;
  /** Records before this one, counted from the base offset, are passed over. */
  readonly skip: number;
  /** The base offset, where it is small enough to be added to. */
  readonly base: number | undefined;
  read: number;
}

function openBatch(buffer: Buffer, header: BatchHeader, position: bigint): OpenBatch {
  const { bytes: body, start, end } = bodyOf(buffer, header);
  const { baseOffset, lastOffset } = header;
  const skip = position > baseOffset ? Number(position - baseOffset) : 0;
  const base = lastOffset <= Number.MAX_SAFE_INTEGER ? Number(baseOffset) : undefined;
  return { header, body, reader: new VarintReader(body, start, end), skip, base, read: 0 };
}

function nextOf(batch: OpenBatch): RawRecord | undefined {
  const { header, body, reader, skip } = batch;
  const { timestampType, baseOffset, baseTimestamp, maxTimestamp, records } = header;
  while (batch.read < records) {
    const at = batch.read++;
    const bytes = reader.signed();
    const end = bytes + reader.position;
    // The smallest record has six bytes; without the lower bound a crafted length would turn the reader round.
    if (bytes < 6 || end > reader.end) throw new RangeError(`record ${at} of the batch at offset ${baseOffset} is cut short`);
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
    if (reader.position > end) throw new RangeError(`record ${at} of the batch at offset ${baseOffset} reaches beyond its end`);
    reader.position = end;
    return {
      offset: batch.base === undefined ? baseOffset + BigInt(delta) : BigInt(batch.base + delta),
      timestamp: timestampType === 'CreateTime' ? timestamp : maxTimestamp,
      timestampType,
      key,
      value,
      headers,
    };
  }
  return undefined;
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
