import { ByteSink } from '../api/index.ts';
import { batchOverheadBytes, writeBatchHeader } from './batch-header.ts';
import { varintSize, writeVarint, zigzagVarint } from './varint.ts';

/** A finished batch: its first `length` bytes of `buffer`. */
export interface WrittenBatch {
  readonly buffer: ArrayBuffer;
  readonly length: number;
  readonly records: number;
}

/** Which length a varint slot is kept for; the last one's width is the guess for the next. */
const slots = { record: 0, key: 1, value: 2 } as const;

/**
 * Encodes records into one batch, in one pass. Lengths stand before what they measure, so their width is guessed
 * from the record before; when the guess is wrong the bytes move by one. A record:
 *
 *     beginRecord(timestamp); beginKey(); …write to `out`…; endKey(true);
 *     beginValue(); …write to `out`…; endValue(true); endRecord(headers)
 */
export class BatchWriter {
  /** Serialisers write keys and values here. */
  readonly out: ByteSink;
  records = 0;
  #baseTimestamp = 0;
  #maxTimestamp = 0;
  #timestamp = 0;
  readonly #widths = [1, 1, 2];
  #recordAt = 0;
  #fieldAt = 0;

  constructor(buffer: ArrayBuffer) {
    this.out = new ByteSink(buffer);
    this.out.ensure(batchOverheadBytes);
    this.out.position = batchOverheadBytes;
  }

  /** Bytes that the batch has so far. */
  get length(): number {
    return this.out.position;
  }

  /** Starts a record; `timestamp` in milliseconds since 1970. */
  beginRecord(timestamp: number): void {
    const { out } = this;
    if (this.records === 0) {
      this.#baseTimestamp = timestamp;
      this.#maxTimestamp = timestamp;
    }
    this.#timestamp = timestamp;
    this.#recordAt = out.position;
    out.ensure(32);
    out.position += this.#widths[slots.record] as number;
    out.bytes[out.position++] = 0;
    writeVarint(out, zigzagVarint(timestamp - this.#baseTimestamp));
    writeVarint(out, this.records * 2);
  }

  beginKey(): void {
    this.#begin(slots.key);
  }

  /** `present` false: a null key, and nothing was written. */
  endKey(present: boolean): void {
    this.#end(slots.key, present);
  }

  beginValue(): void {
    this.#begin(slots.value);
  }

  endValue(present: boolean): void {
    this.#end(slots.value, present);
  }

  /** Ends the record; `headers` are encoded by {@link encodeHeaders}, their count included. */
  endRecord(headers: Uint8Array): void {
    this.out.copy(headers);
    this.#patch(slots.record, this.#recordAt);
    if (this.#timestamp > this.#maxTimestamp) this.#maxTimestamp = this.#timestamp;
    this.records++;
  }

  /** A whole record. */
  add(timestamp: number, key: Uint8Array | null, value: Uint8Array | null, headers: Uint8Array): void {
    this.beginRecord(timestamp);
    this.beginKey();
    if (key !== null) this.out.copy(key);
    this.endKey(key !== null);
    this.beginValue();
    if (value !== null) this.out.copy(value);
    this.endValue(value !== null);
    this.endRecord(headers);
  }

  /** Takes back the record that was begun; the batch is as it was before. */
  abandonRecord(): void {
    this.out.position = this.#recordAt;
  }

  /** Writes the header. The writer is done; the buffer is the caller's. */
  finish(): WrittenBatch {
    const { bytes, position } = this.out;
    const buffer = bytes.buffer;
    writeBatchHeader(Buffer.from(buffer), {
      length: position,
      records: this.records,
      baseTimestamp: this.#baseTimestamp,
      maxTimestamp: this.#maxTimestamp,
    });
    return { buffer, length: position, records: this.records };
  }

  #begin(slot: number): void {
    const { out } = this;
    this.#fieldAt = out.position;
    out.ensure(8);
    out.position += this.#widths[slot] as number;
  }

  #end(slot: number, present: boolean): void {
    const { out } = this;
    if (present) return this.#patch(slot, this.#fieldAt);
    out.position = this.#fieldAt;
    out.byte(1);
  }

  /** Writes the length of what follows the slot at `start` into it, moving the bytes when the width was guessed wrong. */
  #patch(slot: number, start: number): void {
    const { out } = this;
    const guessed = this.#widths[slot] as number;
    const length = out.position - start - guessed;
    const width = varintSize(length * 2);
    if (width !== guessed) {
      out.ensure(8);
      out.bytes.copyWithin(start + width, start + guessed, out.position);
      this.#widths[slot] = width;
    }
    out.position = start;
    writeVarint(out, length * 2);
    out.position = start + width + length;
  }
}

/** The most that a record {@link BatchWriter.add}ed takes, and the header of its batch. */
export function mostRecordBytes(key: Uint8Array | null, value: Uint8Array | null, headers: Uint8Array): number {
  return (key?.length ?? 0) + (value?.length ?? 0) + headers.length + 128;
}

/** Encodes headers for {@link BatchWriter.endRecord}: done once for each distinct list. */
export function encodeHeaders(headers: readonly { readonly key: string; readonly value: Uint8Array | null }[]): Uint8Array {
  const out = new ByteSink(64);
  out.ensure(8);
  writeVarint(out, headers.length * 2);
  for (const { key, value } of headers) {
    const name = Buffer.from(key);
    out.ensure(name.length + 16);
    writeVarint(out, name.length * 2);
    out.copy(name);
    out.ensure(8);
    if (value === null) writeVarint(out, 1);
    else {
      writeVarint(out, value.length * 2);
      out.copy(value);
    }
  }
  return out.written();
}
