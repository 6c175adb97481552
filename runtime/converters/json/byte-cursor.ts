/** Reads JSON's scalars from bytes where they are written plainly; leaves all else to the parser that reads anything. */
import { isUtf8 } from 'node:buffer';

/** What a reader returns that could not make sense of what it found; the parser will, or knows what to say. */
export const unread: unique symbol = Symbol('unread');
export type Unread = typeof unread;

export interface ByteCursor {
  readonly bytes: Buffer;
  readonly end: number;
  at: number;
}

const quote = 0x22;
const plus = 0x2b;
const minus = 0x2d;
const dot = 0x2e;
const zero = 0x30;
const backslash = 0x5c;

/** Whether these bytes come next; then it stands behind them. */
export function takes(cursor: ByteCursor, expected: Uint8Array, length: number = expected.length): boolean {
  const { bytes, at } = cursor;
  if (at + length > cursor.end) return false;
  for (let i = 0; i < length; i++) if (bytes[at + i] !== expected[i]) return false;
  cursor.at = at + length;
  return true;
}

/** A string, with its quotes. */
export function takeString(cursor: ByteCursor): string | Unread {
  const { bytes, end } = cursor;
  const start = cursor.at + 1;
  if (bytes[start - 1] !== quote) return unread;
  let seen = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === quote) {
      cursor.at = at + 1;
      return seen < 0x80 ? bytes.toString('latin1', start, at) : decoded(bytes, start, at);
    }
    if (byte === backslash) return takeEscaped(cursor, at);
    if (byte < 0x20) return unread;
    seen |= byte;
  }
  return unread;
}

function decoded(bytes: Buffer, start: number, end: number): string | Unread {
  const text = bytes.toString('utf8', start, end);
  return text.includes('\ufffd') && !isUtf8(bytes.subarray(start, end)) ? unread : text;
}

function takeEscaped(cursor: ByteCursor, from: number): string | Unread {
  const { bytes, end } = cursor;
  let at = from;
  while (at < end && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
  if (at >= end) return unread;
  const text = decoded(bytes, cursor.at, at + 1);
  if (text === unread) return unread;
  cursor.at = at + 1;
  try {
    return JSON.parse(text) as string;
  } catch {
    return unread;
  }
}

/** A whole number, exactly: a bigint from 2^53 on. */
export function takeInteger(cursor: ByteCursor): number | bigint | Unread {
  const { bytes, at: start } = cursor;
  const negative = bytes[start] === minus;
  const first = negative ? start + 1 : start;
  const last = digitsEnd(cursor, first);
  const count = last - first;
  const next = bytes[last] as number;
  // A fraction or an exponent may follow, or digits after a zero.
  if (count === 0 || next === dot || (next | 0x20) === 0x65 || (count > 1 && bytes[first] === zero)) return unread;
  cursor.at = last;
  let value = 0;
  if (count <= 16) {
    for (let at = first; at < last; at++) value = value * 10 + (bytes[at] as number) - zero;
    if (value === 0 && negative) return unread;
    if (value <= Number.MAX_SAFE_INTEGER) return negative ? -value : value;
  }
  return BigInt(bytes.toString('latin1', start, last));
}

/** 10^n that a double holds exactly. */
const powers = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);
/** So many digits make a whole number that a double holds exactly. */
const exactDigits = 15;

/** Any number, as the platform reads it. */
export function takeNumber(cursor: ByteCursor): number | Unread {
  const { bytes, at: start } = cursor;
  const negative = bytes[start] === minus;
  const first = negative ? start + 1 : start;
  const whole = digitsEnd(cursor, first);
  const fraction = bytes[whole] === dot ? digitsEnd(cursor, whole + 1) : whole;
  const end = exponentEnd(cursor, fraction);
  const bare = whole === first || fraction === whole + 1 || end === undefined;
  if (bare || (whole - first > 1 && bytes[first] === zero)) return unread;
  cursor.at = end;
  if (end > fraction || fraction - first > exactDigits) return Number(bytes.toString('latin1', start, end));
  let value = 0;
  for (let at = first; at < fraction; at++) if (at !== whole) value = value * 10 + (bytes[at] as number) - zero;
  // Both are exact, so the quotient is rounded once, as it is when the text is read (Clinger's fast path).
  if (fraction > whole) value /= powers[fraction - whole - 1] as number;
  return negative ? -value : value;
}

/** Undefined for an exponent without digits. */
function exponentEnd(cursor: ByteCursor, start: number): number | undefined {
  const { bytes } = cursor;
  if (((bytes[start] as number) | 0x20) !== 0x65) return start;
  const first = bytes[start + 1] === plus || bytes[start + 1] === minus ? start + 2 : start + 1;
  const end = digitsEnd(cursor, first);
  return end === first ? undefined : end;
}

function digitsEnd({ bytes, end }: ByteCursor, start: number): number {
  let at = start;
  while (at < end) {
    const digit = (bytes[at] as number) - zero;
    if (digit < 0 || digit > 9) break;
    at++;
  }
  return at;
}

/** Past an array or object, without a look at what is in it. Returns where it began. */
export function skipNested(cursor: ByteCursor): number {
  const { bytes, end, at: start } = cursor;
  let depth = 0;
  let inString = false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (inString) {
      if (byte === backslash) at++;
      else if (byte === quote) inString = false;
    } else if (byte === quote) inString = true;
    else if (byte === 0x7b || byte === 0x5b) depth++;
    else if (byte === 0x7d || byte === 0x5d) depth--;
    if (depth === 0) {
      cursor.at = at + 1;
      return start;
    }
  }
  cursor.at = end;
  return start;
}
