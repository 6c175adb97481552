/** Records on their way, as batches, and where each of them will stand. */
import { DataError } from '../api/index.ts';
import type { TopicPartition } from '../api/index.ts';
import { BatchWriter, encodeHeaders, mostRecordBytes } from '../batch/batch-writer.ts';
import { compressBatch } from '../batch/compression.ts';
import type { AppendedBatch, OutboundBatch } from '../ports/log.ts';
import type { LetterHeader } from '../ports/dead-letters.ts';

export interface OutgoingRecord extends TopicPartition {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly LetterHeader[];
  readonly timestampMs: number;
}

/** Finds the offset of a record once its batch was appended. */
export type OffsetIn = (appended: readonly AppendedBatch[]) => bigint;

export interface Outgoing {
  readonly bytes: number;
  readonly records: number;
  /** Throws a DataError for a record that is too large for its topic; then nothing was added. */
  add(record: OutgoingRecord, maxBatchBytes: number): OffsetIn;
  /** In the order in which they were begun. The outgoing is done. */
  finish(): readonly OutboundBatch[];
}

const fullBatchBytes = 512 * 1024;

interface Slot extends TopicPartition {
  readonly writer: BatchWriter | undefined;
  readonly finished: OutboundBatch | undefined;
}

export function createOutgoing(): Outgoing {
  const slots: Slot[] = [];
  const open = new Map<string, number>();
  let bytes = 0;
  let records = 0;

  const place = (slot: number, index: number): OffsetIn => {
    return (appended) => (appended[slot] as AppendedBatch).baseOffset + BigInt(index);
  };

  function alone(record: OutgoingRecord, headers: Uint8Array, size: number, maxBatchBytes: number): OffsetIn {
    const writer = new BatchWriter(new ArrayBuffer(size));
    writer.add(record.timestampMs, record.key, record.value, headers);
    let batch = writer.finish();
    if (batch.length > maxBatchBytes) {
      const compressed = compressBatch('gzip', batch.buffer, batch.length);
      if (compressed.length > maxBatchBytes) {
        throw new DataError(
          `the record has ${batch.length} bytes, more than the ${maxBatchBytes} that topic "${record.topic}" takes, compressed as well.`,
          { hint: `Raise max.message.bytes of topic "${record.topic}".` },
        );
      }
      batch = { ...compressed, records: 1 };
    }
    // What comes after it must not stand before it.
    open.delete(nameOf(record));
    const { topic, partition } = record;
    bytes += batch.length;
    records++;
    return place(slots.push({ topic, partition, writer: undefined, finished: { topic, partition, ...batch } }) - 1, 0);
  }

  return {
    get bytes() {
      return bytes;
    },
    get records() {
      return records;
    },
    add(record, maxBatchBytes) {
      const headers = encodeHeaders(record.headers);
      const size = mostRecordBytes(record.key, record.value, headers);
      const bound = Math.min(fullBatchBytes, maxBatchBytes);
      if (size > bound) return alone(record, headers, size, maxBatchBytes);
      const name = nameOf(record);
      let slot = open.get(name);
      let writer = slot === undefined ? undefined : slots[slot]?.writer;
      if (slot === undefined || writer === undefined || writer.length + size > bound) {
        const { topic, partition } = record;
        writer = new BatchWriter(new ArrayBuffer(Math.max(size, 4096)));
        slot = slots.push({ topic, partition, writer, finished: undefined }) - 1;
        open.set(name, slot);
      }
      const index = writer.records;
      writer.add(record.timestampMs, record.key, record.value, headers);
      bytes += size;
      records++;
      return place(slot, index);
    },
    finish() {
      open.clear();
      return slots.map(({ topic, partition, writer, finished }) => {
        return finished ?? { topic, partition, ...(writer as BatchWriter).finish() };
      });
    },
  };
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${partition}/${topic}`;
