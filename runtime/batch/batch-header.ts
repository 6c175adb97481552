/**
 * The header of a record batch, magic 2, as Kafka stores and sends it (KIP-98;
 * org.apache.kafka.common.record.DefaultRecordBatch). All functions work on bytes in place.
 */
export const batchOverheadBytes = 61;
/** Bytes before `batchLength` counts. */
export const logOverheadBytes = 12;

const at = {
  baseOffset: 0,
  batchLength: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  records: 57,
} as const;

export const compressionCodecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type CompressionCodec = (typeof compressionCodecs)[number];

export interface BatchHeader {
  /** Where the batch starts in the buffer, and where the next one does. */
  readonly start: number;
  readonly end: number;
  readonly baseOffset: bigint;
  readonly lastOffset: bigint;
  readonly leaderEpoch: number;
  readonly codec: CompressionCodec;
  readonly timestampType: 'CreateTime' | 'LogAppendTime';
  readonly transactional: boolean;
  readonly control: boolean;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly records: number;
}

/** The batch that starts at `start`, or undefined when it is not there to its end. Throws a RangeError for what is no batch of magic 2. */
export function readBatchHeader(buffer: Buffer, start: number, limit: number = buffer.length): BatchHeader | undefined {
  if (start + logOverheadBytes > limit) return undefined;
  const end = start + logOverheadBytes + buffer.readInt32BE(start + at.batchLength);
  if (start + at.magic < limit && buffer[start + at.magic] !== 2) {
    throw new RangeError(`record batch at byte ${start}: magic ${buffer[start + at.magic]}, expected 2`);
  }
  if (end > limit) return undefined;
  if (end < start + batchOverheadBytes) throw new RangeError(`record batch at byte ${start}: length ${end - start} is too small`);
  const baseOffset = buffer.readBigInt64BE(start + at.baseOffset);
  const attributes = buffer.readInt16BE(start + at.attributes);
  const codec = compressionCodecs[attributes & 7];
  if (codec === undefined) throw new RangeError(`record batch at offset ${baseOffset}: unknown compression ${attributes & 7}`);
  return {
    start,
    end,
    baseOffset,
    lastOffset: baseOffset + BigInt(buffer.readInt32BE(start + at.lastOffsetDelta)),
    leaderEpoch: buffer.readInt32BE(start + at.partitionLeaderEpoch),
    codec,
    timestampType: (attributes & 8) === 0 ? 'CreateTime' : 'LogAppendTime',
    transactional: (attributes & 16) !== 0,
    control: (attributes & 32) !== 0,
    baseTimestamp: Number(buffer.readBigInt64BE(start + at.baseTimestamp)),
    maxTimestamp: Number(buffer.readBigInt64BE(start + at.maxTimestamp)),
    producerId: buffer.readBigInt64BE(start + at.producerId),
    producerEpoch: buffer.readInt16BE(start + at.producerEpoch),
    baseSequence: buffer.readInt32BE(start + at.baseSequence),
    records: buffer.readInt32BE(start + at.records),
  };
}

/** The whole batches in a run of bytes; a cut one at the end is left out. */
export function* batchHeaders(buffer: Buffer, limit: number = buffer.length): Generator<BatchHeader> {
  for (let start = 0; ;) {
    const header = readBatchHeader(buffer, start, limit);
    if (header === undefined) return;
    yield header;
    start = header.end;
  }
}

/** Writes a header for a batch from no particular producer, uncompressed; {@link stampProducer} and {@link stampCrc} follow. */
export function writeBatchHeader(
  buffer: Buffer,
  header: { length: number; records: number; baseTimestamp: number; maxTimestamp: number },
): void {
  buffer.writeBigInt64BE(0n, at.baseOffset);
  buffer.writeInt32BE(header.length - logOverheadBytes, at.batchLength);
  buffer.writeInt32BE(-1, at.partitionLeaderEpoch);
  buffer[at.magic] = 2;
  buffer.writeUInt32BE(0, at.crc);
  buffer.writeInt16BE(0, at.attributes);
  buffer.writeInt32BE(header.records - 1, at.lastOffsetDelta);
  buffer.writeBigInt64BE(BigInt(header.baseTimestamp), at.baseTimestamp);
  buffer.writeBigInt64BE(BigInt(header.maxTimestamp), at.maxTimestamp);
  buffer.writeBigInt64BE(-1n, at.producerId);
  buffer.writeInt16BE(-1, at.producerEpoch);
  buffer.writeInt32BE(-1, at.baseSequence);
  buffer.writeInt32BE(header.records, at.records);
}

export function stampBaseOffset(buffer: Buffer, start: number, baseOffset: bigint): void {
  buffer.writeBigInt64BE(baseOffset, start + at.baseOffset);
}

export function stampProducer(buffer: Buffer, producer: { id: bigint; epoch: number; sequence: number; transactional: boolean }): void {
  buffer.writeBigInt64BE(producer.id, at.producerId);
  buffer.writeInt16BE(producer.epoch, at.producerEpoch);
  buffer.writeInt32BE(producer.sequence, at.baseSequence);
  const attributes = buffer.readInt16BE(at.attributes);
  buffer.writeInt16BE(producer.transactional ? attributes | 16 : attributes & ~16, at.attributes);
}

/** All records of the batch at byte 0 now count as appended at this time (topic config `message.timestamp.type`). */
export function stampLogAppendTime(buffer: Buffer, timestampMs: number): void {
  buffer.writeInt16BE(buffer.readInt16BE(at.attributes) | 8, at.attributes);
  buffer.writeBigInt64BE(BigInt(timestampMs), at.maxTimestamp);
}

/** Says how the records of the batch at byte 0 are compressed, and how long it is now. */
export function stampCompression(buffer: Buffer, codec: CompressionCodec, length: number): void {
  buffer.writeInt32BE(length - logOverheadBytes, at.batchLength);
  buffer.writeInt16BE((buffer.readInt16BE(at.attributes) & ~7) | compressionCodecs.indexOf(codec), at.attributes);
}

/** Says that the batch at byte 0 now has these records, uncompressed, out of the ones that it had; its offsets stay. */
export function stampRecordCount(buffer: Buffer, length: number, records: number): void {
  buffer.writeInt32BE(length - logOverheadBytes, at.batchLength);
  buffer.writeInt16BE(buffer.readInt16BE(at.attributes) & ~7, at.attributes);
  buffer.writeInt32BE(records, at.records);
}

/** The last stamp: CRC-32C over everything from the attributes on. `crc32c` is the caller's implementation. */
export function stampCrc(buffer: Buffer, length: number, crc32c: (bytes: Uint8Array) => number): void {
  buffer.writeUInt32BE(crc32c(buffer.subarray(at.attributes, length)) >>> 0, at.crc);
}

export function crcMatches(buffer: Buffer, header: BatchHeader, crc32c: (bytes: Uint8Array) => number): boolean {
  const computed = crc32c(buffer.subarray(header.start + at.attributes, header.end)) >>> 0;
  return computed === buffer.readUInt32BE(header.start + at.crc);
}
