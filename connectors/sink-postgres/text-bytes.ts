/** A growing run of UTF-8, into which values are written without a string or an object for each. */
import { DataError } from '@millrace/runtime/api';

/** Below this, a loop over the characters beats the call into native code. */
const shortText = 48;
/** Texts up to this long get room for three bytes a character; longer ones are measured first. */
const unmeasured = 16 * 1024;
/** What is kept when the rows are gone; a few large ones should not hold memory for good. */
const keptBytes = 4 * 1024 * 1024;

const mostBytes = 0x7fff_ffff;

export class TextBytes {
  /** `bytes` and `position` are public so that loops can write without a call for each byte; after `ensure(n)` n bytes fit. */
  bytes: Buffer = Buffer.allocUnsafeSlow(4096);
  position = 0;

  /** Makes room for `count` more bytes; `bytes` may be another buffer afterwards. */
  ensure(count: number): void {
    const needed = this.position + count;
    if (needed > this.bytes.length) this.#grow(needed);
  }

  #grow(needed: number): void {
    // Places in it are kept in 32 bits.
    if (needed > mostBytes) throw new DataError(`the values that wait to be written take more than ${mostBytes} bytes`);
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.position);
    this.bytes = grown;
  }

  byte(value: number): void {
    if (this.position === this.bytes.length) this.#grow(this.position + 1);
    this.bytes[this.position++] = value;
  }

  text(value: string): void {
    const { length } = value;
    this.ensure(length <= unmeasured ? length * 3 : Buffer.byteLength(value));
    const { bytes } = this;
    if (length < shortText) {
      let at = this.position;
      let i = 0;
      for (; i < length; i++) {
        const code = value.charCodeAt(i);
        if (code > 127) break;
        bytes[at++] = code;
      }
      if (i === length) {
        this.position = at;
        return;
      }
    }
    this.position += bytes.write(value, this.position, 'utf8');
  }

  copy(source: Buffer, start: number, end: number): void {
    this.ensure(end - start);
    source.copy(this.bytes, this.position, start, end);
    this.position += end - start;
  }

  /** Digits of a number as JavaScript shows it; whole ones without making a string. */
  number(value: number): void {
    if (Number.isSafeInteger(value)) this.#integer(value);
    else this.text(String(value));
  }

  #integer(value: number): void {
    this.ensure(17);
    let rest = value;
    if (rest < 0) {
      this.bytes[this.position++] = 0x2d;
      rest = -rest;
    }
    if (rest < billion) {
      this.digits(rest, digitsOf(rest));
      return;
    }
    const high = Math.floor(rest / billion);
    this.digits(high, digitsOf(high));
    this.digits(rest - high * billion, 9);
  }

  /** A number below 2^31 in that many digits; there must be room. */
  digits(value: number, count: number): void {
    const { bytes } = this;
    const end = this.position + count;
    let rest = value | 0;
    for (let at = end - 1; at >= this.position; at--) {
      const next = (rest / 10) | 0;
      bytes[at] = 0x30 + rest - next * 10;
      rest = next;
    }
    this.position = end;
  }

  clear(): void {
    this.position = 0;
    if (this.bytes.length > keptBytes) this.bytes = Buffer.allocUnsafeSlow(4096);
  }
}

const billion = 1_000_000_000;

function digitsOf(value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits++;
  return digits;
}
