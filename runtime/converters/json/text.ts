/** JSON text as Jackson writes it: short escapes, `\u00XX` in capitals, surrogates escaped, all else raw UTF-8. */
import { javaDouble } from '../../api/index.ts';
import type { ByteSink } from '../../api/index.ts';

/** 1 for each byte of UTF-8 that cannot be copied as it is: controls, `"`, `\`, and the lead byte of a surrogate pair. */
export const special = new Uint8Array(256);
special.fill(1, 0, 0x20).fill(1, 0xf0);
special[0x22] = 1;
special[0x5c] = 1;

const quote = 0x22;
const backslash = 0x5c;
const shortEscapes = new Map([
  [0x08, 0x62],
  [0x09, 0x74],
  [0x0a, 0x6e],
  [0x0c, 0x66],
  [0x0d, 0x72],
  [0x22, 0x22],
  [0x5c, 0x5c],
]);
const hex = Buffer.from('0123456789ABCDEF');
const needsEscape = /["\\\u0000-\u001f\ud800-\udfff]/;

/** Writes a string with its quotes. */
export function writeString(out: ByteSink, text: string): void {
  out.byte(quote);
  writeText(out, text);
  out.byte(quote);
}

/** Writes what stands between the quotes. */
export function writeText(out: ByteSink, text: string): void {
  if (text.length > 64 && !needsEscape.test(text)) {
    out.text(text);
    return;
  }
  // In pieces, since each character may take six bytes, and most take one.
  for (let from = 0; from < text.length; from += 4096) writePiece(out, text, from, Math.min(text.length, from + 4096));
}

function writePiece(out: ByteSink, text: string, from: number, to: number): void {
  out.ensure((to - from) * 6);
  const { bytes } = out;
  let at = out.position;
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) {
      if (special[code] === 0) bytes[at++] = code;
      else at = writeEscape(bytes, at, code);
    } else if (code < 0x800) {
      bytes[at++] = 0xc0 | (code >> 6);
      bytes[at++] = 0x80 | (code & 0x3f);
    } else if (code >= 0xd800 && code <= 0xdfff) {
      at = writeEscape(bytes, at, code);
    } else {
      bytes[at++] = 0xe0 | (code >> 12);
      bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[at++] = 0x80 | (code & 0x3f);
    }
  }
  out.position = at;
}

function writeEscape(bytes: Uint8Array, start: number, code: number): number {
  let at = start;
  bytes[at++] = backslash;
  const short = shortEscapes.get(code);
  if (short !== undefined) {
    bytes[at++] = short;
    return at;
  }
  bytes[at++] = 0x75;
  for (let shift = 12; shift >= 0; shift -= 4) bytes[at++] = hex[(code >> shift) & 15] as number;
  return at;
}

/** Writes UTF-8 bytes as a JSON string, with its quotes. */
export function writeUtf8(out: ByteSink, source: Uint8Array, start: number, end: number): void {
  out.ensure(end - start + 2);
  const { bytes } = out;
  let at = out.position;
  bytes[at++] = quote;
  for (let i = start; i < end; i++) {
    const byte = source[i] as number;
    if (special[byte] !== 0) {
      out.position = at;
      writeUtf8Rest(out, source, i, end);
      return;
    }
    bytes[at++] = byte;
  }
  bytes[at++] = quote;
  out.position = at;
}

/** The slow way, from the first byte that needs care (always a character's first) to the closing quote. */
export function writeUtf8Rest(out: ByteSink, source: Uint8Array, start: number, end: number): void {
  writeText(out, Buffer.from(source.buffer, source.byteOffset + start, end - start).toString('utf8'));
  out.byte(quote);
}

/** Writes a whole number in [-2^53, 2^53] without making a string. */
export function writeInteger(out: ByteSink, value: number): void {
  out.ensure(17);
  const { bytes } = out;
  let rest = value;
  if (rest < 0) {
    bytes[out.position++] = 0x2d;
    rest = -rest;
  }
  if (rest < 1_000_000_000) {
    out.position = writeDigits(bytes, out.position, rest, digitsOf(rest));
    return;
  }
  const high = Math.floor(rest / 1_000_000_000);
  const at = writeDigits(bytes, out.position, high, digitsOf(high));
  out.position = writeDigits(bytes, at, rest - high * 1_000_000_000, 9);
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits++;
  return digits;
}

function writeDigits(bytes: Uint8Array, at: number, value: number, digits: number): number {
  let rest = value | 0;
  for (let i = at + digits - 1; i >= at; i--) {
    const next = (rest / 10) | 0;
    bytes[i] = 0x30 + rest - next * 10;
    rest = next;
  }
  return at + digits;
}

const safe = BigInt(Number.MAX_SAFE_INTEGER);

export function writeBigint(out: ByteSink, value: bigint): void {
  if (value <= safe && value >= -safe) writeInteger(out, Number(value));
  else out.text(value.toString());
}

/** As Jackson: NaN and the infinities become strings. */
export function writeDouble(out: ByteSink, value: number, text: string = javaDouble(value)): void {
  if (Number.isFinite(value)) out.text(text);
  else out.text(`"${text}"`);
}
