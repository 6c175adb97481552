import { Writer } from '@platformatic/kafka';
import type { Reader } from '@platformatic/kafka';

/**
 * Fetch, versions 12 and 13, which brokers from 3.5 to 4.x take: the last that names topics, and the first that goes by
 * their ids (KIP-516), so that a topic that was made anew is never read at the offsets of the one before it.
 */
export const fetchApis = { byName: { key: 1, version: 12 }, byId: { key: 1, version: 13 } } as const;

export interface FetchPart {
  readonly topic: string;
  /** Undefined where the brokers have none: then all of the question goes by names. */
  readonly topicId: string | undefined;
  readonly partition: number;
  readonly offset: bigint;
  readonly maxBytes: number;
}

export interface FetchQuestion {
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly readCommitted: boolean;
  readonly rackId: string;
  readonly parts: readonly FetchPart[];
}

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

export interface FetchResult {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: bigint;
  readonly logStartOffset: bigint;
  readonly aborted: readonly AbortedTransaction[];
  /** Record batches at the front of memory of their own; the last may be cut short. */
  readonly records: Buffer<ArrayBuffer>;
}

export function goesById({ parts }: FetchQuestion): boolean {
  return parts.every(({ topicId }) => topicId !== undefined);
}

const noRecords = Buffer.alloc(0);

/**
 *     replica_id: int32, max_wait_ms: int32, min_bytes: int32, max_bytes: int32, isolation_level: int8,
 *     session_id: int32, session_epoch: int32, [topic: string or uuid, [partition: int32, current_leader_epoch: int32, fetch_offset: int64,
 *     last_fetched_epoch: int32, log_start_offset: int64, partition_max_bytes: int32, tags], tags], [forgotten], rack_id, tags
 */
export function writeFetch(question: FetchQuestion): Writer {
  const byId = goesById(question);
  const topics = Map.groupBy(question.parts, ({ topic, topicId }) => (byId ? (topicId as string) : topic));
  return Writer.create()
    .appendInt32(-1)
    .appendInt32(question.maxWaitMs)
    .appendInt32(question.minBytes)
    .appendInt32(question.maxBytes)
    .appendInt8(question.readCommitted ? 1 : 0)
    .appendInt32(0)
    .appendInt32(-1)
    .appendArray([...topics], (writer, [topic, parts]) => {
      const named = byId ? writer.appendUUID(topic) : writer.appendString(topic);
      named.appendArray(parts, (inner, part) => {
        inner
          .appendInt32(part.partition)
          .appendInt32(-1)
          .appendInt64(part.offset)
          .appendInt32(-1)
          .appendInt64(-1n)
          .appendInt32(part.maxBytes);
      });
    })
    .appendArray([], () => {})
    .appendString(question.rackId)
    .appendTaggedFields();
}

/**
 *     throttle_time_ms: int32, error_code: int16, session_id: int32, [topic: string or uuid, [partition: int32, error_code: int16,
 *     high_watermark: int64, last_stable_offset: int64, log_start_offset: int64, [producer_id: int64, first_offset: int64, tags],
 *     preferred_read_replica: int32, records: compact bytes, tags], tags], tags
 */
export function readFetch(reader: Reader, question: FetchQuestion): { errorCode: number; results: FetchResult[] } {
  const names = goesById(question) ? new Map(question.parts.map(({ topic, topicId }) => [topicId, topic])) : undefined;
  reader.skip(4);
  const errorCode = reader.readInt16();
  reader.skip(4);
  const results: Omit<FetchResult, 'records'>[] = [];
  const parts: (readonly Buffer[])[] = [];
  reader.readArray((topics) => {
    const topic = names === undefined ? topics.readString() : (names.get(topics.readUUID()) ?? '');
    topics.readArray((partitions) => {
      const partition = partitions.readInt32();
      const partitionError = partitions.readInt16();
      const highWatermark = partitions.readInt64();
      partitions.skip(8);
      const logStartOffset = partitions.readInt64();
      const aborted = partitions.readArray((inner) => ({ producerId: inner.readInt64(), firstOffset: inner.readInt64() }));
      partitions.skip(4);
      const pieces = piecesOf(partitions, partitions.readUnsignedVarInt() - 1);
      parts.push(pieces);
      results.push({ topic, partition, errorCode: partitionError, highWatermark, logStartOffset, aborted });
    });
  });
  const records = ownBytes(parts);
  return { errorCode, results: results.map((result, at) => ({ ...result, records: records[at] ?? noRecords })) };
}

/** Bytes of the answer, where they stand. */
function piecesOf(reader: Reader, length: number): readonly Buffer[] {
  if (length <= 0) return [];
  const pieces = reader.buffer.subarray(reader.position, reader.position + length).buffers;
  reader.skip(length);
  return pieces;
}

/** Smaller memory may be Node's, which others have their bytes in. */
const ownMemoryBytes = 64 * 1024;

/**
 * The parts in memory that can be handed to another thread. They are copied, but for one that is most of the answer:
 * that one is moved to the front of the answer's memory, which costs no fresh pages.
 */
function ownBytes(parts: readonly (readonly Buffer[])[]): Buffer<ArrayBuffer>[] {
  const most = parts.findIndex(isMostOfItsMemory);
  const owned = parts.map((pieces, at) => (at === most || pieces.length === 0 ? noRecords : copied(pieces)));
  const [piece] = parts[most] ?? [];
  if (piece !== undefined) owned[most] = movedToFront(piece as Buffer<ArrayBuffer>);
  return owned;
}

function isMostOfItsMemory([piece, more]: readonly Buffer[]): boolean {
  if (piece === undefined || more !== undefined || piece.length < ownMemoryBytes) return false;
  return piece.buffer instanceof ArrayBuffer && piece.length > piece.buffer.byteLength / 2;
}

function movedToFront({ buffer, byteOffset, length }: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
  return Buffer.from(buffer)
    .copyWithin(0, byteOffset, byteOffset + length)
    .subarray(0, length);
}

function copied(pieces: readonly Buffer[]): Buffer<ArrayBuffer> {
  const bytes = Buffer.allocUnsafeSlow(pieces.reduce((sum, { length }) => sum + length, 0)) as Buffer<ArrayBuffer>;
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
