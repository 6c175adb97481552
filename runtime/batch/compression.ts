import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { batchOverheadBytes, stampCompression } from './batch-header.ts';
import type { CompressionCodec } from './batch-header.ts';

/** The codec's bytes of a batch body, and back. Kafka's forms: snappy in xerial's frames, lz4 frames, zstd frames. */
interface Codec {
  compress(body: Uint8Array): Buffer;
  decompress(body: Uint8Array): Buffer;
}

const codecs: Partial<Record<CompressionCodec, Codec>> = {
  gzip: { compress: (body) => gzipSync(body), decompress: (body) => gunzipSync(body) },
  zstd: { compress: (body) => zstdCompressSync(body), decompress: (body) => zstdDecompressSync(body) },
};

export function decompress(codec: CompressionCodec, body: Uint8Array): Buffer {
  return codecOf(codec).decompress(body);
}

/** Compresses the batch in the first `length` bytes of `buffer`; returns a new batch, or the same one where it would not shrink. */
export function compressBatch(codec: CompressionCodec, buffer: ArrayBuffer, length: number): { buffer: ArrayBuffer; length: number } {
  if (codec === 'none') return { buffer, length };
  const body = codecOf(codec).compress(new Uint8Array(buffer, batchOverheadBytes, length - batchOverheadBytes));
  if (body.length + batchOverheadBytes >= length) return { buffer, length };
  const compressed = Buffer.from(new ArrayBuffer(batchOverheadBytes + body.length));
  compressed.set(new Uint8Array(buffer, 0, batchOverheadBytes));
  compressed.set(body, batchOverheadBytes);
  stampCompression(compressed, codec, compressed.length);
  return { buffer: compressed.buffer, length: compressed.length };
}

function codecOf(codec: CompressionCodec): Codec {
  const found = codecs[codec];
  if (found === undefined) throw new RangeError(`compression "${codec}" is not available`);
  return found;
}
