/** Numbers as text, written without a string for each. */
import type { ByteSink } from '@millrace/runtime/api';

const billion = 1_000_000_000;

/** As JavaScript shows it. */
export function writeDecimal(out: ByteSink, value: number): void {
  if (Number.isSafeInteger(value)) writeInteger(out, value);
  else out.text(String(value));
}

function writeInteger(out: ByteSink, value: number): void {
  out.ensure(17);
  let rest = value;
  if (rest < 0) {
    out.bytes[out.position++] = 0x2d;
    rest = -rest;
  }
  if (rest < billion) return writeDigits(out, rest, digitsOf(rest));
  const high = Math.floor(rest / billion);
  writeDigits(out, high, digitsOf(high));
  writeDigits(out, rest - high * billion, 9);
}

/** A number below 2^31 in that many digits; there must be room. */
export function writeDigits(out: ByteSink, value: number, count: number): void {
  const { bytes, position } = out;
  let rest = value | 0;
  for (let at = position + count - 1; at >= position; at--) {
    const next = (rest / 10) | 0;
    bytes[at] = 0x30 + rest - next * 10;
    rest = next;
  }
  out.position = position + count;
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits++;
  return digits;
}
