/**
 * Compressed files, from blocks whose sizes follow from the records: a file's bytes do not depend on how its records
 * came. A gzip file costs no more while it is open than the bytes that wait in it. A zstd file beyond its first block
 * keeps a compressor of a few megabytes, which only a few files have at once; the others are compressed at their ends.
 */
import { promisify } from 'node:util';
import { finished } from 'node:stream/promises';
import { constants, crc32, createZstdCompress, deflateRaw } from 'node:zlib';
import type { ZstdCompress } from 'node:zlib';
import type { FileEncoder, FileFormat } from './file-format.ts';

export type Compression = 'none' | 'gzip' | 'zstd';

const deflate = promisify(deflateRaw);

/** Well above deflate's window of 32 KiB. */
const gzipBlockBytes = 1 << 20;
/** A file below this is compressed at its end. */
const zstdBlockBytes = 4 << 20;
/** Files of a format that keep a compressor while they are open. */
const mostCompressors = 8;

/** The format, its files compressed. `level` -1 is the codec's usual one. */
export function compressed(format: FileFormat, compression: Compression, level: number): FileFormat {
  if (compression === 'none') return format;
  const extension = `${format.extension}${compression === 'gzip' ? '.gz' : '.zst'}`;
  const compressors = { left: mostCompressors };
  return {
    ...format,
    extension,
    open: (schema, name) => {
      const lines = format.open(schema, name);
      return compression === 'gzip' ? { ...lines, ...gzipFile(level) } : { ...lines, ...zstdFile(level, compressors) };
    },
  };
}

// No name, no time, no system: the same records make the same bytes (RFC 1952).
const gzipHeader = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);
/** A last deflate block with nothing in it. */
const emptyBlock = [3, 0];

/** One gzip member, its deflate blocks made apart and flushed to whole bytes, as pigz does. */
function gzipFile(level: number): Omit<FileEncoder, 'encode'> {
  let sum = 0;
  let length = 0;
  return {
    blockBytes: gzipBlockBytes,
    header: gzipHeader,
    block(raw) {
      sum = crc32(raw, sum);
      length += raw.length;
      return deflate(raw, { level, finishFlush: constants.Z_SYNC_FLUSH });
    },
    end() {
      const end = Buffer.alloc(emptyBlock.length + 8);
      end.set(emptyBlock);
      end.writeUInt32LE(sum >>> 0, emptyBlock.length);
      end.writeUInt32LE(length % 2 ** 32, emptyBlock.length + 4);
      return end;
    },
  };
}

/**
 * One frame: readers that stop after the first one, and say nothing, are common. A small file is compressed at its
 * end; a larger one keeps its compressor.
 */
function zstdFile(level: number, compressors: { left: number }): Omit<FileEncoder, 'encode'> {
  const params = {
    [constants.ZSTD_c_checksumFlag]: 1,
    ...(level < 0 ? {} : { [constants.ZSTD_c_compressionLevel]: level }),
  };
  const out: Buffer[] = [];
  let stream: ZstdCompress | undefined;
  let counted = false;
  const opened = (): ZstdCompress => createZstdCompress({ params }).on('data', (bytes: Buffer) => out.push(bytes));
  const taken = (): Buffer => Buffer.concat(out.splice(0));
  return {
    blockBytes: zstdBlockBytes,
    mayStart() {
      counted = compressors.left > 0;
      if (counted) compressors.left--;
      return counted;
    },
    async block(raw) {
      await write((stream ??= opened()), raw);
      return taken();
    },
    async end() {
      const last = (stream ??= opened());
      last.end();
      await finished(last);
      return taken();
    },
    close() {
      stream?.destroy();
      if (counted) compressors.left++;
      counted = false;
    },
  };
}

function write(stream: ZstdCompress, raw: Uint8Array): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  stream.write(raw, (error) => (error ? reject(error) : resolve()));
  return promise;
}
