import { Writer } from '@platformatic/kafka';
import type { Reader } from '@platformatic/kafka';

/** Produce, version 9: the newest that brokers from 3.5 to 4.x all take. */
export const produceApi = { key: 0, version: 9 } as const;

export interface ProducePart {
  readonly topic: string;
  readonly partition: number;
  /** One record batch. */
  readonly bytes: Buffer;
}

export interface ProduceResult {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly baseOffset: bigint;
}

/** Bytes of a request beside its batches, at most. */
export function overheadBytes(topic: string): number {
  return Buffer.byteLength(topic) + 32;
}

/**
 *     transactional_id: compact nullable string, acks: int16, timeout_ms: int32,
 *     [name: compact string, [index: int32, records: compact bytes, tags], tags], tags
 */
export function writeProduce(parts: readonly ProducePart[], transactionalId: string | null, timeoutMs: number): Writer {
  const topics = Map.groupBy(parts, ({ topic }) => topic);
  return Writer.create()
    .appendString(transactionalId)
    .appendInt16(-1)
    .appendInt32(timeoutMs)
    .appendArray([...topics], (writer, [topic, partitions]) => {
      writer.appendString(topic).appendArray(partitions, (inner, { partition, bytes }) => {
        inner
          .appendInt32(partition)
          .appendUnsignedVarInt(bytes.length + 1)
          .append(bytes);
      });
    })
    .appendTaggedFields();
}

/**
 *     [name, [index: int32, error_code: int16, base_offset: int64, log_append_time_ms: int64, log_start_offset: int64,
 *     [batch_index: int32, message: compact nullable string, tags], error_message, tags], tags], throttle_time_ms: int32, tags
 */
export function readProduce(reader: Reader): ProduceResult[] {
  const results: ProduceResult[] = [];
  reader.readArray((topics) => {
    const topic = topics.readString();
    topics.readArray((partitions) => {
      const partition = partitions.readInt32();
      const errorCode = partitions.readInt16();
      const baseOffset = partitions.readInt64();
      partitions.skip(16);
      const recordErrors = partitions.readArray((errors) => {
        errors.skip(4);
        return errors.readNullableString();
      });
      const errorMessage = partitions.readNullableString() ?? recordErrors.find((message) => message !== null) ?? null;
      results.push({ topic, partition, errorCode, errorMessage, baseOffset });
    });
  });
  return results;
}
