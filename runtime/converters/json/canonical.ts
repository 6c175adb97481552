/**
 * Tells JSON that reading and writing would give back byte for byte, in one pass over its bytes: as Connect's
 * JsonConverter writes what has no schema, without spaces, each number and escape in the one spelling that it uses.
 * Source: Jackson's UTF8JsonGenerator; Long.toString, Double.toString.
 */
import { isUtf8 } from 'node:buffer';
import { javaDouble } from '../../api/index.ts';
import { special } from './text.ts';

/** Deeper or larger ones are rare, and are read and written. */
const deepest = 64;
const mostFields = 256;
const longestName = 256;

/** After so many new fields what is known is forgotten: these are no names that come again. */
const mostNames = 2000;
/** So many texts are then not looked at. */
const restAfter = 1000;

/** A field that came after certain others in objects at one place: names are compared where they are expected. */
interface Expected {
  /** With its quotes and the colon. */
  readonly name: Buffer;
  /** The one before it; undefined for the beginning of an object. */
  readonly before: Expected | undefined;
  readonly count: number;
  /** What came after it the last time. */
  last: Expected | undefined;
  after: Map<string, Expected> | undefined;
  /** The beginning of the objects that its value holds. */
  inner: Expected | undefined;
}

/** 1 for each byte that a string does not simply go on with. */
const careful = special.slice().fill(1, 0x80);

interface Scan {
  readonly bytes: Uint8Array;
  /** Of the buffer that they stand in. */
  readonly view: DataView;
  /** Some bytes are not ASCII. */
  wide: boolean;
  /** Fields that were not met before. */
  fresh: number;
}

const nothing = Buffer.alloc(0);
const expected = (name: Buffer, before: Expected | undefined): Expected => ({
  name,
  before,
  count: before === undefined ? 0 : before.count + 1,
  last: undefined,
  after: undefined,
  inner: undefined,
});

/** Of objects and arrays only. False says nothing: the text may be malformed, or large. */
export function canonicalCheck(): (bytes: Uint8Array) => boolean {
  let start = expected(nothing, undefined);
  let known = 0;
  let resting = 0;
  // Values of one fetch stand in one buffer.
  let buffer: ArrayBufferLike | undefined;
  let view: DataView = new DataView(new ArrayBuffer(0));
  return (bytes) => {
    if (resting > 0) {
      resting--;
      return false;
    }
    if (bytes.buffer !== buffer) {
      ({ buffer } = bytes);
      view = new DataView(buffer);
    }
    const scan: Scan = { bytes, view, wide: false, fresh: 0 };
    const first = bytes[0];
    const end = first === 0x7b ? objectEnd(scan, 1, 1, start) : first === 0x5b ? arrayEnd(scan, 1, 1, start) : -1;
    known += scan.fresh;
    if (known > mostNames) {
      start = expected(nothing, undefined);
      known = 0;
      resting = restAfter;
    }
    return end === bytes.length && (!scan.wide || isUtf8(bytes));
  };
}

// Each of these returns the position after what begins at `at`, or -1. Beyond the end bytes are undefined, which are equal to none.

function valueEnd(scan: Scan, at: number, depth: number, field: Expected): number {
  const { bytes } = scan;
  switch (bytes[at]) {
    case 0x22:
      return stringEnd(scan, at + 1);
    case 0x7b:
      return objectEnd(scan, at + 1, depth + 1, (field.inner ??= expected(nothing, undefined)));
    case 0x5b:
      return arrayEnd(scan, at + 1, depth + 1, field);
    case 0x74:
      return bytes[at + 1] === 0x72 && bytes[at + 2] === 0x75 && bytes[at + 3] === 0x65 ? at + 4 : -1;
    case 0x66:
      return bytes[at + 1] === 0x61 && bytes[at + 2] === 0x6c && bytes[at + 3] === 0x73 && bytes[at + 4] === 0x65 ? at + 5 : -1;
    case 0x6e:
      return bytes[at + 1] === 0x75 && bytes[at + 2] === 0x6c && bytes[at + 3] === 0x6c ? at + 4 : -1;
    default:
      return numberEnd(bytes, at);
  }
}

function arrayEnd(scan: Scan, start: number, depth: number, field: Expected): number {
  const { bytes } = scan;
  if (depth > deepest) return -1;
  if (bytes[start] === 0x5d) return start + 1;
  for (let at = start; ;) {
    at = valueEnd(scan, at, depth, field);
    if (at < 0) return -1;
    const next = bytes[at++];
    if (next === 0x5d) return at;
    if (next !== 0x2c) return -1;
  }
}

function objectEnd(scan: Scan, start: number, depth: number, beginning: Expected): number {
  const { bytes } = scan;
  if (depth > deepest) return -1;
  if (bytes[start] === 0x7d) return start + 1;
  let field = beginning;
  for (let at = start; ;) {
    let next = field.last;
    if (next === undefined || !standsAt(bytes, at, next.name)) {
      next = otherField(scan, at, field);
      if (next === undefined) return -1;
      field.last = next;
    }
    field = next;
    at = valueEnd(scan, at + field.name.length, depth, field);
    if (at < 0) return -1;
    const after = bytes[at++];
    if (after === 0x7d) return at;
    if (after !== 0x2c) return -1;
  }
}

function standsAt(bytes: Uint8Array, at: number, name: Buffer): boolean {
  const { length } = name;
  if (at + length > bytes.length) return false;
  for (let i = 0; i < length; i++) if (bytes[at + i] !== name[i]) return false;
  return true;
}

/** The field whose name stands there; undefined for one that may not be copied, or that the object has already. */
function otherField(scan: Scan, at: number, field: Expected): Expected | undefined {
  const { bytes } = scan;
  if (bytes[at] !== 0x22) return undefined;
  const end = stringEnd(scan, at + 1);
  // A digit in front: JavaScript puts fields whose names are numbers before all others.
  if (end < 0 || end - at > longestName || bytes[end] !== 0x3a || isDigit(bytes[at + 1])) return undefined;
  const name = Buffer.from(bytes.subarray(at, end + 1));
  const text = name.toString('latin1');
  const found = field.after?.get(text);
  if (found !== undefined) return found;
  if (name.includes(0x5c) || field.count >= mostFields) return undefined;
  for (let each: Expected | undefined = field; each !== undefined; each = each.before) if (each.name.equals(name)) return undefined;
  const added = expected(name, field);
  (field.after ??= new Map()).set(text, added);
  scan.fresh++;
  return added;
}

/** Controls are never raw, and their escapes have one spelling each; surrogate pairs are written as escapes. */
function stringEnd(scan: Scan, start: number): number {
  const { bytes, view } = scan;
  const { byteOffset, length } = bytes;
  for (let at = start; ;) {
    if ((bytes[at] as number) < 0x80) {
      const last = byteOffset + length - 8;
      let eight = byteOffset + at;
      while (eight <= last && ((unlike(view.getInt32(eight, true)) | unlike(view.getInt32(eight + 4, true))) & highBits) === 0) eight += 8;
      at = eight - byteOffset;
    }
    while (at < length && careful[bytes[at] as number] === 0) at++;
    if (at >= length) return -1;
    const byte = bytes[at] as number;
    if (byte === 0x22) return at + 1;
    if (byte === 0x5c) {
      if (!isShortEscape(bytes[at + 1])) return -1;
      at += 2;
    } else if (byte >= 0x80 && byte < 0xf0) {
      scan.wide = true;
      at++;
    } else return -1;
  }
}

const highBits = 0x80808080;

/** Four bytes at once: one of the high bits is set if one of them is `careful`. A 2 turned over puts `"` below all but controls. */
const unlike = (four: number): number => ((four ^ 0x02020202) - 0x21212121) | ((four ^ 0x5c5c5c5c) - 0x01010101) | four;

/** One of `"\bfnrt`. */
function isShortEscape(byte: number | undefined): boolean {
  return byte === 0x22 || byte === 0x5c || byte === 0x6e || byte === 0x74 || byte === 0x72 || byte === 0x62 || byte === 0x66;
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;

function digitsEnd(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && isDigit(bytes[at])) at++;
  return at;
}

/** Whole numbers are longs, others doubles. */
function numberEnd(bytes: Uint8Array, start: number): number {
  const first = bytes[start] === 0x2d ? start + 1 : start;
  const dot = digitsEnd(bytes, first);
  const whole = dot - first;
  if (whole === 0 || (whole > 1 && bytes[first] === 0x30)) return -1;
  const next = bytes[dot];
  if (next !== 0x2e && next !== 0x65 && next !== 0x45) {
    const isNegativeZero = first > start && whole === 1 && bytes[first] === 0x30;
    return whole > 18 || isNegativeZero ? -1 : dot;
  }
  if (next !== 0x2e) return -1;
  const end = digitsEnd(bytes, dot + 1);
  const digits = end - dot - 1;
  if (digits === 0) return -1;
  const isPlain = bytes[end] !== 0x65 && bytes[end] !== 0x45;
  const isShort = whole <= 7 && whole + digits <= 15 && (digits === 1 || bytes[end - 1] !== 0x30);
  // From 0.001 on doubles are printed without an exponent; each of up to 15 digits is told apart from all others.
  if (isPlain && isShort && (bytes[first] !== 0x30 || digits === 1 || !startsWithZeros(bytes, dot + 1))) return end;
  return doubleEnd(bytes, start, isPlain ? end : exponentEnd(bytes, end + 1));
}

const startsWithZeros = (bytes: Uint8Array, at: number): boolean => bytes[at] === 0x30 && bytes[at + 1] === 0x30 && bytes[at + 2] === 0x30;

function exponentEnd(bytes: Uint8Array, start: number): number {
  return digitsEnd(bytes, bytes[start] === 0x2d ? start + 1 : start);
}

/** Asks whether the JVM prints the number like that. */
function doubleEnd(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > 32) return -1;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
  return javaDouble(Number(text)) === text ? end : -1;
}
