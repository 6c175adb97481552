import { Writer, crc32c } from '@platformatic/kafka';

/** CRC-32C of bytes where they stand: the client's function copies all but its own kind of buffer. */
export function checksum(bytes: Uint8Array): number {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return crc32c(Writer.create().append(view).dynamicBuffer);
}
