import { batchOverheadBytes } from './batch-header.ts';
import type { BatchHeader } from './batch-header.ts';
import { decompress } from './compression.ts';

/** Where the records of a batch stand, uncompressed: between `start` and `end` of `bytes`. */
export interface BatchBody {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Throws a RangeError for what does not decompress. */
export function bodyOf(buffer: Buffer, header: BatchHeader): BatchBody {
  const start = header.start + batchOverheadBytes;
  if (header.codec === 'none') return { bytes: buffer, start, end: header.end };
  let bytes: Buffer;
  try {
    bytes = decompress(header.codec, buffer.subarray(start, header.end));
  } catch (error) {
    throw new RangeError(`the batch at offset ${header.baseOffset} does not decompress as ${header.codec}`, { cause: error });
  }
  return { bytes, start: 0, end: bytes.length };
}
