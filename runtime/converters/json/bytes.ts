/** Bytes and decimals as base64 in JSON. */
import { bigintToBytes } from '../../api/index.ts';
import type { ByteSink } from '../../api/index.ts';

const alphabet = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const padding = 0x3d;

/** Writes base64 with its quotes. */
export function writeBase64(out: ByteSink, source: Uint8Array): void {
  const { length } = source;
  out.byte(0x22);
  if (length > 96) {
    out.text(Buffer.from(source.buffer, source.byteOffset, length).toString('base64'));
  } else {
    out.ensure(Math.ceil(length / 3) * 4);
    const { bytes } = out;
    let at = out.position;
    let i = 0;
    for (; i + 2 < length; i += 3) {
      const triple = ((source[i] as number) << 16) | ((source[i + 1] as number) << 8) | (source[i + 2] as number);
      bytes[at++] = alphabet[triple >> 18] as number;
      bytes[at++] = alphabet[(triple >> 12) & 63] as number;
      bytes[at++] = alphabet[(triple >> 6) & 63] as number;
      bytes[at++] = alphabet[triple & 63] as number;
    }
    if (i < length) {
      const two = i + 1 < length;
      const rest = ((source[i] as number) << 16) | (two ? (source[i + 1] as number) << 8 : 0);
      bytes[at++] = alphabet[rest >> 18] as number;
      bytes[at++] = alphabet[(rest >> 12) & 63] as number;
      bytes[at++] = two ? (alphabet[(rest >> 6) & 63] as number) : padding;
      bytes[at++] = padding;
    }
    out.position = at;
  }
  out.byte(0x22);
}

const safe = BigInt(Number.MAX_SAFE_INTEGER);
const scratch = new Uint8Array(8);

/** Writes a decimal's unscaled value as Connect does: base64 of its two's complement bytes, quoted. */
export function writeDecimalBytes(out: ByteSink, unscaled: bigint): void {
  if (unscaled <= safe && unscaled >= -safe) writeSmallDecimal(out, Number(unscaled));
  else writeBase64(out, bigintToBytes(unscaled));
}

/** The same for a safe integer, without a bigint. */
export function writeSmallDecimal(out: ByteSink, unscaled: number): void {
  let high = Math.floor(unscaled / 0x1_0000_0000);
  const low = (unscaled - high * 0x1_0000_0000) >>> 0;
  for (let i = 3; i >= 0; i--, high >>= 8) scratch[i] = high & 0xff;
  scratch[4] = low >>> 24;
  scratch[5] = (low >>> 16) & 0xff;
  scratch[6] = (low >>> 8) & 0xff;
  scratch[7] = low & 0xff;
  // Drop leading bytes that only repeat the sign.
  const sign = unscaled < 0 ? 0xff : 0;
  let start = 0;
  while (start < 7 && scratch[start] === sign && ((scratch[start + 1] as number) & 0x80) === (sign & 0x80)) start++;
  writeBase64(out, scratch.subarray(start));
}

/**
 * Writes the decimal in ASCII that stands in `source[start, end)` ("-12.30") with that scale, without a bigint.
 * Returns false, having written nothing, when it is not that plain: an exponent, NaN, other fraction digits
 * than the scale, or more than 15 digits.
 */
export function writeAsciiDecimal(out: ByteSink, source: Uint8Array, start: number, end: number, scale: number): boolean {
  const negative = source[start] === 0x2d;
  const first = negative ? start + 1 : start;
  if (end - first > 16 || end === first) return false;
  let value = 0;
  let dot = -1;
  for (let i = first; i < end; i++) {
    const digit = (source[i] as number) - 0x30;
    if (digit >= 0 && digit <= 9) value = value * 10 + digit;
    else if (source[i] === 0x2e && dot < 0) dot = i;
    else return false;
  }
  if ((dot < 0 ? 0 : end - dot - 1) !== scale || end - first - (dot < 0 ? 0 : 1) > 15) return false;
  writeSmallDecimal(out, negative ? -value : value);
  return true;
}
