import { createRequire } from 'node:module';
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type * as WasmUtils from '@platformatic/wasm-utils';
import { batchOverheadBytes, stampCompression } from './batch-header.ts';
import type { CompressionCodec } from './batch-header.ts';

/** The codec's bytes of a batch body, and back. Kafka's forms: snappy in xerial's frames, lz4 frames, zstd frames. */
interface Codec {
  compress(body: Uint8Array): Buffer;
  decompress(body: Uint8Array): Buffer;
}

const codecs: Partial<Record<CompressionCodec, Codec>> = {
  gzip: { compress: (body) => gzipSync(body), decompress: (body) => gunzipSync(body) },
  snappy: { compress: snappyFrames, decompress: fromSnappy },
  lz4: { compress: (body) => wasm().lz4Compress(asBuffer(body)), decompress: (body) => wasm().lz4Decompress(asBuffer(body)) },
  zstd: { compress: (body) => zstdCompressSync(body), decompress: (body) => zstdDecompressSync(body) },
};

type Wasm = typeof WasmUtils;
let loadedWasm: Wasm | undefined;

/** Snappy and lz4, as the Kafka client uses them; loaded by the first batch that needs them. */
function wasm(): Wasm {
  return (loadedWasm ??= createRequire(import.meta.url)('@platformatic/wasm-utils') as Wasm);
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** How snappy-java's streams begin (xerial): a magic, the version and the least version that can read it. */
const xerialHeader = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
const xerialMagicBytes = 8;
const xerialBlockBytes = 32 * 1024;

/** Blocks of 32 kB, each with its compressed length before it, as Kafka's JVM client writes them. */
function snappyFrames(body: Uint8Array): Buffer {
  const parts: Buffer[] = [xerialHeader];
  for (let start = 0; start < body.length; start += xerialBlockBytes) {
    const block = wasm().snappyCompress(asBuffer(body).subarray(start, start + xerialBlockBytes));
    const length = Buffer.alloc(4);
    length.writeInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

/** In xerial's frames (JVM clients), or one plain block (librdkafka). */
function fromSnappy(body: Uint8Array): Buffer {
  const bytes = asBuffer(body);
  if (!bytes.subarray(0, xerialMagicBytes).equals(xerialHeader.subarray(0, xerialMagicBytes))) return wasm().snappyDecompress(bytes);
  const blocks: Buffer[] = [];
  for (let at = xerialHeader.length; at + 4 <= bytes.length;) {
    const end = at + 4 + bytes.readInt32BE(at);
    if (end > bytes.length) throw new RangeError('a snappy frame is cut short');
    blocks.push(wasm().snappyDecompress(bytes.subarray(at + 4, end)));
    at = end;
  }
  return Buffer.concat(blocks);
}

/** Throws a RangeError for bytes that the codec did not write. */
export function decompress(codec: CompressionCodec, body: Uint8Array): Buffer {
  try {
    return codecOf(codec).decompress(body);
  } catch (cause) {
    throw new RangeError(`${body.length} bytes cannot be decompressed with ${codec}: ${(cause as Error).message}`, { cause });
  }
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
