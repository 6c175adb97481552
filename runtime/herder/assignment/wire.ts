/** Kafka's primitive types, big-endian, as its old request schemas write them. Source: org.apache.kafka.common.protocol.types. */
import { ConnectError } from '../../api/index.ts';

const longestText = 0x7fff;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Collects fields; `end` gives the bytes. A value that its field cannot hold throws a ConnectError. */
export interface WireWriter {
  int16(value: number): void;
  int32(value: number): void;
  /** Only integers that a JavaScript number holds exactly. */
  int64(value: number, field: string): void;
  /** int16 length, UTF-8. */
  string(value: string, field: string): void;
  /** int32 length, -1 for null. */
  nullableBytes(value: Buffer | null): void;
  end(): Buffer;
}

export function wireWriter(): WireWriter {
  const parts: Buffer[] = [];
  const push = (size: number, write: (buffer: Buffer) => void): void => {
    const buffer = Buffer.allocUnsafe(size);
    write(buffer);
    parts.push(buffer);
  };
  const int32 = (value: number): void => push(4, (buffer) => buffer.writeInt32BE(value));
  return {
    int16: (value) => push(2, (buffer) => buffer.writeInt16BE(value)),
    int32,
    int64(value, field) {
      if (!Number.isSafeInteger(value)) throw new ConnectError(`Group protocol: ${field} cannot be written: ${value} is no safe integer.`);
      push(8, (buffer) => buffer.writeBigInt64BE(BigInt(value)));
    },
    string(value, field) {
      const bytes = Buffer.from(value);
      if (bytes.length > longestText) {
        throw new ConnectError(`Group protocol: ${field} cannot be written: ${bytes.length} bytes, at most ${longestText} fit.`);
      }
      push(2, (buffer) => buffer.writeInt16BE(bytes.length));
      parts.push(bytes);
    },
    nullableBytes(value) {
      int32(value === null ? -1 : value.length);
      if (value !== null) parts.push(value);
    },
    end: () => Buffer.concat(parts),
  };
}

/** Reads fields in order. What is cut short or out of range throws a ConnectError that names the field and the position. */
export interface WireReader {
  /** Nothing is left: fields of later versions are not there. */
  atEnd(): boolean;
  int16(field: string): number;
  int32(field: string): number;
  int64(field: string): number;
  string(field: string): string;
  nullableBytes(field: string): Buffer | null;
  /** The count of an array; -1 for null. */
  count(field: string): number;
  fail(field: string, found: string): never;
}

/** `what` names the bytes in errors. */
export function wireReader(bytes: Buffer, what: string): WireReader {
  let at = 0;
  function fail(field: string, found: string): never {
    throw new ConnectError(`Group protocol: ${what} cannot be read: ${field} at byte ${at} of ${bytes.length}: ${found}.`);
  }
  function take(size: number, field: string): number {
    if (at + size > bytes.length) fail(field, `${size} bytes needed, ${bytes.length - at} left`);
    at += size;
    return at - size;
  }
  const int16 = (field: string): number => bytes.readInt16BE(take(2, field));
  const int32 = (field: string): number => bytes.readInt32BE(take(4, field));
  return {
    atEnd: () => at >= bytes.length,
    int16,
    int32,
    int64(field) {
      const value = bytes.readBigInt64BE(take(8, field));
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : fail(field, `${value} is beyond what a JavaScript number holds exactly`);
    },
    string(field) {
      const length = int16(field);
      if (length < 0) fail(field, `a length of ${length}`);
      const start = take(length, field);
      try {
        return utf8.decode(bytes.subarray(start, start + length));
      } catch {
        return fail(field, 'not UTF-8');
      }
    },
    nullableBytes(field) {
      const length = int32(field);
      if (length < -1) fail(field, `a length of ${length}`);
      if (length === -1) return null;
      const start = take(length, field);
      return bytes.subarray(start, start + length);
    },
    count(field) {
      const count = int32(field);
      // Every element takes four bytes or more: a count that cannot be must not make us reserve room for it.
      if (count < -1 || count * 4 > bytes.length - at) fail(field, `a count of ${count}`);
      return count;
    },
    fail,
  };
}
