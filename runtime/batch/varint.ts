import type { ByteSink } from '../api/index.ts';

/** Bytes of an unsigned varint. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  if (value < 0x10000000) return 4;
  let size = 4;
  for (let rest = value / 0x10000000; rest >= 1; rest /= 128) size++;
  return size;
}

/** A signed number, up to 53 bits, as the unsigned one that stands for it (Protocol Buffers' zigzag). */
export function zigzagVarint(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

/** Appends an unsigned varint, up to 53 bits. The caller has made room for 10 bytes. */
export function writeVarint(out: ByteSink, value: number): void {
  const { bytes } = out;
  let at = out.position;
  let rest = value;
  while (rest > 0x7fffffff) {
    bytes[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  while (rest > 127) {
    bytes[at++] = (rest & 127) | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  out.position = at;
}

/** Reads varints one after another. Throws a RangeError beyond the end or for one that is too long. */
export class VarintReader {
  readonly bytes: Uint8Array;
  position: number;
  readonly end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  /** A signed varint of up to 53 bits. */
  signed(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (this.position >= this.end) throw new RangeError('a record ends in the middle of a number');
      const byte = this.bytes[this.position++] as number;
      value += (byte & 127) * scale;
      if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      scale *= 128;
    }
    throw new RangeError('a number in a record is longer than 10 bytes');
  }
}
