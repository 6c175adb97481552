/**
 * JSON to plain values, without losing a digit: whole numbers beyond 2^53 become bigints. The platform's parser does
 * the work; the parser below does where long fractions are to be kept, and where the text is malformed, since it
 * knows the position.
 */
import { isUtf8 } from 'node:buffer';
import { DataError } from '../../api/index.ts';
import { markLongNumbers, unmarkLongNumbers } from './long-numbers.ts';

/** A number with a fraction or exponent and more digits than a double holds, as it was written. */
export class ExactNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Jackson's limit (StreamReadConstraints). */
const maxDepth = 1000;

/**
 * Parses one JSON text in UTF-8. `keepDecimals` gives long fractions as {@link ExactNumber}. Throws a DataError
 * naming the position for malformed text, and for nesting deeper than 1000.
 */
export function parseJson(bytes: Uint8Array, keepDecimals = false): unknown {
  const text = textOf(bytes);
  const exactly = (keepDecimals && hasLongFraction(bytes)) || (text.length > 2 * maxDepth && mayBeDeep(text));
  const marked = exactly ? undefined : markLongNumbers(text);
  if (marked !== undefined) {
    try {
      const json = JSON.parse(marked) as unknown;
      return marked === text ? json : unmarkLongNumbers(json);
    } catch {
      // Read again below: for the position, or since a string holds what looks like a number of its own.
    }
  }
  return parseExactly(text, keepDecimals);
}

/** Decodes UTF-8. Throws a DataError for bytes that are none. */
function textOf(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = buffer.toString('utf8');
  if (text.includes('\ufffd') && !isUtf8(buffer)) throw new DataError('malformed JSON: the bytes are not UTF-8');
  return text;
}

/** The shortest run of digits (and a dot) that a double may not hold: 2^53 is 9007199254740992. */
const longRun = 16;

/**
 * Whether a number with a fraction or exponent and a run of 16 or more digits may occur. It looks at every 16th byte
 * only, since each such run covers one of these; a regular expression for the same took longer than the parsing.
 */
function hasLongFraction(bytes: Uint8Array): boolean {
  const { length } = bytes;
  for (let probe = longRun - 1; probe < length;) {
    let end = probe;
    while (end < length && isDigit(bytes[end] as number)) end++;
    if (end === probe) {
      probe += longRun;
      continue;
    }
    let start = probe;
    while (start > 0 && isDigit(bytes[start - 1] as number)) start--;
    const isLong = end - start > longRun || (end - start === longRun && bytes[start] === 0x39);
    if (isLong && !isWhole(bytes, start, end)) return true;
    probe = end + longRun;
  }
  return false;
}

/** Whether a run of digits (and dots) is all there is to a number, its sign aside. */
function isWhole(bytes: Uint8Array, start: number, end: number): boolean {
  const sign = bytes[start - 1];
  const before = sign === 0x2d ? bytes[start - 2] : sign;
  if (isExponent(before) || before === 0x2b || isExponent(bytes[end])) return false;
  return !bytes.subarray(start, end).includes(0x2e);
}

function isExponent(byte: number | undefined): boolean {
  return byte === 0x65 || byte === 0x45;
}

function isDigit(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || byte === 0x2e;
}

function mayBeDeep(text: string): boolean {
  let open = 0;
  for (let i = 0; i < text.length && open <= maxDepth; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x7b || code === 0x5b) open++;
  }
  return open > maxDepth;
}

interface Cursor {
  readonly text: string;
  readonly keepDecimals: boolean;
  at: number;
}

export function parseExactly(text: string, keepDecimals: boolean): unknown {
  const cursor: Cursor = { text, keepDecimals, at: 0 };
  skipSpace(cursor);
  const value = parseValue(cursor, 0);
  if (cursor.at < text.length) throw malformed(cursor, 'nothing more');
  return value;
}

function malformed({ text, at }: Cursor, expected: string): DataError {
  const found = at >= text.length ? 'the end' : JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0));
  return new DataError(`malformed JSON at position ${at}: expected ${expected}, found ${found}`);
}

function skipSpace(cursor: Cursor): void {
  const { text } = cursor;
  for (;;) {
    const code = text.charCodeAt(cursor.at);
    // Beyond the end it is NaN, which is not greater than a space.
    if (code > 0x20 || (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09)) return;
    cursor.at++;
  }
}

/** The value at the cursor, and the space after it. */
function parseValue(cursor: Cursor, depth: number): unknown {
  const value = parseBare(cursor, depth);
  skipSpace(cursor);
  return value;
}

function parseBare(cursor: Cursor, depth: number): unknown {
  if (depth > maxDepth) throw new DataError(`JSON nested more than ${maxDepth} deep, at position ${cursor.at}`);
  switch (cursor.text.charCodeAt(cursor.at)) {
    case 0x7b:
      return parseObject(cursor, depth + 1);
    case 0x5b:
      return parseArray(cursor, depth + 1);
    case 0x22:
      return parseString(cursor);
    case 0x74:
      return parseWord(cursor, 'true', true);
    case 0x66:
      return parseWord(cursor, 'false', false);
    case 0x6e:
      return parseWord(cursor, 'null', null);
    default:
      return parseNumber(cursor);
  }
}

function parseWord(cursor: Cursor, word: string, value: unknown): unknown {
  if (!cursor.text.startsWith(word, cursor.at)) throw malformed(cursor, 'a value');
  cursor.at += word.length;
  return value;
}

function parseObject(cursor: Cursor, depth: number): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  step(cursor);
  if (at(cursor) === 0x7d) return (cursor.at++, object);
  for (;;) {
    if (at(cursor) !== 0x22) throw malformed(cursor, 'a field name');
    const key = parseString(cursor);
    skipSpace(cursor);
    if (at(cursor) !== 0x3a) throw malformed(cursor, '":"');
    step(cursor);
    const value = parseValue(cursor, depth);
    if (key === '__proto__')
      Object.defineProperty(object, key, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    else object[key] = value;
    if (at(cursor) === 0x7d) return (cursor.at++, object);
    if (at(cursor) !== 0x2c) throw malformed(cursor, '"," or "}"');
    step(cursor);
  }
}

function parseArray(cursor: Cursor, depth: number): unknown[] {
  const items: unknown[] = [];
  step(cursor);
  if (at(cursor) === 0x5d) return (cursor.at++, items);
  for (;;) {
    items.push(parseValue(cursor, depth));
    if (at(cursor) === 0x5d) return (cursor.at++, items);
    if (at(cursor) !== 0x2c) throw malformed(cursor, '"," or "]"');
    step(cursor);
  }
}

function at({ text, at: position }: Cursor): number {
  return text.charCodeAt(position);
}

function step(cursor: Cursor): void {
  cursor.at++;
  skipSpace(cursor);
}

function parseString(cursor: Cursor): string {
  const { text } = cursor;
  const start = cursor.at;
  let escaped = false;
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) {
      cursor.at = i + 1;
      return escaped ? unescape(cursor, start) : text.slice(start + 1, i);
    }
    if (code < 0x20) {
      cursor.at = i;
      throw malformed(cursor, 'no control character in a string');
    }
    if (code === 0x5c) {
      escaped = true;
      i++;
    }
  }
  cursor.at = text.length;
  throw malformed(cursor, 'a closing quote');
}

function unescape(cursor: Cursor, start: number): string {
  try {
    return JSON.parse(cursor.text.slice(start, cursor.at)) as string;
  } catch (cause) {
    throw new DataError(`malformed JSON: a bad escape in the string at position ${start}`, {
      cause,
    });
  }
}

const number = /-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;

/** Short whole numbers, which most are, without the regular expression; undefined for the others. */
function shortInteger(cursor: Cursor): number | undefined {
  const { text } = cursor;
  const negative = text.charCodeAt(cursor.at) === 0x2d;
  const start = negative ? cursor.at + 1 : cursor.at;
  let value = 0;
  for (let i = start; i < start + 15; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      continue;
    }
    const leadingZero = text.charCodeAt(start) === 0x30 && i > start + 1;
    // A fraction or exponent may follow: "." and the letters e and E.
    if (i === start || leadingZero || digit === -2 || digit === 0x15 || digit === 0x35 || (negative && value === 0)) return undefined;
    cursor.at = i;
    return negative ? -value : value;
  }
  return undefined;
}

function parseNumber(cursor: Cursor): unknown {
  const short = shortInteger(cursor);
  if (short !== undefined) return short;
  number.lastIndex = cursor.at;
  const match = number.exec(cursor.text);
  if (match === null) throw malformed(cursor, 'a value');
  const [text, , fraction, exponent] = match;
  cursor.at += text.length;
  if (text.length < 16) return Number(text);
  if (fraction !== undefined || exponent !== undefined) return cursor.keepDecimals ? new ExactNumber(text) : Number(text);
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}
